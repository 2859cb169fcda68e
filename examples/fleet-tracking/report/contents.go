package report

import (
	"iter"
	"maps"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// OffRoute is an episode and whose it is.
type OffRoute struct {
	Vehicle, Trip, Day string
	fleet.Episode
}

// Visits are the visits of all stops, in no order.
func (r *Report) Visits() iter.Seq[fleet.Visit] { return maps.Values(r.visits) }

// Days are the days of drivers and of vehicles without a known driver, in no order.
func (r *Report) Days() iter.Seq[conduct.Day] { return maps.Values(r.days) }

// Episodes are the off-route episodes, in no order.
func (r *Report) Episodes() iter.Seq[OffRoute] {
	return func(yield func(OffRoute) bool) {
		for key, e := range r.episodes {
			if !yield(OffRoute{key.vehicle, key.trip, key.day, e}) {
				return
			}
		}
	}
}
