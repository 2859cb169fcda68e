package gtfs

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Family is a record of topic viagens: the key, and the trips that share it.
type Family struct {
	Key       string
	Timetable fleet.Timetable
}

// Timetables is the whole feed as records of topic viagens, sorted by key.
func (f *Feed) Timetables() []Family {
	byKey := map[string]*Family{}
	for _, trip := range f.Trips {
		key := fleet.FamilyOf(trip.ID)
		if byKey[key] == nil {
			byKey[key] = &Family{Key: key}
		}
		family := byKey[key]
		family.Timetable.Trips = append(family.Timetable.Trips, f.trip(trip))
	}
	families := make([]Family, 0, len(byKey))
	for _, family := range byKey {
		families = append(families, *family)
	}
	slices.SortFunc(families, func(a, b Family) int { return cmp.Compare(a.Key, b.Key) })
	return families
}

func (f *Feed) trip(t Trip) *fleet.Trip {
	calls := f.Calls[t.ID]
	shape, places := layOut(f.Shapes[t.Shape], calls, f.Stops)
	trip := &fleet.Trip{
		ID: t.ID, Route: t.Route, Headsign: t.Headsign, Zone: f.Zone,
		Shape: shape, Stops: make([]fleet.Stop, len(calls)),
	}
	for i, call := range calls {
		stop := f.Stops[call.Stop]
		trip.Stops[i] = fleet.Stop{
			Sequence: call.Sequence, ID: call.Stop, Name: stop.Name, Lat: stop.Point.Lat(), Lon: stop.Point.Lon(),
			Along: places[i], Due: call.Arrives, Leaves: call.Leaves,
			Timepoint: !call.Approximate && (f.Timepoints || i < len(calls)-1),
		}
	}
	fillTimes(trip.Stops, calls)
	if len(shape) == 0 {
		join(trip.Stops)
	}
	if frequency, ok := f.Frequencies[t.ID]; ok {
		trip.Frequency = fleet.Headway
		if frequency.Exact {
			trip.Frequency = fleet.Exact
		}
	}
	return trip
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

// fillTimes gives the stops between timepoints the times of a vehicle of even speed, or, where there are no distances, of
// even steps.
func fillTimes(stops []fleet.Stop, calls []Call) {
	last := 0
	for i := 1; i < len(calls); i++ {
		if !calls[i].Timed {
			continue
		}
		from, to := stops[last], stops[i]
		for j := last + 1; j < i; j++ {
			part := float64(j-last) / float64(i-last)
			if to.Along > from.Along {
				part = (stops[j].Along - from.Along) / (to.Along - from.Along)
			}
			due := from.Leaves + int(part*float64(to.Due-from.Leaves))
			stops[j].Due, stops[j].Leaves = due, due
		}
		last = i
	}
}
