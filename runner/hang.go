package runner

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"
)

// A worker's goroutine runs user code: handlers, timers, codecs. While it does, nobody can stop it, and what belongs to
// the task in its hands stays there. All else that the worker has can be taken from it: that is what custody is for.
//
//	own ──enter──▶ calling ──leave──▶ own
//	                  └────abandon───▶ abandoned
//
// The worker's goroutine makes the changes above, the supervisor the one below, each by an atomic exchange. Once it is
// abandoned, the supervisor owns the worker's feed, producer and tasks, all but the task of the call. When the call
// returns, the goroutine sees that, closes this task, says so, and ends.
type custody int32

const (
	own       custody = iota // the goroutine runs the runner's code
	calling                  // it runs user code of one task
	abandoned                // it did so for too long
)

// custodian holds the custody of a worker, with a number that is another for each call: a call that has just begun must
// not be taken for the one before it.
type custodian uint64

func (c custodian) of(state custody) bool { return custody(c&3) == state }

// call says which user code a worker runs. All may read it.
type call struct {
	custody atomic.Uint64 // a custodian
	task    atomic.Pointer[running]
	since   atomic.Int64 // nanoseconds on the runner's clock, see clock
}

// clock is the time since the program started. It stands still while the machine sleeps, where the system has such a
// clock: what did not run has not hung.
func clock() time.Duration { return time.Since(programStart) }

var programStart = time.Now()

// enter notes that user code of t runs next.
func (c *call) enter(t *running) {
	c.task.Store(t)
	c.since.Store(int64(clock()))
	c.custody.Store(c.custody.Load() + 4 + uint64(calling)) // nobody else changes it from own
}

// leave notes that the user code has returned. It returns errAbandoned if that was too late.
func (c *call) leave() error {
	now := c.custody.Load()
	if custodian(now).of(calling) && c.custody.CompareAndSwap(now, now-uint64(calling)) {
		return nil
	}
	return errAbandoned
}

// run runs user code of t and returns its error, or errAbandoned if it took too long.
func (c *call) run(t *running, code func() error) error {
	c.enter(t)
	err := code()
	if abandoned := c.leave(); abandoned != nil {
		return abandoned
	}
	return err
}

// abandon takes over all that the worker has but the task of the call, if the worker is still in that call.
func (c *call) abandon(in custodian) (*running, bool) {
	if !c.custody.CompareAndSwap(uint64(in), uint64(in)-uint64(calling)+uint64(abandoned)) {
		return nil, false
	}
	return c.task.Load(), true
}

func (c *call) abandoned() bool { return custodian(c.custody.Load()).of(abandoned) }

// errAbandoned ends the goroutine of a worker that was abandoned.
var errAbandoned = errors.New("the worker was abandoned")

// lasting returns for how long the call under way has run, 0 if there is none, and which it is.
func (c *call) lasting() (time.Duration, custodian) {
	in := custodian(c.custody.Load())
	if !in.of(calling) {
		return 0, in
	}
	return clock() - time.Duration(c.since.Load()), in
}

// stuckCall is a call that has not returned and keeps a goroutine, a task and its directory.
type stuckCall struct {
	err      *HungError
	returned chan struct{} // closed when it has, and the task is closed
	began    time.Duration // on the runner's clock
	remind   time.Duration // when the log says it again
}

// watch looks for calls that take too long. The worker of such a call is abandoned: its other tasks move to a new worker,
// and are opened at their last commit. The task of the call is opened again when the call returns.
func (s *supervisor) watch() {
	for i, w := range s.workers {
		lasting, call := w.call.lasting()
		if lasting <= s.cfg.MaxProcessing || w.sending.Load().Waiting() {
			continue
		}
		hung, siblings, ok := s.abandon(w, call)
		if !ok {
			continue
		}
		fresh := s.newWorker(w.id)
		fresh.broken, fresh.since, fresh.dropped, fresh.careful = cluster(hung), time.Now(), siblings, true
		for _, u := range siblings {
			u.worker = fresh
			u.recovering(hung)
		}
		s.workers[i] = fresh
		go fresh.run()
	}
	for _, stuck := range s.stuck {
		if now := clock(); now >= stuck.remind {
			s.log.Error("handler has still not returned", "task", stuck.err.Task, "step", stuck.err.Step, "record", stuck.err.Record,
				"running", (now - stuck.began).Round(time.Second))
			stuck.remind = now + 2*(now-stuck.began) // each time after thrice the time
		}
	}
}

