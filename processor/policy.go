package processor

import (
	"errors"
	"fmt"
	"time"
)

// Stage is the place where a record can fail.
type Stage string

const (
	Decode  Stage = "decode"  // its bytes or its time make no sense
	Process Stage = "process" // a step returned an error or panicked
	Produce Stage = "produce" // a result could not be encoded or was refused by the broker for what it is
)

// Policy says what happens to a record that fails. The zero value fails the application, which loses nothing.
type Policy struct {
	Action Action

	// Retries is how often the step is tried again before Action is taken, with Backoff before the first retry and
	// twice as long before each further one. Only the process stage retries: bytes do not get better.
	Retries int
	Backoff time.Duration // default 100 ms
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

// String returns "skip", or "dead-letter after 3 retries".
func (p Policy) String() string {
	switch p.Retries {
	case 0:
		return p.Action.String()
	case 1:
		return p.Action.String() + " after 1 retry"
	}
	return fmt.Sprintf("%s after %d retries", p.Action, p.Retries)
}

// Action is the last word of a policy.
type Action int

const (
	Fail       Action = iota // stop the application; the record is met again at the next start
	Skip                     // go on with the next record; the log and the metrics say so
	DeadLetter               // write the source record to the dead-letter topic, in the same transaction, and go on
)

var actions = [...]string{"fail", "skip", "dead-letter"}

// String returns "fail", "skip" or "dead-letter".
func (a Action) String() string {
	if int(a) < len(actions) {
		return actions[a]
	}
	return fmt.Sprintf("action(%d)", int(a))
}

// ParseAction is the inverse of Action.String, for flags.
func ParseAction(s string) (Action, error) {
	for i, name := range actions {
		if s == name {
			return Action(i), nil
		}
	}
	return Fail, fmt.Errorf("processor: unknown action %q: use fail, skip or dead-letter", s)
}

// Policies holds a policy a stage, and the topic that dead letters go to.
type Policies struct {
	Decode  Policy
	Process Policy
	Produce Policy

	// DeadLetters is the topic for records whose policy is DeadLetter. They keep their bytes and headers. More headers,
	// text and named as in KIP-1034, say what happened: __streams.errors.exception, .message and, for a panic,
	// .stacktrace; .topic, .partition and .offset of the source record, also behind a KeyBy; .stage and .step; and .via,
	// the record of the repartition topic whose bytes they are, if that is another.
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

// Error is the failure of one record. It says where.
type Error struct {
	Stage  Stage
	Origin Origin // the record of the user's topic; zero for a timer
	Via    Origin // where it was in hand, if that is a repartition topic behind the user's; zero otherwise
	Step   string // the step that failed, as the plan names it; empty in the decode stage
	Err    error
}

// Error returns "process localizacao-veiculos/3 at 1024 in aggregate speed-5m: …", or "process timer in …: …". Behind a
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

// Unwrap returns what the step returned.
func (e *Error) Unwrap() error { return e.Err }
