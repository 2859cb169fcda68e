package processor_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/rio-streams/rio/processor"
)

func TestActions(t *testing.T) {
	for action, name := range map[processor.Action]string{
		processor.Fail: "fail", processor.Skip: "skip", processor.DeadLetter: "dead-letter",
	} {
		if action.String() != name {
			t.Errorf("%d is %q, want %q", action, action, name)
		}
		if got, err := processor.ParseAction(name); got != action || err != nil {
			t.Errorf("%q is %v, %v", name, got, err)
		}
	}
	if got := processor.Action(7).String(); got != "action(7)" {
		t.Errorf("an unknown action is %q", got)
	}
	if _, err := processor.ParseAction("ignore"); err == nil || err.Error() != `processor: unknown action "ignore": use fail, skip or dead-letter` {
		t.Errorf("error %v", err)
	}
}

// Proves: mistakes-are-told-at-once
func TestPoliciesTellAllMistakes(t *testing.T) {
	if err := (processor.Policies{}).Validate(); err != nil {
		t.Errorf("the zero value: %v", err)
	}
	wrong := processor.Policies{
		Decode:  processor.Policy{Action: processor.DeadLetter, Retries: 1},
		Process: processor.Policy{Action: 7, Backoff: -1},
		Produce: processor.Policy{Retries: -1},
	}
	want := `processor: decode policy is dead-letter, but no dead-letter topic is named: set Policies.DeadLetters
processor: decode policy: only the process stage can retry
processor: process policy: unknown action 7
processor: process policy: retries and backoff must not be negative
processor: produce policy: retries and backoff must not be negative`
	if err := wrong.Validate(); err == nil || err.Error() != want {
		t.Errorf("mistakes\n%v\nwant\n%s", err, want)
	}
}

// Proves: bad-record-stops-with-its-place
func TestErrorSaysWhere(t *testing.T) {
	cause := errors.New("boom")
	origin := processor.Origin{Topic: "localizacao-veiculos", Partition: 3, Offset: 1024}
	for want, err := range map[string]*processor.Error{
		"decode localizacao-veiculos/3 at 1024: boom":                        {Stage: processor.Decode, Origin: origin, Err: cause},
		"process localizacao-veiculos/3 at 1024 in aggregate speed-5m: boom": {Stage: processor.Process, Origin: origin, Step: "aggregate speed-5m", Err: cause},
		"process timer in process ticking: boom":                             {Stage: processor.Process, Step: "process ticking", Err: cause},
	} {
		if err.Error() != want || !errors.Is(err, cause) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func ExamplePolicies() {
	policies := processor.Policies{
		Decode:      processor.Policy{Action: processor.DeadLetter},
		Process:     processor.Policy{Action: processor.Skip, Retries: 3, Backoff: time.Second},
		DeadLetters: "vendas-erros",
	}
	fmt.Println(policies.Of(processor.Decode).Action, policies.Of(processor.Process).Action, policies.Of(processor.Produce).Action)
	fmt.Println(policies.Validate())
	// Output:
	// dead-letter skip fail
	// <nil>
}

func ExampleParseAction() {
	fmt.Println(processor.ParseAction("skip"))
	// Output: skip <nil>
}