// abandon takes a worker's tasks away from it, but the one whose call is under way, and closes them. It returns the units
// that must be opened again.
func (s *supervisor) abandon(w *worker, in custodian) (hung *HungError, siblings []*unit, ok bool) {
	t, ok := w.call.abandon(in)
	if !ok {
		return nil, nil, false
	}
	hung = w.hungError(t)
	s.log.Error("handler has not returned; its worker is given up", "task", hung.Task, "step", hung.Step, "record", hung.Record,
		"running", hung.For.Round(time.Millisecond), "stack", hung.Stack)
	now := clock()
	stuck := &stuckCall{err: hung, returned: make(chan struct{}), began: now - hung.For, remind: now + 2*hung.For}
	s.stuck[t.name] = stuck
	s.hanging.add(stuck)
	w.returned = func() {
		t.close(s.log)
		close(stuck.returned)
		s.hanging.done(stuck)
		s.inbox.post(func() { s.callReturned(t.unit, stuck) })
	}
	w.bell.Store(true) // the turn ends with the call
	t.cancel()
	t.recovering(hung)
	t.stuck = true
	w.closeFeed()
	w.noteAbort()
	_ = w.producer.Close() // its goroutine may still send to it
	for u, given := range w.given {
		if u == t.unit {
			continue
		}
		given.close(s.log)
		if slices.Contains(s.units, u) {
			siblings = append(siblings, u)
		}
	}
	asked := w.asked
	w.asked = nil
	for _, r := range asked {
		r.done()
	}
	return hung, siblings, true
}

// callReturned opens the task again whose call was given up.
func (s *supervisor) callReturned(u *unit, stuck *stuckCall) {
	if s.stuck[u.name] == stuck {
		delete(s.stuck, u.name)
	}
	s.log.Warn("handler has returned after all", "task", u.name)
	if slices.Contains(s.units, u) && u.stuck {
		u.stuck = false
		u.hangs++
		s.meters.restarts.Add(1, waitHandler)
		s.launch(u, u.hangs)
	}
}

// HungError says that a handler has not returned. See Config.MaxProcessing and Config.StopTimeout.
type HungError struct {
	Task   string        // <sub-topology>_<partition>
	Step   string        // as the plan names it, with the line that declared it
	Record string        // "topic/partition at offset", or "a timer"
	For    time.Duration // how long it had been running
	Stack  string        // of its goroutine
}

// Error says which handler it is, without the stack.
func (e *HungError) Error() string {
	return fmt.Sprintf("task %s: %s has not returned for %v; it handles %s", e.Task, e.Step, e.For.Round(time.Millisecond), e.Record)
}

// hungError describes the call of a worker that was abandoned in it.
func (w *worker) hungError(t *running) *HungError {
	origin, step := t.task.InHand()
	return &HungError{
		Task: t.name, Step: step, Record: from(origin), Stack: stackOf(w.goroutine.Load()),
		For: clock() - time.Duration(w.call.since.Load()),
	}
}

// goroutineID returns the number that stack traces give to the calling goroutine.
func goroutineID() *string {
	var buf [64]byte
	header := buf[:runtime.Stack(buf[:], false)]
	id, _, _ := strings.Cut(strings.TrimPrefix(string(header), "goroutine "), " ")
	return &id
}

// stackOf returns the stack trace of a goroutine by its number.
func stackOf(id *string) string {
	if id == nil {
		return ""
	}
	buf := make([]byte, 1<<20)
	n := runtime.Stack(buf, true)
	for n == len(buf) && n < 64<<20 {
		buf = make([]byte, 2*n)
		n = runtime.Stack(buf, true)
	}
	for trace := range bytes.SplitSeq(buf[:n], []byte("\n\n")) {
		if bytes.HasPrefix(trace, []byte("goroutine "+*id+" ")) {
			return string(trace)
		}
	}
	return ""
}
