package task

import (
	"errors"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// borders counts the borders that the work in hand has entered: steps with a policy of their own.
type borders struct {
	entered int
	depth   int // how many it is in now
}

// EnterBorder implements plan.Host.
func (t *Task) EnterBorder() plan.Savepoint {
	s := plan.Savepoint{Stores: t.stores.Mark(), Records: len(t.outputs.records), Arena: len(t.outputs.arena), Number: t.borders.entered}
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
	if errors.As(err, &final) || errors.As(err, &broken) || t.cfg.Context.Err() != nil {
		return err // not for this border to decide; everything will be undone
	}
	t.stores.UndoTo(s.Stores)
	t.outputs.truncate(s)
	stage := processor.Process
	var encode *plan.EncodeError
	if errors.As(err, &encode) {
		stage = processor.Produce
	}
	failure := t.failure(stage, t.stepLabel(err), err)
	if t.hand.timer == nil && t.hand.tried(s.Number) < n.OnError.Retries {
		t.hand.tries[s.Number]++
		return t.retry(failure, *n.OnError, t.hand.tries[s.Number])
	}
	if n.OnError.Action == processor.Fail {
		return failure
	}
	t.outputs.leaveOut(failure, n.OnError.Action)
	return nil
}

// tried returns how often the work has failed in the border of a number.
func (w *work) tried(number int) int {
	for len(w.tries) <= number {
		w.tries = append(w.tries, 0)
	}
	return w.tries[number]
}

// border returns the step of a label, if it has a policy: its timers follow it, too.
func (t *Task) border(label string) *plan.Node {
	for _, n := range t.cfg.Subtopology.Nodes {
		if n.OnError != nil && n.Label() == label {
			return n
		}
	}
	return nil
}
