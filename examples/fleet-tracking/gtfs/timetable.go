package gtfs

import (
	"fmt"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Plan is the whole feed as topics viagens and trajetos have it. Its trips hold from a service day YYYYMMDD on.
func (f *Feed) Plan(from string) fleet.Plan {
	schedules := make([]*fleet.Schedule, len(f.Trips))
	paths := map[string]fleet.Path{}
	ways := map[string]way{}
	for i, trip := range f.Trips {
		calls := f.Calls[trip.ID]
		key := wayKey(trip, calls)
		w, ok := ways[key]
		if !ok {
			w = f.way(trip, calls)
			ways[key], paths[w.id] = w, w.path
		}
		schedules[i] = f.schedule(trip, calls, w)
	}
	return fleet.NewPlan(from, schedules, paths)
}

// way is a path and its id. It is laid out once for all trips that have the same shape and calls.
type way struct {
	id   string
	path fleet.Path
}

// wayKey is the same for trips that go the same way.
func wayKey(trip Trip, calls []Call) string {
	key := fmt.Appendf(nil, "%q", trip.Shape)
	for _, c := range calls {
		key = fmt.Appendf(key, " %d %q %v %v %v", c.Sequence, c.Stop, c.HasAlong, c.Along, c.Approximate)
	}
	return string(key)
}

func (f *Feed) way(trip Trip, calls []Call) way {
	shape, places := layOut(f.Shapes[trip.Shape], calls, f.Stops)
	path := fleet.Path{Shape: shape, Stops: make([]fleet.Stop, len(calls))}
	for i, call := range calls {
		stop := f.Stops[call.Stop]
		path.Stops[i] = fleet.Stop{
			Sequence: call.Sequence, ID: call.Stop, Name: stop.Name, Lat: stop.Point.Lat(), Lon: stop.Point.Lon(),
			Along:     places[i],
			Timepoint: !call.Approximate && (f.Timepoints || i < len(calls)-1),
		}
	}
	if len(shape) == 0 {
		join(path.Stops)
	}
	return way{path.ID(), path}
}

func (f *Feed) schedule(t Trip, calls []Call, w way) *fleet.Schedule {
	schedule := &fleet.Schedule{
		ID: t.ID, Route: t.Route, Headsign: t.Headsign, Zone: f.Zone, Path: w.id, Times: times(w.path, calls),
	}
	if frequency, ok := f.Frequencies[t.ID]; ok {
		schedule.Frequency = fleet.Headway
		if frequency.Exact {
			schedule.Frequency = fleet.Exact
		}
	}
	return schedule
}

// join sets the stops of a trip without a shape down along straight lines from one to the next.
func join(stops []fleet.Stop) {
	points := make([]orb.Point, len(stops))
	for i, stop := range stops {
		points[i] = stop.Point()
	}
	for i, along := range fleet.Joined(points) {
		stops[i].Along = along
	}
}

// times returns the times of the calls. Those of stops between timepoints are interpolated: by the distance along the shape or, without a
// shape, by the number of stops.
func times(path fleet.Path, calls []Call) []fleet.Times {
	times := make([]fleet.Times, len(calls))
	for i, call := range calls {
		times[i] = fleet.Times{call.Arrives, call.Leaves}
	}
	last := 0
	for i := 1; i < len(calls); i++ {
		if !calls[i].Timed {
			continue
		}
		from, to := path.Stops[last].Along, path.Stops[i].Along
		leaves, due := times[last][1], times[i][0]
		for j := last + 1; j < i; j++ {
			part := float64(j-last) / float64(i-last)
			if len(path.Shape) > 0 && to > from {
				part = (path.Stops[j].Along - from) / (to - from)
			}
			at := leaves + int(part*float64(due-leaves))
			times[j] = fleet.Times{at, at}
		}
		last = i
	}
	return times
}
