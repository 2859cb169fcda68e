package fleet

import (
	"cmp"
	"maps"
	"slices"
)

// Plan is what is planned: the timetables by the key under which topic viagens has them, and the paths by theirs in trajetos.
type Plan struct {
	Timetables map[string]Timetable
	Paths      map[string]Path
}

// PlanOf returns the plan of trips that hold from a service day YYYYMMDD on; if that is empty, always.
func PlanOf(from string, trips ...*Trip) Plan {
	schedules := make([]*Schedule, len(trips))
	paths := map[string]Path{}
	for i, trip := range trips {
		path := Path{Shape: trip.Shape, Stops: slices.Clone(trip.Stops), Corridor: trip.Corridor, Yards: trip.Yards}
		times := make([]Times, len(trip.Stops))
		for j := range path.Stops {
			stop := &path.Stops[j]
			times[j] = Times{stop.Due, stop.Leaves}
			stop.Due, stop.Leaves = 0, 0
		}
		id := path.ID()
		paths[id] = path
		schedules[i] = &Schedule{
			ID: trip.ID, Route: trip.Route, Headsign: trip.Headsign, Zone: trip.Zone, Frequency: trip.Frequency, Untimed: trip.Untimed,
			Path: id, Times: times,
		}
	}
	return NewPlan(from, schedules, paths)
}

// NewPlan returns the plan of schedules that hold from a service day YYYYMMDD on. Paths has the path of each, by its id.
func NewPlan(from string, schedules []*Schedule, paths map[string]Path) Plan {
	families := map[string][]*Schedule{}
	for _, s := range schedules {
		key := FamilyOf(s.ID)
		families[key] = append(families[key], s)
	}
	p := Plan{Timetables: map[string]Timetable{}, Paths: paths}
	for key, trips := range families {
		slices.SortFunc(trips, func(a, b *Schedule) int { return cmp.Compare(a.ID, b.ID) })
		p.Timetables[key] = Timetable{Versions: []Version{{From: from, Trips: trips}}}
	}
	return p
}

// On looks up the trip of a fix.
func (p Plan) On(fix RunFix) Planned {
	scheduled := fix.On(p.Timetables[fix.TripFamily()])
	path, known := p.Paths[scheduled.PathKey()]
	return scheduled.Along(path, known)
}

// Trips are the trips of the latest versions, sorted by id.
func (p Plan) Trips() []*Trip {
	var trips []*Trip
	for _, key := range slices.Sorted(maps.Keys(p.Timetables)) {
		for _, s := range p.Timetables[key].on("") {
			trips = append(trips, s.trip(p.Paths[s.Path]))
		}
	}
	slices.SortFunc(trips, func(a, b *Trip) int { return cmp.Compare(a.ID, b.ID) })
	return trips
}
