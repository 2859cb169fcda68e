package task

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// calls are the calls of one step to the outside that are not yet done.
type calls struct {
	task    *Task
	node    *plan.Node
	queue   []*Call // in the order of their records; those whose results have left are removed
	running int
	waiting int // calls that have not been started: another one of their key is running, or too many are
}

// maxUndone limits the calls of a step whose results have not left, as a multiple of Async.InFlight: one slow call holds
// back the results of those after it.
const maxUndone = 8

// Call is a call of a step to the outside. The owner of the task makes it, see Config.Call.
type Call struct {
	call  plan.Call
	calls *calls
	work  work   // the unit of work that the result will be
	id    string // see processor.CallID
	state callState
	after time.Duration
	answer
}

type callState uint8

const (
	waiting callState = iota
	running
	answered
)

// Answer is the result of a call.
type Answer struct{ answer }

type answer struct {
	leave func() error // passes the result to the next steps
	err   error
}

// Failed returns the answer of a call that has failed.
func Failed(err error) Answer { return Answer{answer{err: err}} }

// Run makes the call and returns its answer. Any goroutine may call it. ctx should end after Timeout.
func (c *Call) Run(ctx context.Context) (a Answer) {
	defer plan.Recover(&a.err)
	a.leave, a.err = c.call.Run(processor.WithCallID(ctx, c.id))
	return a
}

// Parse returns the answer of a call whose result is given as text.
func (c *Call) Parse(text string) (Answer, error) {
	leave, err := c.call.Parse(text)
	return Answer{answer{leave: leave}}, err
}

// Timeout returns how long the call may take.
func (c *Call) Timeout() time.Duration { return c.calls.node.Async.Timeout }

// After returns how long to wait before the call is made: it is a retry.
func (c *Call) After() time.Duration { return c.after }

// Step returns the step that calls.
func (c *Call) Step() *plan.Node { return c.calls.node }

// Key returns the encoded key of the record; nil if it has none.
func (c *Call) Key() []byte {
	if !c.call.HasKey {
		return nil
	}
	return []byte(c.call.Key)
}

// Calls implements plan.Host. A call that add adds starts when the current work has succeeded.
func (t *Task) Calls(n *plan.Node) (add func(plan.Call)) {
	cs := &calls{task: t, node: n}
	t.calls = append(t.calls, cs)
	return func(call plan.Call) {
		c := &Call{call: call, calls: cs, work: t.current}
		c.work.attempts, c.work.failuresByBorder = 0, nil
		c.id = t.callID(cs)
		c.work.call = c.id
		if call.Run == nil {
			c.state, c.leave = answered, call.Leave
		}
		t.outputs.calls = append(t.outputs.calls, c)
	}
}

// callID returns the id of the next call of a step. It is the same when the record is processed again.
func (t *Task) callID(cs *calls) string {
	id := t.current.call
	switch at := t.current.at(); {
	case id != "":
	case t.current.timer != nil:
		id = fmt.Sprintf("%s/%s/%s/%d", t.cfg.Names.Application, t.Name(), t.current.timer.step, t.current.time)
	default:
		id = fmt.Sprintf("%s/%s/%d/%d", t.cfg.Names.Application, at.Topic, at.Partition, at.Offset)
	}
	id += "/" + cs.node.Name
	before := 0
	for _, c := range t.outputs.calls {
		if c.calls == cs {
			before++
		}
	}
	if before > 0 {
		id += "#" + strconv.Itoa(before)
	}
	return id
}

// addCalls queues the calls of the work that has succeeded, and starts what can run.
func (t *Task) addCalls() {
	for _, c := range t.outputs.calls {
		c.calls.queue = append(c.calls.queue, c)
		if c.state == waiting {
			c.calls.waiting++
		}
	}
	clear(t.outputs.calls)
	t.outputs.calls = t.outputs.calls[:0]
	for _, cs := range t.calls {
		cs.start()
	}
}

