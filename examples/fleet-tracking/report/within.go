package report

import (
	"cmp"
	"maps"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Within returns the results of a span of time, from inclusive and to exclusive. Windows and off-route episodes count at their beginning, fixes
// and arrivals at their time, legs and forecasts at the arrival, and a stop without an arrival at the fix that showed it. The account
// of rows and the corrected timetables stay as they are.
func (r *Report) Within(from, to fleet.Instant) Report {
	in := func(at fleet.Instant) bool { return from <= at && at < to }
	return Report{
		windows:  where(r.windows, func(k windowKey, _ fleet.Speed) bool { return in(k.start) }),
		motions:  where(r.motions, func(k windowKey, _ fleet.PositionSpeed) bool { return in(k.start) }),
		points:   where(r.points, func(k pointKey, _ fleet.Deviation) bool { return in(k.at) }),
		episodes: where(r.episodes, func(k episodeKey, _ fleet.Episode) bool { return in(k.first) }),
		arrivals: where(r.arrivals, func(_ arrivalKey, a fleet.Arrival) bool { return in(a.Arrived) }),
		visits:   where(r.visits, func(_ callKey, v fleet.Visit) bool { return in(cmp.Or(v.Arrived, v.High)) }),
		legs:     where(r.legs, func(_ callKey, l fleet.Leg) bool { return in(l.Arrived) }),
		unused:   where(r.unused, func(k fixKey, _ fleet.Reason) bool { return in(k.at) }),

		measured: slices.DeleteFunc(append([]eta{}, r.etas()...), func(e eta) bool { return !in(e.arrived) }),

		accounts: r.accounts, unreadable: r.unreadable, corrected: r.corrected,
	}
}

// where are the rows of a map that belong to the span.
func where[K comparable, V any](all map[K]V, belongs func(K, V) bool) map[K]V {
	some := maps.Clone(all)
	maps.DeleteFunc(some, func(k K, v V) bool { return !belongs(k, v) })
	return some
}
