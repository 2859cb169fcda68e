package runner

import (
	"context"
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/state"
)

// worker is a goroutine that runs tasks: it owns them, their producer and their fetcher, and all of them commit
// together. Others reach it through its inbox.
type worker struct {
	r       *runner
	id      int
	member  *kafka.Membership
	ctx     context.Context // of its requests; ends only after the last commit
	inbox   *mailbox
	report  func(failure) // to the supervisor; does not wait
	stopped chan struct{} // closed when the goroutine has ended

	call      call                           // the user code that it runs
	goroutine atomic.Pointer[string]         // its number, for stack traces
	sending   atomic.Pointer[kafka.Producer] // producer, for others
	idle      atomic.Bool                    // it waits, and there is nothing to commit
	lost      atomic.Bool                    // the group has given up its tasks: commit nothing
	meter     workerMeter

	// Owned by the supervisor.
	given map[*unit]*running // the tasks that the worker has or is about to adopt
	asked []*request         // jobs in the inbox, or under way, that the supervisor waits for

	returned func() // set when the worker is abandoned: called when the call has returned

	// Owned by the goroutine of run. The supervisor takes it over from a worker that it abandons; see custody.
	tasks     []*running
	adopted   int64 // how many tasks it has ever had
	byInput   map[kafka.TopicPartition]*running
	producer  *kafka.Producer
	feed      *feed
	committed time.Time // when the last commit began
	dirty     bool
	broken    error     // why there is no producer
	since     time.Time // when it broke
	dropped   []*unit   // closed and not reported yet
	attempt   int
	retryAt   time.Time
	stopping  bool
	turn      int  // the index in tasks of the one whose turn is next
	careful   bool // something failed since the last commit: commit after each record

	bell  atomic.Bool // the turn has taken long enough
	alarm *time.Timer // sets bell
}

const (
	// turnSize is how many records a task may process in its turn.
	turnSize = 512

	// minTurn is how long a turn may take even if the next commit is due.
	minTurn = time.Millisecond

	// maxTurn is how long a turn may take however long the commit interval is: a turn that takes much longer is one call
	// that takes long.
	maxTurn = time.Second
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
	w.sending.Store(w.producer)
	return cluster(err)
}

// run works until stop, or until it is abandoned.
func (w *worker) run() {
	defer close(w.stopped)
	w.goroutine.Store(goroutineID())
	w.alarm = time.AfterFunc(time.Hour, func() { w.bell.Store(true) })
	defer w.alarm.Stop()
	for !w.stopping && !w.call.abandoned() {
		if job := w.inbox.take(); job != nil {
			job()
			continue
		}
		if w.broken != nil {
			w.reconnect()
			continue
		}
		worked, err := w.pass(time.Now())
		w.noteDirty()
		if err == nil && w.due(time.Now()) {
			err = w.commit()
		}
		switch {
		case w.call.abandoned(): // what it had is the supervisor's now
		case err != nil:
			w.fail(err)
		case worked:
			w.take()
		default:
			w.wait()
		}
	}
	if w.call.abandoned() {
		w.returned()
	}
}

// stop ends the goroutine. A job of the inbox.
func (w *worker) stop() {
	w.stopping = true
	w.closeFeed()
	w.closeProducer()
}

// pass gives every task a turn and fires wall-clock timers that are due. It ends early when a commit is due or the
// inbox has something; the next pass begins with the task after the last that had a turn.
func (w *worker) pass(now time.Time) (worked bool, err error) {
	if w.r.pausing.on.Load() {
		return false, nil
	}
	until := w.nextDue(now)
	for range w.tasks {
		if w.inbox.waiting.Load() > 0 || w.r.pausing.on.Load() || worked && (w.careful || !now.Before(until)) {
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
			began := now
			now = time.Now()
			w.r.meters.turns.Observe(now.Sub(began).Seconds())
			if err = t.after(err, now); err != nil {
				return worked, err
			}
		}
		if at, ok := t.task.NextTick(); ok && !now.Before(at) && !t.stopped {
			w.dirty, t.news = true, true
			err := w.call.run(t, func() error { return t.task.Tick(now) })
			if err = t.after(err, now); err != nil {
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
	w.alarm.Reset(min(limit, maxTurn, w.r.cfg.MaxProcessing/4))
	err = w.call.run(t, func() (err error) {
		n, err = t.task.Step(size, w.interrupted)
		return err
	})
	if errors.Is(err, errAbandoned) {
		return 0, err
	}
	if n > 0 {
		w.dirty = true
		t.noteOldest()
		w.resume(t)
	}
	return n, err
}

// interrupted reports whether the turn must end after the record in hand. It is asked after each.
func (w *worker) interrupted() bool {
	return w.bell.Load() || w.inbox.waiting.Load() > 0 || w.r.pausing.on.Load()
}

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
	w.idle.Store(!w.dirty)
	defer w.idle.Store(false)
	resumed := w.r.pausing.end()
	wake := time.NewTimer(time.Until(w.wakeAt(resumed != nil)))
	defer wake.Stop()
	var fetched <-chan []kafka.Fetched
	if w.feed != nil {
		fetched = w.feed.fetched
	}
	select {
	case <-w.inbox.wake:
	case fs := <-fetched:
		w.receive(fs)
	case <-wake.C:
	case <-resumed:
	}
}

// wakeAt returns when the next commit, retry or timer is due. During a pause only commits are.
func (w *worker) wakeAt(paused bool) time.Time {
	at := time.Now().Add(time.Minute)
	if !paused {
		at = w.nextTimer(at)
	}
	if commit := w.commitAt(); w.dirty && commit.Before(at) {
		at = commit
	}
	for _, t := range w.tasks {
		if !paused && t.task.Ready() && !t.stopped && t.retryAt.Before(at) {
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
