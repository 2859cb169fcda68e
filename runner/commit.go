package runner

import (
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
)

// due reports whether it is time to commit.
func (w *worker) due(now time.Time) bool {
	if !w.dirty {
		return false
	}
	if w.careful || !now.Before(w.commitAt()) {
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

// commitInterval is Config.CommitInterval, but short enough for the transaction.
func (w *worker) commitInterval() time.Duration {
	if w.r.cfg.AtLeastOnce {
		return w.r.cfg.CommitInterval
	}
	return min(w.r.cfg.CommitInterval, w.r.cfg.TransactionTimeout/3)
}

// commit ends the transaction of all tasks of the worker: results, changelogs and offsets are in it, and after it the
// state goes into the databases.
func (w *worker) commit() error {
	w.committed = time.Now()
	w.dirty = false
	offsets := map[kafka.TopicPartition]kafka.CommittedOffset{}
	var dirty []*running
	for _, t := range w.tasks {
		if !t.task.Dirty() {
			continue
		}
		dirty = append(dirty, t)
		t.news = true
		if err := w.call.run(t, t.task.Flush); err != nil { // codecs are user code
			if t.stopped {
				err = cluster(err) // a timer was interrupted: go back to the last commit
			}
			return t.mendable(err)
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
		return cluster(fmt.Errorf("commit: %w", err))
	}
	for _, t := range dirty {
		err := t.task.Committed(func(topic string, partition int32) (int64, bool) {
			return w.producer.LastOffset(kafka.TopicPartition{Topic: topic, Partition: partition})
		})
		if errors.Is(err, task.ErrNoPosition) {
			err = cluster(err)
		}
		if err != nil {
			return t.mendable(err)
		}
	}
	w.careful = false
	for _, t := range dirty {
		t.trouble.committed(t.task.Committable)
	}
	w.noteCommit(dirty)
	w.publish()
	return nil
}

// publish publishes, after a commit, how far the tasks have come that have news.
func (w *worker) publish() {
	now := time.Now()
	for _, t := range w.tasks {
		if t.news {
			t.publish(now, w.r.reports)
		}
	}
}

// end makes what was sent, and the offsets, visible: in one transaction, or in this order.
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

// asMember commits offsets as a member of the group's generation. A commit that meets a rebalance is good in the next
// generation, too, as long as the group has not given up the member: what was revoked in it is released after this commit,
// and goes to others only then. So it waits for the new reference and tries again.
func (w *worker) asMember(commit func(kafka.GroupRef) error) error {
	began := time.Now()
	for attempt := 0; ; attempt++ {
		ref := w.member.Ref()
		err := commit(ref)
		between := errors.Is(err, kafka.ErrRebalanceInProgress) || errors.Is(err, kafka.ErrIllegalGeneration)
		if !between || errors.Is(err, kafka.ErrOutcomeUnknown) || time.Since(began) > w.r.cfg.TransactionTimeout/2 {
			return err
		}
		// Most rounds are over in a few milliseconds, so the pauses begin below those of backoff.
		if w.lost.Load() || pauseFor(w.ctx, 2*time.Millisecond<<min(attempt, 6)) != nil {
			return err
		}
	}
}
