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

// worker runs tasks in one goroutine. It owns its tasks, their producer and their fetcher, and commits all tasks together.
// Other goroutines send it jobs through its inbox.
type worker struct {
	r       *runner
	id      int
	member  *kafka.Membership
	ctx     context.Context // of its requests to the cluster; ends after the last commit
	inbox   *mailbox
	answers *mailbox      // of calls to the outside
	report  func(failure) // reports to the supervisor; does not block
	stopped chan struct{} // closed when the goroutine has ended

	call      call                           // the current call of user code
	goroutine atomic.Pointer[string]         // the number of its goroutine, for stack traces
	sending   atomic.Pointer[kafka.Producer] // same as producer, readable by other goroutines
	idle      atomic.Bool                    // it is waiting and has nothing to commit
	lost      atomic.Bool                    // the group has removed the process: do not commit
	meter     workerMeter

	// Owned by the supervisor.
	given    map[*assignment]*running // the tasks that the worker has or will adopt
	requests []*request               // queued and current jobs that the supervisor waits for

	returned func() // set when the worker is abandoned; called when its call has returned

	// Owned by the goroutine of run, or by the supervisor after it has abandoned the worker; see custody.
	tasks       []*running
	adopted     int64 // how many tasks it has adopted so far
	byInput     map[kafka.TopicPartition]*running
	producer    *kafka.Producer
	feed        *feed
	committed   time.Time // when the last commit began
	dirty       bool
	broken      error         // why there is no producer; nil if there is one
	brokenSince time.Time     // since when there is no producer
	unreported  []*assignment // closed after a failure and not yet reported
	attempt     int
	retryAt     time.Time
	stopping    bool
	turn        int  // index of the task whose turn is next
	requested   bool // a step has asked for a commit
	commitEach  bool // set after a failure until the next commit: commit after each record

	turnOver  atomic.Bool // the current turn must end
	turnTimer *time.Timer // sets turnOver
}

const (
	// turnSize is how many records a task may process in its turn.
	turnSize = 512

	// minTurn is how long a turn may take even if the next commit is due.
	minTurn = time.Millisecond

	// maxTurn limits a turn if the commit interval is long. So a turn that takes much longer must contain a slow call.
	maxTurn = time.Second
)

// connect makes the worker's producer. With transactions, that aborts one that an earlier process has left open.
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
	return recoverable(err)
}

// run processes records and jobs until stop is called or the worker is abandoned.
func (w *worker) run() {
	defer close(w.stopped)
	w.goroutine.Store(goroutineID())
	w.turnTimer = time.AfterFunc(time.Hour, func() { w.turnOver.Store(true) })
	defer w.turnTimer.Stop()
	for !w.stopping && !w.call.abandoned() {
		if job := w.inbox.take(); job != nil {
			job()
			continue
		}
		if w.broken != nil {
			w.reconnect()
			continue
		}
		w.takeAnswers()
		worked, err := w.pass(time.Now())
		w.noteDirty()
		if err == nil && w.due(time.Now()) {
			err = w.commit()
		}
		switch {
		case w.call.abandoned(): // the supervisor owns the worker's tasks now
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

// stop ends the goroutine. It runs as a job of the inbox.
func (w *worker) stop() {
	w.stopping = true
	w.closeFeed()
	w.closeProducer()
}

// pass gives every task a turn and fires due wall-clock timers. It ends early when a commit is due or the inbox has a job;
// then the next pass begins with the next task.
func (w *worker) pass(now time.Time) (worked bool, err error) {
	if w.r.pausing.on.Load() {
		return false, nil
	}
	until := w.nextDue(now)
	for range w.tasks {
		if w.inbox.waiting.Load() > 0 || w.r.pausing.on.Load() || worked && (w.commitEach || w.requested || !now.Before(until)) {
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
			w.dirty, t.unpublished = true, true
			err := w.call.run(t, func() error { return t.task.Tick(now) })
			w.requested = w.requested || t.task.CommitRequested()
			if err = t.after(err, now); err != nil {
				return worked, err
			}
		}
	}
	return worked, nil
}

// step runs a task's turn: it processes up to turnSize records for about limit.
func (w *worker) step(t *running, limit time.Duration) (n int, err error) {
	size := turnSize
	if w.commitEach {
		size = 1
	}
	w.turnOver.Store(false)
	w.turnTimer.Reset(min(limit, maxTurn, w.r.cfg.MaxProcessing/4))
	err = w.call.run(t, func() (err error) {
		n, err = t.task.Step(size, func() bool { return w.interrupted() || t.task.CommitRequested() })
		return err
	})
	if errors.Is(err, errAbandoned) {
		return 0, err
	}
	if n > 0 {
		w.dirty = true
		w.requested = w.requested || t.task.CommitRequested()
		t.noteOldest()
		w.resume(t)
	}
	return n, err
}

// interrupted reports whether the turn must end. It is called after each record.
func (w *worker) interrupted() bool {
	return w.turnOver.Load() || w.inbox.waiting.Load() > 0 || w.r.pausing.on.Load()
}

// after handles the error of a task's turn. It returns errors that the worker must handle.
func (t *running) after(err error, now time.Time) error {
	var retry *task.RetryError
	switch {
	case errors.As(err, &retry):
		t.retryAt = now.Add(retry.After)
		return nil
	case errors.Is(err, task.ErrStopped):
		t.stopped = true // it will be released soon
		return nil
	}
	return t.markDamaged(err)
}

// markDamaged marks the task's database as damaged if err says so, and makes the error recoverable: the task will be
// reopened and its state restored. It returns other errors unchanged.
func (t *running) markDamaged(err error) error {
	if !errors.Is(err, state.ErrDamaged) {
		return err
	}
	t.damaged.Store(true)
	return recoverable(err)
}

// take receives fetched records if there are any. It does not wait.
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

// wait waits until there is something to do.
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
	case <-w.answers.wake:
	case fs := <-fetched:
		w.receive(fs)
	case <-wake.C:
	case <-resumed:
	}
}

// wakeAt returns when the next commit, retry or timer is due. During a pause only commits count.
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

// nextDue returns when the next commit or timer is due. If nothing is to be committed yet, it assumes that a change is made
// now.
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
