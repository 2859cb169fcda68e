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

// custody says who owns a worker's feed, producer and tasks. A worker's goroutine runs user code: handlers, timers, codecs.
// A call of user code cannot be stopped, and its task stays in use until the call returns. The supervisor can take over
// everything else.
//
//	own ──enter──▶ calling ──leave──▶ own
//	                  └────abandon───▶ abandoned
//
// Each transition is one atomic exchange: enter and leave by the worker's goroutine, abandon by the supervisor. After
// abandon, the supervisor owns the worker's feed, its producer and all of its tasks except that of the call. When the call
// returns, the goroutine notices, closes its task, notifies the supervisor, and ends.
type custody int32

const (
	own       custody = iota // the worker runs no user code
	calling                  // the worker runs user code of one task
	abandoned                // a call of user code took too long, and the supervisor has taken over
)

// custodyWord is a custody in its lowest two bits and the number of the call in the others. The number keeps the supervisor
// from abandoning a later call than the one that it has checked.
type custodyWord uint64

func (c custodyWord) of(state custody) bool { return custody(c&3) == state }

// call describes the current call of user code of a worker. Any goroutine may read it.
type call struct {
	custody atomic.Uint64 // a custodyWord
	task    atomic.Pointer[running]
	since   atomic.Int64 // nanoseconds on the runner's clock, see clock
}

// clock returns the time since the program started. On systems that have such a clock it does not advance while the machine
// sleeps, so that a call does not count as hung because of a sleep.
func clock() time.Duration { return time.Since(programStart) }

var programStart = time.Now()

// enter must be called before user code of t.
func (c *call) enter(t *running) {
	c.task.Store(t)
	c.since.Store(int64(clock()))
	c.custody.Store(c.custody.Load() + 4 + uint64(calling)) // no other goroutine changes it in state own
}

// leave must be called after the user code has returned. It returns errAbandoned if the worker was abandoned meanwhile.
func (c *call) leave() error {
	now := c.custody.Load()
	if custodyWord(now).of(calling) && c.custody.CompareAndSwap(now, now-uint64(calling)) {
		return nil
	}
	return errAbandoned
}

// run runs user code of t and returns its error, or errAbandoned if the worker was abandoned meanwhile.
func (c *call) run(t *running, code func() error) error {
	c.enter(t)
	err := code()
	if abandoned := c.leave(); abandoned != nil {
		return abandoned
	}
	return err
}

// abandon changes the custody to abandoned and returns the task of the call, if the worker is still in the call that in
// denotes.
func (c *call) abandon(in custodyWord) (*running, bool) {
	if !c.custody.CompareAndSwap(uint64(in), uint64(in)-uint64(calling)+uint64(abandoned)) {
		return nil, false
	}
	return c.task.Load(), true
}

func (c *call) abandoned() bool { return custodyWord(c.custody.Load()).of(abandoned) }

// errAbandoned ends the goroutine of an abandoned worker.
var errAbandoned = errors.New("the worker was abandoned")

// elapsed returns how long the current call has been running, 0 if there is none, and the custody word that denotes it.
func (c *call) elapsed() (time.Duration, custodyWord) {
	in := custodyWord(c.custody.Load())
	if !in.of(calling) {
		return 0, in
	}
	return clock() - time.Duration(c.since.Load()), in
}

// stuckCall is an abandoned call that has not returned. It keeps a goroutine, a task and the task's directory in use.
type stuckCall struct {
	err      *HungError
	returned chan struct{} // closed when the call has returned and the task is closed
	began    time.Duration // on the runner's clock
	remind   time.Duration // when to log it again, on the runner's clock
}

