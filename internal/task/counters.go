package task

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Counters counts events since the task was created.
type Counters struct {
	Processed int64 // records taken from the inputs
	Sent      int64 // records emitted, without changelogs

	// Drops counts the records that operators dropped, one entry per step and reason, in the order of the steps.
	Drops []Drop

	Events []Event // counted by steps of the user's, in the order of their names

	// Skipped counts the records that a policy skipped, DeadLettered those that it wrote to the dead-letter topic.
	Skipped, DeadLettered map[processor.Stage]int64

	Lookups map[string]state.Lookups // by store
}

// Drop counts the records that one step dropped for one reason.
type Drop struct {
	Step    *plan.Node
	Reason  plan.DropReason
	Count   int64
	Example processor.Origin // the last of them
}

// dropKey identifies a counter of dropped records.
type dropKey struct {
	step   *plan.Node
	reason plan.DropReason
}

// Drop counts the current record, which step n dropped.
func (t *Task) Drop(n *plan.Node, reason plan.DropReason) {
	key := dropKey{n, reason}
	drop := t.drops[key]
	if drop == nil {
		drop = &Drop{Step: n, Reason: reason}
		t.drops[key] = drop
	}
	drop.Count++
	drop.Example = t.current.origin()
}

// Event is a counter of a step's own.
type Event struct {
	Step  string
	Name  string
	Count int64
}

type eventKey struct{ step, name string }

// counted is what the current work adds to a counter once it has succeeded.
type counted struct {
	event *Event
	n     int64
}

// Counter returns the counter of a step with a name of its own.
func (t *Task) Counter(step, name string) *processor.Counter {
	key := eventKey{step, name}
	event := t.events[key]
	if event == nil {
		event = &Event{Step: step, Name: name}
		t.events[key] = event
	}
	return processor.NewCounter(func(n int64) {
		if n > 0 {
			t.counted = append(t.counted, counted{event, n})
		}
	})
}

// count adds what the current work has counted.
func (t *Task) count() {
	for _, c := range t.counted {
		c.event.Count += c.n
	}
	t.counted = t.counted[:0]
}

// Counters returns a copy of the task's counters. The owner calls it between two records, usually after a commit, and
// may pass the copy to other goroutines.
func (t *Task) Counters() Counters {
	c := t.counters
	c.Skipped, c.DeadLettered = maps.Clone(c.Skipped), maps.Clone(c.DeadLettered)
	if stores := t.stores.All(); len(stores) > 0 {
		c.Lookups = make(map[string]state.Lookups, len(stores))
		for _, store := range stores {
			c.Lookups[store.Name()] = store.Lookups()
		}
	}
	for _, drop := range t.drops {
		c.Drops = append(c.Drops, *drop)
	}
	for _, event := range t.events {
		c.Events = append(c.Events, *event)
	}
	slices.SortFunc(c.Events, func(a, b Event) int { return cmp.Or(cmp.Compare(a.Step, b.Step), cmp.Compare(a.Name, b.Name)) })
	slices.SortFunc(c.Drops, func(a, b Drop) int {
		if a.Step.ID != b.Step.ID {
			return a.Step.ID - b.Step.ID
		}
		if a.Reason < b.Reason {
			return -1
		}
		return 1
	})
	return c
}
