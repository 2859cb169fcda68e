package runner

import (
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
)

// due reports whether a commit is due.
func (w *worker) due(now time.Time) bool {
	if !w.dirty {
		return false
	}
	if w.commitEach || w.requested || !now.Before(w.commitAt()) {
		return true
	}
	bytes := 0
	for _, t := range w.tasks {
		bytes += t.task.DirtyBytes()
	}
	w.meter.dirtyBytes.Store(int64(bytes))
	return bytes > w.r.memory.dirty
}

// commitAt returns when the next commit is due.
func (w *worker) commitAt() time.Time { return w.committed.Add(w.commitInterval()) }

// commitInterval returns Config.CommitInterval, limited to a third of the transaction timeout.
func (w *worker) commitInterval() time.Duration {
	if w.r.cfg.AtLeastOnce {
		return w.r.cfg.CommitInterval
	}
	return min(w.r.cfg.CommitInterval, w.r.cfg.TransactionTimeout/3)
}

// commit commits the transaction of all tasks of the worker, with their results, changelogs and offsets. Then it applies
// the state changes to the databases.
func (w *worker) commit() error {
	if err := w.finishCalls(); err != nil {
		return err
	}
	w.committed = time.Now()
	w.dirty, w.requested = false, false
	offsets := map[kafka.TopicPartition]kafka.CommittedOffset{}
	var dirty []*running
	for _, t := range w.tasks {
		if !t.task.Dirty() {
			continue
		}
		dirty = append(dirty, t)
		t.unpublished = true
		if err := w.call.run(t, t.task.Flush); err != nil { // codecs are user code
			if t.stopped {
				err = recoverable(err) // a timer was interrupted: reopen the task at the last commit
			}
			return t.markDamaged(err)
		}
		for _, o := range t.task.Offsets() {
			tp := kafka.TopicPartition{Topic: o.Topic, Partition: o.Partition}
			offsets[tp] = kafka.CommittedOffset{Offset: o.Next, Metadata: o.Metadata + t.notes[tp]}
		}
	}
	if len(dirty) == 0 {
		w.meter.dirtySince.Store(0)
		w.publish()
		return nil
	}
	if err := w.end(offsets); err != nil {
		return recoverable(fmt.Errorf("commit: %w", err))
	}
	for _, t := range dirty {
		err := t.task.Committed(func(topic string, partition int32) (int64, bool) {
			return w.producer.LastOffset(kafka.TopicPartition{Topic: topic, Partition: partition})
		})
		if errors.Is(err, task.ErrNoPosition) {
			err = recoverable(err)
		}
		if err != nil {
			return t.markDamaged(err)
		}
	}
	w.commitEach = false
	for _, t := range dirty {
		t.streak.committed(t.task.Committable)
	}
	w.noteCommit(dirty)
	w.publish()
	return nil
}

// publish publishes the progress of the tasks that have made any. It is called after a commit.
func (w *worker) publish() {
	now := time.Now()
	for _, t := range w.tasks {
		if t.unpublished {
			t.publish(now, w.r.reports)
		}
	}
}

// end makes the sent records and the offsets visible: in one transaction, or, with Config.AtLeastOnce, the records first.
func (w *worker) end(offsets map[kafka.TopicPartition]kafka.CommittedOffset) error {
	if w.r.cfg.AtLeastOnce {
		if err := w.settle(w.producer.Flush); err != nil {
			return err
		}
		return w.asMember(func(ref kafka.GroupRef) error { return w.r.client.CommitOffsets(w.ctx, ref, offsets) })
	}
	err := w.asMember(func(ref kafka.GroupRef) error { return w.producer.SendOffsets(w.ctx, ref, offsets) })
	if err != nil {
		return err
	}
	return w.settle(w.producer.Commit)
}

// asMember calls commit with the member's current generation. If a rebalance is in progress, it waits for the next
// generation and retries. That is safe unless the group has removed the member: partitions revoked in the rebalance go to
// other members only after this member has committed and released them.
func (w *worker) asMember(commit func(kafka.GroupRef) error) error {
	began := time.Now()
	for attempt := 0; ; attempt++ {
		ref := w.member.Ref()
		err := commit(ref)
		between := errors.Is(err, kafka.ErrRebalanceInProgress) || errors.Is(err, kafka.ErrIllegalGeneration)
		if !between || errors.Is(err, kafka.ErrOutcomeUnknown) || time.Since(began) > w.r.cfg.TransactionTimeout/2 {
			return err
		}
		// Most rebalances end within a few milliseconds, so these pauses are shorter than those of backoff.
		if w.lost.Load() || pauseFor(w.ctx, 2*time.Millisecond<<min(attempt, 6)) != nil {
			return err
		}
	}
}
