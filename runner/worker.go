package runner

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
)

// worker is a goroutine that runs tasks: it owns them, their producer and their fetcher, and all of them commit
// together. Others reach it through do.
type worker struct {
	r        *runner
	id       int
	member   *kafka.Membership
	inbox    chan func()
	stopped  chan struct{}
	failures chan<- failure
	ctx      context.Context // of its requests; ends only after the last commit

	lastCommit atomic.Int64 // Unix nanoseconds of the last that succeeded; read by the supervisor

	// Owned by the goroutine of run.
	tasks     []*running
	byInput   map[kafka.TopicPartition]*running
	producer  *kafka.Producer
	feed      *feed
	committed time.Time // when the last commit began
	dirty     bool
	broken    error // why there is no producer
	dropped   []*unit
	attempt   int
	retryAt   time.Time
	stopping  bool
}

// failure is what a worker reports when it had to let go of its tasks.
type failure struct {
	worker *worker
	err    error
	units  []*unit
}

const (
	// stepSize is how many records a task takes before the worker looks up.
	stepSize = 512

	// maxBuffered is how many fetched records of a partition may wait; above it the fetch pauses.
	maxBuffered = 1 << 14

	// maxDirty is how many bytes of uncommitted state make a worker commit early.
	maxDirty = 32 << 20
)

// connect makes the worker's producer. That also ends what an earlier process here left open.
func (w *worker) connect(ctx context.Context) error {
	cfg := kafka.ProducerConfig{}
	if !w.r.cfg.AtLeastOnce {
		cfg.TransactionalID = w.r.cfg.Application + "-" + w.r.place.processID + "-" + strconv.Itoa(w.id)
		cfg.TransactionTimeout = w.r.cfg.TransactionTimeout
	}
	var err error
	w.producer, err = w.r.client.NewProducer(ctx, cfg)
	return cluster(err)
}

// do runs f in the worker's goroutine and waits for it. After the worker has stopped it does nothing.
func (w *worker) do(f func()) {
	done := make(chan struct{})
	select {
	case w.inbox <- func() { defer close(done); f() }:
		<-done
	case <-w.stopped:
	}
}

// run works until stop.
func (w *worker) run() {
	defer close(w.stopped)
	for !w.stopping {
		select {
		case f := <-w.inbox:
			f()
			continue
		default:
		}
		if w.broken != nil {
			w.mend()
			continue
		}
		worked, err := w.pass(time.Now())
		if err == nil && w.due(time.Now()) {
			err = w.commit()
		}
		switch {
		case err != nil:
			w.fail(err)
		case worked:
			w.take()
		default:
			w.wait()
		}
	}
}

// stop ends the goroutine. Called by do.
func (w *worker) stop() {
	w.stopping = true
	w.closeFeed()
	w.closeProducer()
}

// pass lets every task process some records and fires timers that are due.
func (w *worker) pass(now time.Time) (worked bool, err error) {
	for _, t := range w.tasks {
		if now.Before(t.retryAt) {
			continue
		}
		n, err := t.task.Step(stepSize, nil)
		if n > 0 {
			worked, w.dirty = true, true
			w.resume(t)
		}
		var retry *task.RetryError
		if errors.As(err, &retry) {
			t.retryAt = now.Add(retry.After)
			continue
		}
		if err != nil {
			return worked, err
		}
		if at, ok := t.task.NextTick(); ok && !now.Before(at) {
			if err := t.task.Tick(now); err != nil {
				return worked, err
			}
			w.dirty = true
		}
	}
	return worked, nil
}

// take receives what has been fetched, if anything has.
func (w *worker) take() {
	if w.feed == nil {
		return
	}
	select {
	case fetched := <-w.feed.fetched:
		w.receive(fetched)
	default:
	}
}

// wait sleeps until there is something to do.
func (w *worker) wait() {
	wake := time.NewTimer(time.Until(w.wakeAt()))
	defer wake.Stop()
	var fetched <-chan []kafka.Fetched
	if w.feed != nil {
		fetched = w.feed.fetched
	}
	select {
	case f := <-w.inbox:
		f()
	case fs := <-fetched:
		w.receive(fs)
	case <-wake.C:
	}
}

// wakeAt returns when the next commit, retry or timer is due.
func (w *worker) wakeAt() time.Time {
	at := time.Now().Add(time.Minute)
	earlier := func(t time.Time) {
		if t.Before(at) {
			at = t
		}
	}
	if w.dirty {
		earlier(w.committed.Add(w.r.cfg.CommitInterval))
	}
	for _, t := range w.tasks {
		if tick, ok := t.task.NextTick(); ok {
			earlier(tick)
		}
		if t.task.Ready() {
			earlier(t.retryAt)
		}
	}
	return at
}