// watch abandons the workers of calls that exceed Config.MaxProcessing. A new worker takes their other tasks, which are
// reopened at their last commit. The task of the call is reopened when the call returns.
func (s *supervisor) watch() {
	for i, w := range s.workers {
		elapsed, call := w.call.elapsed()
		if elapsed <= s.cfg.MaxProcessing || w.sending.Load().Waiting() {
			continue
		}
		hung, siblings, ok := s.abandon(w, call)
		if !ok {
			continue
		}
		fresh := s.newWorker(w.id)
		fresh.broken, fresh.brokenSince, fresh.unreported, fresh.commitEach = recoverable(hung), time.Now(), siblings, true
		for _, a := range siblings {
			a.worker = fresh
			a.recovering(hung)
		}
		s.workers[i] = fresh
		go fresh.run()
	}
	for _, stuck := range s.stuck {
		if now := clock(); now >= stuck.remind {
			s.log.Error("handler has still not returned", "task", stuck.err.Task, "step", stuck.err.Step, "record", stuck.err.Record,
				"running", (now - stuck.began).Round(time.Second))
			stuck.remind = now + 2*(now-stuck.began) // so each message comes after three times as long
		}
	}
}

// abandon closes the tasks of a worker whose call takes too long, except the task of the call. It returns the assignments
// of the closed tasks, which must be reopened.
func (s *supervisor) abandon(w *worker, in custodyWord) (hung *HungError, siblings []*assignment, ok bool) {
	t, ok := w.call.abandon(in)
	if !ok {
		return nil, nil, false
	}
	hung = w.hungError(t)
	s.log.Error("handler has not returned; replacing its worker", "task", hung.Task, "step", hung.Step, "record", hung.Record,
		"running", hung.For.Round(time.Millisecond), "stack", hung.Stack)
	now := clock()
	stuck := &stuckCall{err: hung, returned: make(chan struct{}), began: now - hung.For, remind: now + 2*hung.For}
	s.stuck[t.name] = stuck
	s.hanging.add(stuck)
	w.returned = func() {
		t.close(s.log)
		close(stuck.returned)
		s.hanging.done(stuck)
		s.inbox.post(func() { s.callReturned(t.assignment, stuck) })
	}
	w.turnOver.Store(true) // the turn ends with the call
	t.cancel()
	t.recovering(hung)
	t.stuck = true
	w.closeFeed()
	w.noteAbort()
	_ = w.producer.Close() // the abandoned goroutine may still send to it
	for a, given := range w.given {
		if a == t.assignment {
			continue
		}
		given.close(s.log)
		if slices.Contains(s.assignments, a) {
			siblings = append(siblings, a)
		}
	}
	asked := w.requests
	w.requests = nil
	for _, r := range asked {
		r.done()
	}
	return hung, siblings, true
}

// callReturned reopens the task of an abandoned call.
func (s *supervisor) callReturned(a *assignment, stuck *stuckCall) {
	if s.stuck[a.name] == stuck {
		delete(s.stuck, a.name)
	}
	s.log.Warn("hung handler has returned", "task", a.name)
	if slices.Contains(s.assignments, a) && a.stuck {
		a.stuck = false
		a.hangs++
		s.meters.restarts.Add(1, waitHandler)
		s.launch(a, a.hangs)
	}
}

// HungError reports a handler that has not returned. See Config.MaxProcessing and Config.StopTimeout.
type HungError struct {
	Task   string        // <sub-topology>_<partition>
	Step   string        // its label in the plan, with the line that declared it
	Record string        // "topic/partition at offset", or "a timer"
	For    time.Duration // how long it had been running
	Stack  string        // of its goroutine
}

// Error names the handler and its record. It omits the stack.
func (e *HungError) Error() string {
	return fmt.Sprintf("task %s: %s has not returned for %v while handling %s", e.Task, e.Step, e.For.Round(time.Millisecond), e.Record)
}

// hungError describes the current call of the worker, which runs user code of t.
func (w *worker) hungError(t *running) *HungError {
	origin, step := t.task.InHand()
	return &HungError{
		Task: t.name, Step: step, Record: from(origin), Stack: stackOf(w.goroutine.Load()),
		For: clock() - time.Duration(w.call.since.Load()),
	}
}

// goroutineID returns the number of the calling goroutine in stack traces.
func goroutineID() *string {
	var buf [64]byte
	header := buf[:runtime.Stack(buf[:], false)]
	id, _, _ := strings.Cut(strings.TrimPrefix(string(header), "goroutine "), " ")
	return &id
}

// stackOf returns the stack trace of the goroutine with the number *id.
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
