package task

import (
	"errors"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// borders tracks the borders that the current work has entered: steps with a policy of their own.
type borders struct {
	entered int
	depth   int // nesting depth
}

// EnterBorder implements plan.Host.
func (t *Task) EnterBorder() plan.Savepoint {
	s := plan.Savepoint{
		Stores: t.stores.Mark(), Records: len(t.outputs.records), Arena: len(t.outputs.arena), Calls: len(t.outputs.calls),
		Timers: len(t.created), Counted: len(t.counted), Number: t.borders.entered,
	}
	t.borders.entered++
	t.borders.depth++
	return s
}

// LeaveBorder implements plan.Host. A retry rolls back the whole record and runs all of its steps again. When no retries are
// left, LeaveBorder rolls back only the border's step and the steps after it.
func (t *Task) LeaveBorder(n *plan.Node, s plan.Savepoint, err error) error {
	t.borders.depth--
	if err == nil {
		t.stores.Release(s.Stores)
		return nil
	}
	var final *processor.Error
	var broken *state.Error
	var host *plan.HostError
	if errors.As(err, &final) || errors.As(err, &broken) || errors.As(err, &host) || t.cfg.Context.Err() != nil {
		return err // not this border's error; everything will be rolled back
	}
	t.stores.UndoTo(s.Stores)
	t.outputs.truncate(s)
	t.created, t.counted = t.created[:s.Timers], t.counted[:s.Counted]
	stage := processor.Process
	var encode *plan.EncodeError
	if errors.As(err, &encode) {
		stage = processor.Produce
	}
	failure := t.failure(stage, t.stepLabel(err), err)
	if t.current.timer == nil && t.current.borderFailures(s.Number) < n.OnError.Retries {
		t.current.failuresByBorder[s.Number]++
		return t.retry(failure, *n.OnError, t.current.failuresByBorder[s.Number])
	}
	if n.OnError.Action == processor.Fail {
		return failure
	}
	t.outputs.addFailure(failure, n.OnError.Action)
	return nil
}

// borderFailures returns how often the work has failed in the border with a number.
func (w *work) borderFailures(number int) int {
	for len(w.failuresByBorder) <= number {
		w.failuresByBorder = append(w.failuresByBorder, 0)
	}
	return w.failuresByBorder[number]
}

// border returns the step with a label, if it has a policy. Its timers use the policy, too.
func (t *Task) border(label string) *plan.Node {
	for _, n := range t.cfg.Subtopology.Nodes {
		if n.OnError != nil && n.Label() == label {
			return n
		}
	}
	return nil
}
