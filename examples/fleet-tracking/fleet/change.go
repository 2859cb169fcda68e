package fleet

import "time"

// Change adds a value, or takes back one that was added before.
type Change[V any] struct {
	Value  V    `json:"valor"`
	Undone bool `json:"desfeito,omitempty"`
}

// VisitChange and LegChange are what the topology sends from the vehicle to the stop, and to the leg.
type (
	VisitChange = Change[Visit]
	LegChange   = Change[Leg]
)

// apply adds the event of a change to those of the latest period, or takes it back.
func apply[T event[T], V any](events recent[T], change Change[V], e T, period time.Duration) recent[T] {
	if change.Undone {
		return events.without(e)
	}
	return events.with(e, period)
}
