package runner

import (
	"errors"
	"slices"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// receive hands fetched records to their tasks.
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
			w.fail(cluster(f.Err))
			return
		}
		var ok bool
		if f.Records, ok = following(&f, t.task.Position(f.Topic)); !ok {
			w.feed.fetcher.Add(tp, t.task.Position(f.Topic))
			continue
		}
		w.buffer(t, &f, answer)
		t.ends[tp] = f.LastStable
		t.news = true
		w.dirty = true
	}
}

// following returns the records of f that follow position. What was fetched for a task that has gone can arrive when the
// partition has come back: some of it is not new then, and if f begins behind position, ok is false.
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

// adopt takes over a restored task. A job of the inbox.
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

// release commits and closes the tasks of units. If the commit fails, all tasks are closed. Without a producer there is
// nothing to commit: tasks that came since it was lost have not begun. A job of the inbox.
func (w *worker) release(units []*unit) {
	if !slices.ContainsFunc(w.tasks, func(t *running) bool { return slices.Contains(units, t.unit) }) {
		return
	}
	if w.broken != nil {
		w.closeTasks(units)
		return
	}
	err := w.commit()
	if w.call.abandoned() {
		return
	}
	if err != nil {
		w.fail(err)
		w.dropped = slices.DeleteFunc(w.dropped, func(u *unit) bool { return slices.Contains(units, u) })
		return
	}
	w.closeTasks(units)
}

// closeTasks closes the tasks of units.
func (w *worker) closeTasks(units []*unit) {
	w.tasks = slices.DeleteFunc(w.tasks, func(t *running) bool {
		if !slices.Contains(units, t.unit) {
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

// drop closes all tasks and commits nothing: they may be someone else's already. A job of the inbox.
func (w *worker) drop() {
	w.noteAbort()
	w.closeAll()
	w.dropped = nil
	w.lost.Store(false)
	if w.producer == nil {
		return
	}
	err := errLost // without a transaction, what is not sent yet must not be sent any more
	if !w.r.cfg.AtLeastOnce {
		err = w.producer.Abort(w.ctx)
	}
	if err != nil {
		w.broken = cluster(err)
		w.closeProducer()
	}
}

// errLost is why a worker without transactions makes a new producer although nothing failed.
var errLost = errors.New("the tasks were given to others")

// closeAll closes all tasks and remembers them for the report.
func (w *worker) closeAll() {
	for _, t := range w.tasks {
		w.dropped = append(w.dropped, t.unit)
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
