package task

import (
	"fmt"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// work is a unit of work: one record, or one firing of a timer. Its effects on stores and outputs are applied
// completely or not at all. It is created per record, so it is small, and its methods compute details on demand.
type work struct {
	input            *input             // nil for a timer
	raw              *plan.Raw          // nil for a timer
	timer            *timer             // nil for a record
	headers          []processor.Header // inherited by emitted records
	call             string             // the id of the call to the outside whose result it is; otherwise empty
	time             int64              // event time in milliseconds; for a timer, the time it fires for
	attempts         int                // number of failures
	failuresByBorder []int              // number of failures in each border that it enters
}

// takeNext makes the next record current and reports whether there is one. A record that failed stays current until it
// has succeeded or was skipped. decodeErr is the record's decode error.
func (t *Task) takeNext() (ok bool, decodeErr error) {
	if in := t.current.input; in != nil {
		_, _, err := in.queue.Head()
		return true, err
	}
	in, raw, timestamp, err := t.choose()
	if in == nil {
		return false, nil
	}
	t.current = work{input: in, raw: raw, headers: raw.Headers, time: timestamp}
	if in.own {
		t.current.headers, _ = plan.SplitOrigin(raw.Headers)
	}
	return true, err
}

// at returns where the current record was read; zero for a timer.
func (w *work) at() processor.Origin {
	if w.raw == nil {
		return processor.Origin{}
	}
	return processor.Origin{Topic: w.input.topic, Partition: w.input.partition, Offset: w.raw.Offset}
}

// origin returns the user's record that the work is made from: not where it was read, if that is a repartition topic.
// It is zero for a timer.
func (w *work) origin() processor.Origin {
	if w.raw == nil || !w.input.own {
		return w.at()
	}
	return w.input.originOf(w.raw, w.at())
}

// perform does the current work: it sends the outputs if f succeeds; otherwise it rolls back and applies the process
// policy.
func (t *Task) perform(f func() error) error {
	err := t.attempt(f)
	if err == nil {
		return t.succeeded()
	}
	if tm := t.current.timer; tm != nil {
		return t.failed(processor.Process, t.border(tm.step), tm.step, err)
	}
	return t.failed(processor.Process, nil, t.stepLabel(err), err)
}

// succeeded gives effect to what the current work has done.
func (t *Task) succeeded() error {
	if err := t.outputs.send(t); err != nil {
		return err
	}
	t.count()
	t.startTimers()
	return nil
}

// attempt runs f, and rolls back its effects if it fails.
func (t *Task) attempt(f func() error) error {
	t.stores.Begin()
	t.outputs.reset()
	t.borders = borders{}
	err := t.guard(f)
	if err != nil {
		t.stores.Undo()
		t.outputs.reset()
		t.created, t.counted = t.created[:0], t.counted[:0]
	}
	return err
}

// phase is the state of a task in its life cycle. It determines which calls are allowed; see doc.go.
type phase int

const (
	restoring  phase = iota // → processing (Step, Tick) or flushed
	processing              // → flushed (Flush)
	flushed                 // → processing (Committed)
	broken                  // a commit failed half-way: only Close is allowed
	closed
)

// String returns the name of a phase, for error messages.
func (p phase) String() string {
	return [...]string{"restoring", "processing", "flushed", "broken", "closed"}[p]
}

// enter moves the task to phase next on behalf of call, which is allowed only in the phases from.
func (t *Task) enter(call string, next phase, from ...phase) error {
	if !slices.Contains(from, t.phase) {
		return t.wrap(fmt.Errorf("%s is called while the task is %v", call, t.phase))
	}
	t.phase = next
	return nil
}

// InHand returns the current record (no topic for a timer) and the step that processes it. Any goroutine may call it,
// but the result is only reliable while the owner is blocked in user code: it reads single words that the owner writes
// without synchronization, which keeps the record path free of cost.
//
//go:norace
func (t *Task) InHand() (origin processor.Origin, step string) {
	if node := t.step; node != nil {
		step = fmt.Sprintf("%s (%s)", node.Label(), node.Where)
	}
	if timer := t.current.timer; timer != nil {
		return processor.Origin{}, timer.step
	}
	if in, raw := t.current.input, t.current.raw; in != nil && raw != nil {
		return processor.Origin{Topic: in.topic, Partition: in.partition, Offset: raw.Offset}, step
	}
	for _, in := range t.inputs { // the next record of a source is being decoded
		if t.step != nil && t.step.Reads != nil && t.cfg.Names.Topic(t.step.Reads) == in.topic {
			return processor.Origin{Topic: in.topic, Partition: t.cfg.Partition, Offset: in.next}, step
		}
	}
	return processor.Origin{}, step
}
