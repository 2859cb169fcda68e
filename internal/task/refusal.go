package task

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// ErrRefused: a record can never be written, for example because it is too large.
var ErrRefused = errors.New("record refused")

// A Refusal is a record that the log refused after Output.Send had accepted it. Kind, Step, Store and Origin are those
// of the Out.
type Refusal struct {
	Kind   Kind
	Step   *plan.Node
	Store  string
	Origin processor.Origin
	Key    []byte
	Cause  error
}

// WantsSource reports whether Refused needs the source record: because the policy is dead-letter, or because it was
// read from a repartition topic, where the record itself says where it came from.
func (t *Task) WantsSource(r Refusal) bool {
	if r.Kind != Result || r.Origin.Topic == "" {
		return false
	}
	in := t.input(r.Origin.Topic)
	return in != nil && in.own || t.policyOf(processor.Produce, r.Step).Action == processor.DeadLetter
}

// Refused applies the produce policy to a refused record, between Flush and Committed. It sends a dead letter to
// Output. source is the record at r.Origin, read again; nil if it is not needed or no longer in the log. now is the
// timestamp of a dead letter that replaces a refused one.
//
// A change of a store has no policy: without it the store could not be restored.
func (t *Task) Refused(r Refusal, source *plan.Raw, now time.Time) error {
	if err := t.enter("Refused", flushed, flushed); err != nil {
		return err
	}
	switch r.Kind {
	case Change:
		return t.wrap(changeRefused(r.Store, r.Key, r.Cause))
	case Letter:
		return t.sendLetter(t.shortLetter(r, now))
	case ShortLetter:
		t.counters.Skipped[processor.Produce]++
		t.cfg.Failed(letterRefused(r), Skipped)
		return nil
	}
	failure := &processor.Error{Stage: processor.Produce, Origin: r.Origin, Step: label(r.Step), Err: r.Cause}
	if in := t.input(r.Origin.Topic); in != nil && in.own && source != nil {
		if origin := in.originOf(source, r.Origin); origin != r.Origin {
			failure.Origin, failure.Via = origin, r.Origin
		}
	}
	action := t.policyOf(processor.Produce, r.Step).Action
	if action == processor.Fail {
		return failure
	}
	t.counters.Sent--
	return t.applyAction(failure, action, source)
}

// changeRefused returns the error for a row that its changelog refuses.
func changeRefused(store string, key []byte, cause error) error {
	const enough = 100
	short := strconv.Quote(string(key[:min(len(key), enough)]))
	if len(key) > enough {
		short += "…"
	}
	return fmt.Errorf("store %q: the changelog refuses the row of key %s: %w; set the topic settings of a changelog with TopicConfig",
		store, short, cause)
}

// sendLetter writes a dead letter. One that can never be written is replaced by a short one.
func (t *Task) sendLetter(out Out) error {
	err := t.cfg.Output.Send(out)
	if errors.Is(err, ErrRefused) && out.Kind == Letter {
		r := Refusal{Kind: Letter, Origin: out.Origin, Cause: err}
		return t.sendLetter(t.shortLetter(r, time.UnixMilli(max(t.streamTime, 0))))
	}
	if err != nil {
		return t.wrap(fmt.Errorf("write a dead letter: %w", err))
	}
	t.sent = true
	return nil
}

// shortLetter replaces a dead letter that was refused: it identifies the source record, but has no key, value or
// headers of it.
func (t *Task) shortLetter(r Refusal, now time.Time) Out {
	out := t.deadLetter(letterRefused(r), nil)
	out.Kind, out.Timestamp = ShortLetter, now.UnixMilli()
	return out
}

func letterRefused(r Refusal) *processor.Error {
	return &processor.Error{Stage: processor.Produce, Origin: r.Origin, Step: "dead letter", Err: r.Cause}
}
