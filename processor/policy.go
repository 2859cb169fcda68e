package processor

import (
	"errors"
	"fmt"
	"time"
)

// Stage is the stage of processing in which a record failed.
type Stage string

const (
	Decode  Stage = "decode"  // its bytes or its timestamp are invalid
	Process Stage = "process" // a step returned an error or panicked
	Produce Stage = "produce" // a result could not be encoded, or the broker refused it
)

// Policy says what happens to a record that fails. The zero value stops the application, which loses nothing.
type Policy struct {
	Action Action

	// Retries is how often the step is retried before Action is taken. The first retry waits for Backoff, each further
	// one twice as long. Only the process stage retries: invalid bytes stay invalid.
	Retries int
	Backoff time.Duration // default 100 ms
}

// After returns how long to wait before the next attempt after a number of failures.
func (p Policy) After(failures int) time.Duration {
	backoff := p.Backoff
	if backoff == 0 {
		backoff = 100 * time.Millisecond
	}
	return backoff << min(failures-1, 20)
}

// Validate reports every mistake in a policy for a stage.
func (p Policy) Validate(stage Stage) error {
	var mistakes []error
	if p.Action < Fail || p.Action > DeadLetter {
		mistakes = append(mistakes, fmt.Errorf("processor: %s policy: unknown action %d", stage, int(p.Action)))
	}
	if p.Retries < 0 || p.Backoff < 0 {
		mistakes = append(mistakes, fmt.Errorf("processor: %s policy: retries and backoff must not be negative", stage))
	}
	if p.Retries > 0 && stage != Process {
		mistakes = append(mistakes, fmt.Errorf("processor: %s policy: only the process stage can retry", stage))
	}
	return errors.Join(mistakes...)
}

// String describes the policy, such as "skip" or "dead-letter after 3 retries".
func (p Policy) String() string {
	switch p.Retries {
	case 0:
		return p.Action.String()
	case 1:
		return p.Action.String() + " after 1 retry"
	}
	return fmt.Sprintf("%s after %d retries", p.Action, p.Retries)
}

// Action is what a policy does after the last retry.
type Action int

const (
	Fail       Action = iota // stop the application; the record is processed again at the next start
	Skip                     // continue with the next record; the skip is logged and counted
	DeadLetter               // write the source record to the dead-letter topic, in the same transaction, and continue
)

var actions = [...]string{"fail", "skip", "dead-letter"}

// String returns "fail", "skip" or "dead-letter".
func (a Action) String() string {
	if int(a) < len(actions) {
		return actions[a]
	}
	return fmt.Sprintf("action(%d)", int(a))
}

// ParseAction is the inverse of Action.String.
func ParseAction(s string) (Action, error) {
	for i, name := range actions {
		if s == name {
			return Action(i), nil
		}
	}
	return Fail, fmt.Errorf("processor: unknown action %q: use fail, skip or dead-letter", s)
}

// Policies holds one policy per stage, and the topic of dead letters.
type Policies struct {
	Decode  Policy
	Process Policy
	Produce Policy

	// DeadLetters is the topic for records whose policy is DeadLetter. They keep their bytes and headers. Additional
	// headers, text and named as in KIP-1034, describe the failure: __streams.errors.exception, .message and, for a
	// panic, .stacktrace; .topic, .partition and .offset of the source record, also after a KeyBy; .stage and .step;
	// and .via, the record of the repartition topic that was being processed, if it is another.
	DeadLetters string
}

// Of returns the policy of a stage.
func (p Policies) Of(stage Stage) Policy {
	switch stage {
	case Decode:
		return p.Decode
	case Produce:
		return p.Produce
	default:
		return p.Process
	}
}

// Validate reports every mistake in the policies.
func (p Policies) Validate() error {
	var mistakes []error
	for _, stage := range []Stage{Decode, Process, Produce} {
		policy := p.Of(stage)
		if policy.Action == DeadLetter && p.DeadLetters == "" {
			mistakes = append(mistakes, fmt.Errorf("processor: %s policy is dead-letter, but no dead-letter topic is named: set Policies.DeadLetters", stage))
		}
		mistakes = append(mistakes, policy.Validate(stage))
	}
	return errors.Join(mistakes...)
}

// Error is the failure of one record, and says where it happened.
type Error struct {
	Stage  Stage
	Origin Origin // the record of the user's topic; zero for a timer
	Via    Origin // the record of the repartition topic that was being processed; zero if it is the user's record
	Step   string // the step that failed, as named in the plan; empty in the decode stage
	Err    error
}

// Error returns "process localizacao-veiculos/3 at 1024 in aggregate speed-5m: …", or "process timer in …: …". After a
// repartition topic it is "process sales/3 at 1024 via shop-by-seller-repartition/1 at 7 in …: …".
func (e *Error) Error() string {
	where := "timer"
	if e.Origin.Topic != "" {
		where = e.Origin.String()
	}
	if e.Via.Topic != "" {
		where += " via " + e.Via.String()
	}
	if e.Step != "" {
		where += " in " + e.Step
	}
	return fmt.Sprintf("%s %s: %v", e.Stage, where, e.Err)
}

// Unwrap returns the error of the step.
func (e *Error) Unwrap() error { return e.Err }
