package task

import (
	"fmt"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// work is a unit of work: one record, or one firing of a timer. Stores and outputs get all of what it does, or nothing.
// It is made for each record, so it holds little, and its methods find out the rest when somebody asks.
type work struct {
	input    *input             // nil for a timer
	raw      *plan.Raw          // nil for a timer
	timer    *timer             // nil for a record
	headers  []processor.Header // inherited by the records that it emits
	time     int64              // event time in milliseconds; of a timer, the time that it fires for
	attempts int                // how often it has failed
	tries    []int              // how often it has failed in each of the borders that it enters
}

// take puts the next record in hand and reports whether there is one. A record that failed stays in hand until it has
// succeeded or was left out. decodeErr is the record's.
func (t *Task) take() (ok bool, decodeErr error) {
	if in := t.hand.input; in != nil {
		_, _, err := in.queue.Head()
		return true, err
	}
	in, raw, timestamp, err := t.choose()
	if in == nil {
		return false, nil
	}
	t.hand = work{input: in, raw: raw, headers: raw.Headers, time: timestamp}
	if in.own {
		t.hand.headers, _ = plan.SplitOrigin(raw.Headers)
	}
	return true, err
}

// at returns where the record in hand was read; zero for a timer.
func (w *work) at() processor.Origin {
	if w.raw == nil {
		return processor.Origin{}
	}
	return processor.Origin{Topic: w.input.topic, Partition: w.input.partition, Offset: w.raw.Offset}
}

// origin returns the user's record that the work is made from: not where it was read, if that is a repartition topic. It
// is zero for a timer.
func (w *work) origin() processor.Origin {
	if w.raw == nil || !w.input.own {
		return w.at()
	}
	return w.input.originOf(w.raw, w.at())
}

// perform does the work in hand: its outputs are sent if f succeeds; otherwise nothing of it remains and the process
// policy is applied.
func (t *Task) perform(f func() error) error {
	err := t.unit(f)
	if err == nil {
		return t.outputs.send(t)
	}
	if tm := t.hand.timer; tm != nil {
		return t.failed(processor.Process, t.border(tm.step), tm.step, err)
	}
	return t.failed(processor.Process, nil, t.stepLabel(err), err)
}

// unit runs f, and rolls back what it did if it fails.
func (t *Task) unit(f func() error) error {
	t.stores.Begin()
	t.outputs.reset()
	t.borders = borders{}
	err := t.guard(f)
	if err != nil {
		t.stores.Undo()
		t.outputs.reset()
	}
	return err
}

// phase is where a task is in its life. It decides which calls are legal; see doc.go.
type phase int

const (
	restoring  phase = iota // → processing (Step, Tick) or flushed
	processing              // → flushed (Flush)
	flushed                 // → processing (Committed)
	broken                  // a commit failed half-way: only Close is left
	closed
)

// String names a phase as errors do.
func (p phase) String() string {
	return [...]string{"restoring", "processing", "flushed", "broken", "closed"}[p]
}

// enter moves the task to phase next on behalf of call, which is legal in the phases from only.
func (t *Task) enter(call string, next phase, from ...phase) error {
	if !slices.Contains(from, t.phase) {
		return t.wrap(fmt.Errorf("%s is called while the task is %v", call, t.phase))
	}
	t.phase = next
	return nil
}

// InHand says which record the task is at (no topic: a timer), and in which step. Any goroutine may call it, but the
// answer is right only while the owner is held up in user code: it reads single words that the owner writes without
// synchronization, because this costs the records nothing.
//
//go:norace
func (t *Task) InHand() (origin processor.Origin, step string) {
	if node := t.step; node != nil {
		step = fmt.Sprintf("%s (%s)", node.Label(), node.Where)
	}
	if timer := t.hand.timer; timer != nil {
		return processor.Origin{}, timer.step
	}
	if in, raw := t.hand.input, t.hand.raw; in != nil && raw != nil {
		return processor.Origin{Topic: in.topic, Partition: in.partition, Offset: raw.Offset}, step
	}
	for _, in := range t.inputs { // the next record of a source is being decoded
		if t.step != nil && t.step.Reads != nil && t.cfg.Names.Topic(t.step.Reads) == in.topic {
			return processor.Origin{Topic: in.topic, Partition: t.cfg.Partition, Offset: in.next}, step
		}
	}
	return processor.Origin{}, step
}
