package task

import (
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
