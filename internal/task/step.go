package task

import (
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// RetryError asks the owner to call Step again after a while: the current record failed and its policy has retries
// left. Its effects have been rolled back.
type RetryError struct {
	After time.Duration
	Cause *processor.Error
}

// Error describes the retry.
func (e *RetryError) Error() string { return fmt.Sprintf("retry in %v: %v", e.After, e.Cause) }

// Unwrap returns what failed.
func (e *RetryError) Unwrap() error { return e.Cause }

// ErrStopped: a step failed after Config.Context had ended. The current record's effects have been rolled back and its
// offset has not advanced: it is processed again where the task is opened next.
var ErrStopped = errors.New("stopped")

// Step processes up to limit records in timestamp order, and results of calls to the outside, which come first. It
// returns the number of both. It stops early when a step makes as many calls as it may, when the next record is not known yet, and after any record if yield returns true (nil never does). After a
// *RetryError call it again later; after any other error only Close is allowed.
func (t *Task) Step(limit int, yield func() bool) (int, error) {
	if err := t.enter("Step", processing, restoring, processing); err != nil {
		return 0, err
	}
	for n := range limit {
		if n > 0 && yield != nil && yield() {
			return n, nil
		}
		if c := t.nextAnswer(); c != nil {
			if n == 0 {
				t.first = c.work.time
			}
			if err := t.finish(c); err != nil {
				return n, err
			}
			continue
		}
		if t.full() && t.current.input == nil {
			return n, nil
		}
		ok, err := t.takeNext()
		if !ok {
			return n, nil
		}
		if n == 0 {
			t.first = t.current.raw.Timestamp
		}
		if err == nil {
			err = t.process()
		} else {
			err = t.failed(processor.Decode, t.current.input.source, "", err)
		}
		if err != nil {
			return n, err
		}
		t.current.input.done(t.current.raw)
		t.current = work{}
		t.counters.Processed++
	}
	return limit, nil
}

// process advances stream time to the current record and delivers it.
func (t *Task) process() error {
	err := t.advance(t.current.time)
	if errors.Is(err, ErrStopped) {
		t.phase = broken // stream time has advanced, but not all of its timers have fired: this must not be committed
	}
	if err != nil {
		return err
	}
	return t.perform(t.current.input.queue.Deliver)
}

// guard turns a panic of user code into an error.
func (t *Task) guard(f func() error) (err error) {
	defer plan.Recover(&err)
	return f()
}

// stepLabel describes the step that an error came from.
func (t *Task) stepLabel(err error) string {
	node := t.step
	var step *plan.StepError
	if errors.As(err, &step) {
		node = step.Node
	}
	return label(node)
}

// label describes a step and where it was declared.
func label(n *plan.Node) string {
	if n == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s)", n.Label(), n.Where)
}

// policyOf returns the policy of a stage in step n: its own, or else the application's.
func (t *Task) policyOf(stage processor.Stage, n *plan.Node) processor.Policy {
	if n != nil && n.OnError != nil {
		return *n.OnError
	}
	return t.cfg.Policies.Of(stage)
}

// failed applies the policy of a stage to the current record; n is the step whose policy it is, nil for the
// application's. It returns nil to continue after the record.
func (t *Task) failed(stage processor.Stage, n *plan.Node, step string, cause error) error {
	var final *processor.Error
	if errors.As(cause, &final) {
		return cause // the produce stage, or a border, has decided
	}
	var broken *state.Error
	if errors.As(cause, &broken) {
		return t.wrap(cause) // the database failed, not the record
	}
	var host *plan.HostError
	if errors.As(cause, &host) {
		return t.wrap(cause)
	}
	if stage == processor.Process && t.cfg.Context.Err() != nil {
		return t.wrap(fmt.Errorf("%w: %w", ErrStopped, cause))
	}
	failure := t.failure(stage, step, cause)
	policy := t.policyOf(stage, n)
	if stage == processor.Process && t.current.timer == nil && t.current.attempts < policy.Retries { // the next firing of a timer is its retry
		t.current.attempts++
		return t.retry(failure, policy, t.current.attempts)
	}
	if policy.Action == processor.Fail {
		return failure
	}
	return t.applyAction(failure, policy.Action, t.current.raw)
}

// retry returns the error that asks the owner to retry. attempts is the number of failures, including this one.
func (t *Task) retry(failure *processor.Error, policy processor.Policy, attempts int) error {
	t.cfg.Failed(failure, Retried)
	return &RetryError{After: policy.After(attempts), Cause: failure}
}

// failure describes the failure of the current record.
func (t *Task) failure(stage processor.Stage, step string, cause error) *processor.Error {
	failure := &processor.Error{Stage: stage, Origin: t.current.origin(), Step: step, Err: cause}
	if at := t.current.at(); at != failure.Origin {
		failure.Via = at
	}
	return failure
}

// applyAction applies an action to a failed record or result: it counts and reports the failure, and writes a dead
// letter if the action is dead-letter. A failed timer has no record for a dead letter.
func (t *Task) applyAction(failure *processor.Error, action processor.Action, raw *plan.Raw) error {
	if action == processor.DeadLetter && failure.Origin.Topic != "" {
		if err := t.sendLetter(t.deadLetter(failure, raw)); err != nil {
			return err
		}
		t.counters.DeadLettered[failure.Stage]++
		t.cfg.Failed(failure, DeadLettered)
		return nil
	}
	t.counters.Skipped[failure.Stage]++
	t.cfg.Failed(failure, Skipped)
	return nil
}