// start starts the waiting calls that may run: the first of each key, up to Async.InFlight at once.
func (cs *calls) start() {
	if cs.waiting == 0 || cs.running >= cs.node.Async.InFlight {
		return
	}
	busy := map[string]bool{}
	for _, c := range slices.Clone(cs.queue) { // an owner that answers at once changes the queue
		if c.state == waiting && cs.running < cs.node.Async.InFlight && !(c.call.HasKey && busy[c.call.Key]) {
			c.state = running
			cs.waiting--
			cs.running++
			cs.task.cfg.Call(c)
		}
		if c.call.HasKey && c.state != answered {
			busy[c.call.Key] = true
		}
	}
}

// Answered must be called by the owner when a call that Config.Call has got is done. If it has failed and the policy has
// retries left, the call is made again.
func (t *Task) Answered(c *Call, a Answer) {
	if t.phase == closed || t.phase == broken || c.state != running {
		return
	}
	cs := c.calls
	cs.running--
	c.state, c.answer = answered, a.answer
	if a.err == nil {
		c.work.attempts = 0 // from now on those of the next steps
	} else if policy := t.policyOf(processor.Process, cs.node); t.cfg.Context.Err() == nil && c.work.attempts < policy.Retries {
		c.work.attempts++
		c.after = policy.After(c.work.attempts)
		t.as(c, func() error {
			t.cfg.Failed(t.failure(processor.Process, label(cs.node), plan.At(cs.node, a.err)), Retried)
			return nil
		})
		c.state = waiting
		cs.waiting++
	}
	cs.start()
}

// Calling reports whether there are calls whose results have not left. They must leave before a commit: see Settle.
func (t *Task) Calling() bool {
	return slices.ContainsFunc(t.calls, func(cs *calls) bool { return len(cs.queue) > 0 })
}

// Settle processes the results of calls that are done, and takes no record from the inputs.
func (t *Task) Settle() error {
	if err := t.enter("Settle", processing, restoring, processing); err != nil {
		return err
	}
	for {
		c := t.nextAnswer()
		if c == nil {
			return nil
		}
		if err := t.finish(c); err != nil {
			return err
		}
	}
}

// full reports whether a step calls so much that the task must not take more records.
func (t *Task) full() bool {
	return slices.ContainsFunc(t.calls, func(cs *calls) bool {
		limit := cs.node.Async.InFlight
		return cs.waiting > 0 || cs.running >= limit || len(cs.queue) >= maxUndone*limit
	})
}

// nextAnswer returns the next call whose result can leave, or nil.
func (t *Task) nextAnswer() *Call {
	for _, cs := range t.calls {
		for i, c := range cs.queue {
			if c.state == answered && (!c.call.HasKey || !cs.before(i, c.call.Key)) {
				return c
			}
			if !cs.node.Async.AnyOrder {
				break
			}
		}
	}
	return nil
}

// before reports whether one of the first i calls has a key.
func (cs *calls) before(i int, key string) bool {
	return slices.ContainsFunc(cs.queue[:i], func(c *Call) bool { return c.call.HasKey && c.call.Key == key })
}

// finish processes the result of a call as a unit of work of its own, or applies the policy if the call has failed.
func (t *Task) finish(c *Call) error {
	err := t.as(c, func() error {
		err := c.err
		if err == nil {
			if err = t.attempt(c.leave); err == nil {
				return t.succeeded()
			}
		} else {
			t.step = c.calls.node
			err = plan.At(t.step, err)
		}
		return t.failed(processor.Process, c.calls.node, t.stepLabel(err), err)
	})
	var retry *RetryError
	if err != nil && !errors.As(err, &retry) {
		t.phase = broken // what was done before the call must not be committed without its result
	}
	if err != nil {
		return err
	}
	i := slices.Index(c.calls.queue, c)
	c.calls.queue = slices.Delete(c.calls.queue, i, i+1)
	return nil
}

// as runs f with the work of a call as the current work.
func (t *Task) as(c *Call, f func() error) error {
	before := t.current
	t.current = c.work
	err := f()
	c.work, t.current = t.current, before
	return err
}
