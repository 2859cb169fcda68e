package task

import (
	"errors"
	"fmt"
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

// ErrStopped says that a step failed after Config.Context had ended. Nothing of the record in hand remains, and it is
// not taken from its input: it is processed again wherever the task is opened next.
var ErrStopped = errors.New("stopped")

// Step processes up to limit records in timestamp order and returns how many it took from the inputs. It stops early
// when the next record cannot be known yet, and after any record when yield returns true (nil never does). A *RetryError
// asks to call again later, ErrStopped to call no more; after any other error only Close is left.
func (t *Task) Step(limit int, yield func() bool) (int, error) {
	if err := t.enter("Step", processing, restoring, processing); err != nil {
		return 0, err
	}
	for n := range limit {
		if n > 0 && yield != nil && yield() {
			return n, nil
		}
		ok, err := t.take()
		if !ok {
			return n, nil
		}
		if n == 0 {
			t.first = t.hand.raw.Timestamp
		}
		if err == nil {
			err = t.process()
		} else {
			err = t.failed(processor.Decode, t.hand.input.source, "", err)
		}
		if err != nil {
			return n, err
		}
		t.hand.input.done(t.hand.raw)
		t.hand = work{}
		t.counters.Processed++
	}
	return limit, nil
}

// process moves stream time to the record in hand and delivers it.
func (t *Task) process() error {
	err := t.advance(t.hand.time)
	if errors.Is(err, ErrStopped) {
		t.phase = broken // stream time has moved, and not all of its timers have fired: this must not be committed
	}
	if err != nil {
		return err
	}
	return t.perform(t.hand.input.queue.Deliver)
}

// guard turns a panic of user code into an error.
func (t *Task) guard(f func() error) (err error) {
	defer plan.Recover(&err)
	return f()
}

// stepLabel names the step that an error came from.
func (t *Task) stepLabel(err error) string {
	node := t.step
	var step *plan.StepError
	if errors.As(err, &step) {
		node = step.Node
	}
	return label(node)
}

// label names a step and the line that declared it.
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

// failed applies the policy of a stage to the record in hand; n is the step whose policy it is, nil for the application's.
// nil means: go on behind it.
func (t *Task) failed(stage processor.Stage, n *plan.Node, step string, cause error) error {
	var final *processor.Error
	if errors.As(cause, &final) {
		return cause // the produce stage, or a border, has spoken
	}
	var broken *state.Error
	if errors.As(cause, &broken) {
		return t.wrap(cause) // the disk's fault, not the record's
	}
	if stage == processor.Process && t.cfg.Context.Err() != nil {
		return t.wrap(fmt.Errorf("%w: %w", ErrStopped, cause))
	}
	failure := t.failure(stage, step, cause)
	policy := t.policyOf(stage, n)
	if stage == processor.Process && t.hand.timer == nil && t.hand.attempts < policy.Retries { // a timer's next firing is its retry
		t.hand.attempts++
		return t.retry(failure, policy, t.hand.attempts)
	}
	if policy.Action == processor.Fail {
		return failure
	}
	return t.leaveOut(failure, policy.Action, t.hand.raw)
}

// retry asks the owner to come back. attempts is how often it has failed, this time included.
func (t *Task) retry(failure *processor.Error, policy processor.Policy, attempts int) error {
	backoff := policy.Backoff
	if backoff == 0 {
		backoff = 100 * time.Millisecond
	}
	t.cfg.Failed(failure, Retried)
	return &RetryError{After: backoff << min(attempts-1, 20), Cause: failure}
}

// failure says what happened to the record in hand.
func (t *Task) failure(stage processor.Stage, step string, cause error) *processor.Error {
	failure := &processor.Error{Stage: stage, Origin: t.hand.origin(), Step: step, Err: cause}
	if at := t.hand.at(); at != failure.Origin {
		failure.Via = at
	}
	return failure
}

// leaveOut goes on without a record, or without one of its results, as the policy says: it is counted, told, and kept as a
// dead letter if that is wanted. A timer has no record that could be kept.
func (t *Task) leaveOut(failure *processor.Error, action processor.Action, raw *plan.Raw) error {
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
