package runner

import (
	"errors"
	"slices"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// receive passes fetched records to their tasks.
func (w *worker) receive(fetched []kafka.Fetched) {
	answer := 0
	for i := range fetched {
		answer += fetched[i].Bytes
	}
	for _, f := range fetched {
		tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
		t := w.byInput[tp]
		if t == nil {
			continue
		}
		if f.Err != nil {
			w.fail(recoverable(f.Err))
			return
		}
		var ok bool
		if f.Records, ok = following(&f, t.task.Position(f.Topic)); !ok {
			w.feed.fetcher.Add(tp, t.task.Position(f.Topic))
			continue
		}
		w.buffer(t, &f, answer)
		t.ends[tp] = f.LastStable
		t.unpublished = true
		w.dirty = true
	}
}

// following returns the records of f from position on. After a partition was revoked and assigned again, a fetch from before
// can arrive: then its first records may have been processed already. ok is false if f does not cover position.
func following(f *kafka.Fetched, position int64) (records []kafka.Record, ok bool) {
	if f.From > position || f.Next < position {
		return nil, false
	}
	records = f.Records
	for len(records) > 0 && records[0].Offset < position {
		records = records[1:]
	}
	return records, true
}

// adopt takes over a restored task. It runs as a job of the inbox.
func (w *worker) adopt(t *running) {
	t.out.worker, t.out.id = w, w.adopted
	w.adopted++
	t.store.Store(newOpenStore(t.db))
	t.publish(time.Now(), w.r.reports)
	w.tasks = append(w.tasks, t)
	if w.feed == nil {
		w.feed = newFeed(w.r.client, w.r.memory)
	}
	for _, tp := range t.inputs {
		w.byInput[tp] = t
		w.feed.fetcher.Add(tp, t.task.Position(tp.Topic))
	}
	w.feed.fetcher.SetLimits(w.r.memory.answers(len(w.byInput)))
}

// release commits and closes tasks. If the commit fails, it closes all tasks of the worker. A worker without a producer has
// nothing to commit: the tasks that it has adopted since the failure have not processed anything. It runs as a job of the
// inbox.
func (w *worker) release(assignments []*assignment) {
	if !slices.ContainsFunc(w.tasks, func(t *running) bool { return slices.Contains(assignments, t.assignment) }) {
		return
	}
	if w.broken != nil {
		w.closeTasks(assignments)
		return
	}
	err := w.commit()
	if w.call.abandoned() {
		return
	}
	if err != nil {
		w.fail(err)
		w.unreported = slices.DeleteFunc(w.unreported, func(a *assignment) bool { return slices.Contains(assignments, a) })
		return
	}
	w.closeTasks(assignments)
}

// closeTasks closes the tasks of assignments.
func (w *worker) closeTasks(assignments []*assignment) {
	w.tasks = slices.DeleteFunc(w.tasks, func(t *running) bool {
		if !slices.Contains(assignments, t.assignment) {
			return false
		}
		w.closeTask(t)
		return true
	})
	if len(w.tasks) == 0 {
		w.closeFeed()
	} else {
		w.feed.fetcher.SetLimits(w.r.memory.answers(len(w.byInput)))
	}
}

// drop closes all tasks without a commit, because other processes may already own them. It runs as a job of the inbox.
func (w *worker) drop() {
	w.noteAbort()
	w.closeAll()
	w.unreported = nil
	w.lost.Store(false)
	if w.producer == nil {
		return
	}
	err := errLost // without transactions, only closing the producer discards the records that are not sent yet
	if !w.r.cfg.AtLeastOnce {
		err = w.producer.Abort(w.ctx)
	}
	if err != nil {
		w.broken = recoverable(err)
		w.closeProducer()
	}
}

// errLost is the error of a worker without transactions that replaces its producer because its tasks were lost.
var errLost = errors.New("the tasks were assigned to other processes")

// closeAll closes all tasks and adds them to unreported.
func (w *worker) closeAll() {
	for _, t := range w.tasks {
		w.unreported = append(w.unreported, t.assignment)
		w.closeTask(t)
	}
	w.tasks = nil
	w.dirty = false
	w.closeFeed()
}

func (w *worker) closeTask(t *running) {
	for _, tp := range t.inputs {
		delete(w.byInput, tp)
		if w.feed != nil {
			w.feed.fetcher.Remove(tp)
		}
	}
	t.close(w.r.log)
}

func (w *worker) closeProducer() {
	if w.producer == nil {
		return
	}
	if err := w.producer.Close(); err != nil {
		w.r.log.Debug("close producer", "worker", w.id, "error", err)
	}
	w.producer = nil
}

func (w *worker) closeFeed() {
	if w.feed != nil {
		w.feed.close()
		w.feed = nil
	}
}
