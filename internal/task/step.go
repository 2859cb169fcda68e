package task

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// RetryError asks the owner to call Step again after a while: the record in hand failed and its policy has retries
// left. Nothing of it remains in stores or output.
type RetryError struct {
	After time.Duration
	Cause *processor.Error
}

// Error says what will be tried again.
func (e *RetryError) Error() string { return fmt.Sprintf("retry in %v: %v", e.After, e.Cause) }

// Unwrap returns what failed.
func (e *RetryError) Unwrap() error { return e.Cause }

// Step processes up to max records in timestamp order and returns how many it took from the inputs. It stops early
// when the next record cannot be known yet. A *RetryError asks for patience; any other error is the end of the task.
func (t *Task) Step(max int) (int, error) {
	for n := range max {
		in, raw, timestamp, err := t.choose()
		if in == nil {
			return n, nil
		}
		t.current = raw
		t.origin = processor.Origin{Topic: in.topic, Partition: t.cfg.Partition, Offset: raw.Offset}
		t.time = timestamp
		if err == nil {
			err = t.advance(timestamp)
			if err == nil {
				err = t.process(in)
			}
		} else {
			err = t.failed(processor.Decode, "", err)
		}
		t.current = nil
		if err != nil {
			return n, err
		}
		t.stores.Advance(t.streamTime)
		in.done(raw)
		t.attempts = 0
		t.counters.Processed++
	}
	return max, nil
}

// process delivers the decoded head of an input. Whatever it does is done as a whole or not at all.
func (t *Task) process(in *input) error {
	err := t.unit(in.queue.Deliver)
	if err == nil {
		return t.outputs.send(t)
	}
	return t.failed(processor.Process, t.stepLabel(err), err)
}

// unit runs f, and takes back what it did if it fails.
func (t *Task) unit(f func() error) error {
	t.stores.Begin()
	t.outputs.reset()
	err := t.guard(f)
	if err != nil {
		t.stores.Undo()
		t.outputs.reset()
	}
	return err
}

// guard turns a panic of user code into an error.
func (t *Task) guard(f func() error) (err error) {
	defer t.recover(&err)
	return f()
}

// recover is deferred where user code runs.
func (t *Task) recover(err *error) {
	if r := recover(); r != nil {
		*err = fmt.Errorf("panic: %v\n%s", r, debug.Stack())
	}
}

// stepLabel names the step that an error came from.
func (t *Task) stepLabel(err error) string {
	node := t.step
	var step *plan.StepError
	if errors.As(err, &step) {
		node = step.Node
	}
	if node == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s)", node.Label(), node.Where)
}

// failed applies the policy of a stage to the record in hand. nil means: go on behind it.
func (t *Task) failed(stage processor.Stage, step string, cause error) error {
	var final *processor.Error
	if errors.As(cause, &final) {
		return cause // the produce stage has spoken
	}
	var broken *state.Error
	if errors.As(cause, &broken) {
		return t.wrap(cause) // the disk's fault, not the record's
	}
	failure := t.failure(stage, step, cause)
	policy := t.cfg.Policies.Of(stage)
	if t.attempts < policy.Retries {
		backoff := policy.Backoff
		if backoff == 0 {
			backoff = 100 * time.Millisecond
		}
		t.attempts++
		t.cfg.Failed(failure, Retried)
		return &RetryError{After: backoff << min(t.attempts-1, 20), Cause: failure}
	}
	if policy.Action == processor.Fail {
		return failure
	}
	return t.leaveOut(failure)
}

// failure says what happened to the record in hand.
func (t *Task) failure(stage processor.Stage, step string, cause error) *processor.Error {
	return &processor.Error{Stage: stage, Origin: t.origin, Step: step, Err: cause}
}

// leaveOut goes on without a record, or without one of its results, as the policy says: it is counted, told, and kept as a
// dead letter if that is wanted. A timer has no record that could be kept.
func (t *Task) leaveOut(failure *processor.Error) error {
	if t.cfg.Policies.Of(failure.Stage).Action == processor.DeadLetter && t.current != nil {
		if err := t.cfg.Output.Send(t.deadLetter(failure)); err != nil {
			return t.wrap(fmt.Errorf("write a dead letter: %w", err))
		}
		t.counters.DeadLettered[failure.Stage]++
		t.cfg.Failed(failure, DeadLettered)
		return nil
	}
	t.counters.Skipped[failure.Stage]++
	t.cfg.Failed(failure, Skipped)
	return nil
}
