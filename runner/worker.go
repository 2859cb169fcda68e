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
	"github.com/rio-streams/rio/state"
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
	adopted   int64 // how many tasks it has ever had
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
	turn      int  // the index in tasks of the one whose turn is next
	careful   bool // something failed since the last commit: commit after each record

	// What ends a task's turn after the record in hand.
	waiting atomic.Int32 // callers of do
	bell    atomic.Bool  // the turn has taken long enough
	alarm   *time.Timer  // sets bell
}

// failure is what a worker reports when it had to close its tasks.
type failure struct {
	worker *worker
	err    error
	units  []*unit
}

const (
	// turnSize is how many records a task may process in its turn.
	turnSize = 512

	// minTurn is how long a turn may take even if the next commit is due.
	minTurn = time.Millisecond
)

// connect makes the worker's producer. That also ends what an earlier process here left open.
func (w *worker) connect(ctx context.Context) error {
	cfg := kafka.ProducerConfig{}
	w.r.memory.producer(&cfg)
	if !w.r.cfg.AtLeastOnce {
		cfg.TransactionalID = w.r.cfg.Application + "-" + w.r.place.processID + "-" + strconv.Itoa(w.id)
		cfg.TransactionTimeout = w.r.cfg.TransactionTimeout
	}
	var err error
	w.producer, err = w.r.client.NewProducer(ctx, cfg)
	return cluster(err)
}

// do runs f in the worker's goroutine, after the record in hand, and waits for it. After the worker has stopped it does
// nothing.
func (w *worker) do(f func()) {
	w.waiting.Add(1)
	defer w.waiting.Add(-1)
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
	w.alarm = time.AfterFunc(time.Hour, func() { w.bell.Store(true) })
	defer w.alarm.Stop()
	for !w.stopping {
		select {
		case f := <-w.inbox:
			f()
			continue
		default:
		}
		if w.broken != nil {
			w.reconnect()
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

// pass gives every task a turn and fires wall-clock timers that are due. It ends early when a commit is due or a caller of
// do waits; the next pass begins with the task after the last that had a turn.
func (w *worker) pass(now time.Time) (worked bool, err error) {
	until := w.nextDue(now)
	for range w.tasks {
		if w.waiting.Load() > 0 || worked && (w.careful || !now.Before(until)) {
			return worked, nil
		}
		w.turn %= len(w.tasks)
		t := w.tasks[w.turn]
		w.turn++
		if t.stopped {
			continue
		}
		if !now.Before(t.retryAt) && t.task.Ready() {
			n, err := w.step(t, max(until.Sub(now)/time.Duration(len(w.tasks)), minTurn))
			worked = worked || n > 0
			now = time.Now()
			if err = t.after(err, now); err != nil {
				return worked, err
			}
		}
		if at, ok := t.task.NextTick(); ok && !now.Before(at) && !t.stopped {
			w.dirty = true
			if err := t.after(t.task.Tick(now), now); err != nil {
				return worked, err
			}
		}
	}
	return worked, nil
}

// step is a task's turn: it processes records for about as long as limit.
func (w *worker) step(t *running, limit time.Duration) (n int, err error) {
	size := turnSize
	if w.careful {
		size = 1
	}
	w.bell.Store(false)
	w.alarm.Reset(limit)
	n, err = t.task.Step(size, w.interrupted)
	if n > 0 {
		w.dirty = true
		w.resume(t)
	}
	return n, err
}

// interrupted reports whether the turn must end after the record in hand. It is asked after each.
func (w *worker) interrupted() bool { return w.bell.Load() || w.waiting.Load() > 0 }

// after takes what came of a task's turn. It returns the errors that are not the task's own to deal with.
func (t *running) after(err error, now time.Time) error {
	var retry *task.RetryError
	switch {
	case errors.As(err, &retry):
		t.retryAt = now.Add(retry.After)
		return nil
	case errors.Is(err, task.ErrStopped):
		t.stopped = true // it is about to be released
		return nil
	}
	return t.mendable(err)
}

// mendable notes that the task's database is damaged. Then the error does not end the run: the task is opened again, and
// restored.
func (t *running) mendable(err error) error {
	if !errors.Is(err, state.ErrDamaged) {
		return err
	}
	t.damaged.Store(true)
	return cluster(err)
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
	at := w.nextTimer(time.Now().Add(time.Minute))
	if commit := w.commitAt(); w.dirty && commit.Before(at) {
		at = commit
	}
	for _, t := range w.tasks {
		if t.task.Ready() && !t.stopped && t.retryAt.Before(at) {
			at = t.retryAt
		}
	}
	return at
}

// nextDue returns when the next commit or timer is due, if there is anything to commit.
func (w *worker) nextDue(now time.Time) time.Time {
	at := w.commitAt()
	if !w.dirty {
		at = now.Add(w.commitInterval())
	}
	return w.nextTimer(at)
}

// nextTimer returns when the next wall-clock timer is due, or at if that is earlier.
func (w *worker) nextTimer(at time.Time) time.Time {
	for _, t := range w.tasks {
		if tick, ok := t.task.NextTick(); ok && !t.stopped && tick.Before(at) {
			at = tick
		}
	}
	return at
}

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
		w.buffer(t, &f, answer)
		t.ends[tp] = f.LastStable
		w.dirty = true
	}
}

// adopt takes over a restored task. Called by do.
func (w *worker) adopt(t *running) {
	t.out.worker, t.out.id = w, w.adopted
	w.adopted++
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
// nothing to commit: tasks that came since it was lost have not begun. Called by do.
func (w *worker) release(units []*unit) {
	if !slices.ContainsFunc(w.tasks, func(t *running) bool { return slices.Contains(units, t.unit) }) {
		return
	}
	if w.broken != nil {
		w.closeTasks(units)
		return
	}
	if err := w.commit(); err != nil {
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
	w.refetch()
}

// drop closes all tasks and commits nothing: they may be someone else's already. Called by do.
func (w *worker) drop() {
	w.closeAll()
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

// fail is the recovery path: close all tasks, end the transaction by making a new producer, and report, so that the tasks
// are opened again at their last commit.
func (w *worker) fail(err error) {
	w.r.log.Warn("closing tasks after a failure", "worker", w.id, "error", err)
	for _, t := range w.tasks {
		t.recovering(err)
	}
	w.closeAll()
	w.closeProducer()
	w.broken = err
	w.retryAt = time.Time{}
	w.careful = true
	if final(err) {
		w.report()
		w.retryAt = time.Now().Add(time.Hour) // the supervisor ends the run
	}
}

// reconnect makes a new producer, waiting between attempts, and then reports the failure.
func (w *worker) reconnect() {
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
	w.feed = newFeed(w.r.client, w.r.memory)
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