// receive hands fetched records to their tasks.
func (w *worker) receive(fetched []kafka.Fetched) {
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
		t.task.Add(f.Topic, raws(f.Records), f.Next, f.Next >= f.LastStable)
		t.ends[tp] = f.LastStable
		w.dirty = true
		if !t.paused[tp] && t.task.Buffered(f.Topic) > maxBuffered {
			t.paused[tp] = true
			w.feed.fetcher.Pause(tp)
		}
	}
}

// resume goes on fetching what was paused and has been worked off.
func (w *worker) resume(t *running) {
	for tp := range t.paused {
		if t.task.Buffered(tp.Topic) < maxBuffered/2 {
			delete(t.paused, tp)
			w.feed.fetcher.Resume(tp)
		}
	}
}

// adopt takes over a restored task. Called by do.
func (w *worker) adopt(t *running) {
	t.out.worker = w
	t.publish(time.Now(), w.r.reports)
	w.tasks = append(w.tasks, t)
	if w.feed == nil {
		w.feed = newFeed(w.r.client)
	}
	for _, tp := range t.inputs {
		w.byInput[tp] = t
		w.feed.fetcher.Add(tp, t.task.Position(tp.Topic))
	}
}

// release commits and lets go of units. If the commit fails, all tasks are let go of. Without a producer there is nothing to
// commit: tasks that came since it was lost have not begun. Called by do.
func (w *worker) release(units []*unit) {
	if !slices.ContainsFunc(w.tasks, func(t *running) bool { return slices.Contains(units, t.unit) }) {
		return
	}
	if w.broken != nil {
		w.letGoOf(units)
		return
	}
	if err := w.commit(); err != nil {
		w.fail(err)
		w.dropped = slices.DeleteFunc(w.dropped, func(u *unit) bool { return slices.Contains(units, u) })
		return
	}
	w.letGoOf(units)
}

// letGoOf closes the tasks of units.
func (w *worker) letGoOf(units []*unit) {
	w.tasks = slices.DeleteFunc(w.tasks, func(t *running) bool {
		if !slices.Contains(units, t.unit) {
			return false
		}
		w.forget(t)
		return true
	})
	w.refetch()
}

// drop lets go of everything and commits nothing: the tasks may be someone else's already. Called by do.
func (w *worker) drop() {
	w.letGo()
	w.dropped = nil
	if w.producer == nil {
		return
	}
	err := errAbandoned // without a transaction, what is not sent yet must not be sent any more
	if !w.r.cfg.AtLeastOnce {
		err = w.producer.Abort(w.ctx)
	}
	if err != nil {
		w.broken = cluster(err)
		w.closeProducer()
	}
}

// errAbandoned is why a worker makes a new producer although nothing failed.
var errAbandoned = errors.New("the tasks were given to others")

// fail is the one road back: let go of all tasks, end the transaction by making a new producer, and report, so that the
// tasks are opened again at their last commit.
func (w *worker) fail(err error) {
	w.r.log.Warn("worker lets go of its tasks", "worker", w.id, "error", err)
	for _, t := range w.tasks {
		t.recovering(err)
	}
	w.letGo()
	w.closeProducer()
	w.broken = err
	w.retryAt = time.Time{}
	if final(err) {
		w.report()
		w.retryAt = time.Now().Add(time.Hour) // the supervisor ends the run
	}
}

// mend makes a new producer, waiting between attempts, and then reports the failure.
func (w *worker) mend() {
	if wait := time.Until(w.retryAt); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case f := <-w.inbox:
			f()
		case <-timer.C:
		}
		return
	}
	if err := w.connect(w.ctx); err != nil {
		w.r.log.Warn("producer cannot start yet", "worker", w.id, "error", err)
		if final(err) {
			w.broken = err
			w.report()
		}
		w.retryAt = time.Now().Add(backoff(w.attempt))
		w.attempt++
		return
	}
	w.attempt = 0
	w.report()
	w.broken = nil
}

func (w *worker) report() {
	f := failure{w, w.broken, w.dropped}
	w.dropped = nil
	go func() { // the supervisor may be waiting for this worker
		select {
		case w.failures <- f:
		case <-w.ctx.Done():
		}
	}()
}

// letGo closes all tasks and remembers them for the report.
func (w *worker) letGo() {
	for _, t := range w.tasks {
		w.dropped = append(w.dropped, t.unit)
		w.forget(t)
	}
	w.tasks = nil
	w.dirty = false
	w.closeFeed()
}

func (w *worker) forget(t *running) {
	for _, tp := range t.inputs {
		delete(w.byInput, tp)
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

// refetch begins a new feed for what is left, so that nothing fetched for a task that has gone can be taken for one
// that comes back.
func (w *worker) refetch() {
	w.closeFeed()
	if len(w.tasks) == 0 {
		return
	}
	w.feed = newFeed(w.r.client)
	for tp, t := range w.byInput {
		clear(t.paused)
		w.feed.fetcher.Add(tp, t.task.Position(tp.Topic))
	}
}

func (w *worker) closeFeed() {
	if w.feed != nil {
		w.feed.close()
		w.feed = nil
	}
}
