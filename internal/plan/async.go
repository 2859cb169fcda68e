package plan

import (
	"context"
	"fmt"
	"time"

	"github.com/rio-streams/rio/processor"
)

// Async describes the calls of a step to the outside.
type Async struct {
	InFlight int           // how many run at once in a task
	Timeout  time.Duration // of each attempt
	AnyOrder bool          // results leave in the order of each key, not of all records

	FormatKey func([]byte) string // converts a key to text, for test scripts
}

// Call is a call of a step to the outside, made from one record.
type Call struct {
	Key    string // encoded: calls of one key run one after the other
	HasKey bool

	// Run makes the call, on any goroutine. leave passes the result to the next steps, on the task's goroutine. A call
	// without Run has a result already: Leave passes it on.
	Run   func(context.Context) (leave func() error, err error)
	Leave func() error

	// Parse returns what Run would return if the outside had answered with a value, given as text, for test scripts.
	Parse func(text string) (leave func() error, err error)
}

// longest returns how long a call may take with all attempts that a policy allows.
func (a *Async) longest(policy processor.Policy) time.Duration {
	total := a.Timeout * time.Duration(policy.Retries+1)
	for failures := 1; failures <= policy.Retries; failures++ {
		total += policy.After(failures)
	}
	return total
}

// CheckCalls returns an error if a call, with all its attempts, may take as long as limit. A commit waits for calls.
func (p *Plan) CheckCalls(policies processor.Policies, limit time.Duration) error {
	for _, s := range p.Subtopologies {
		for _, n := range s.Nodes {
			if n.Async == nil {
				continue
			}
			policy := policies.Process
			if n.OnError != nil {
				policy = *n.OnError
			}
			if d := n.Async.longest(policy); d >= limit {
				return fmt.Errorf("%s (%s): a call may take %v with timeout %v and policy %v, and a commit waits for it: it must take less than %v, half of the transaction timeout",
					n.Label(), n.Where, d, n.Async.Timeout, policy, limit)
			}
		}
	}
	return nil
}
