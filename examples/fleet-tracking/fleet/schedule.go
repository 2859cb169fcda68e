package fleet

import (
	"cmp"
	"reflect"
	"slices"
)

// Timetable is the value of topic viagens: the trips of one family, by the service day from which they hold.
type Timetable struct {
	Versions []Version `json:"versoes"` // in the order of From
}

// Version is what the trips of a family are from a service day on, up to the next version.
type Version struct {
	From  string      `json:"de,omitempty"` // YYYYMMDD; the first version holds on earlier days, too
	Trips []*Schedule `json:"viagens"`      // sorted by id
}

// Schedule is a trip without its path: when it is due at the stops of the path. Nobody changes a Schedule once it is made.
type Schedule struct {
	ID        string    `json:"viagem"`
	Route     string    `json:"linha,omitempty"`
	Headsign  string    `json:"destino,omitempty"`
	Zone      string    `json:"fuso"`                 // IANA time zone
	Frequency Frequency `json:"frequencia,omitempty"` // of a trip of frequencies.txt
	Untimed   bool      `json:"semHorario,omitempty"` // there are no planned times: all Times are 0
	Path      string    `json:"trajeto"`              // the key of the path in topic trajetos
	Times     []Times   `json:"horarios"`             // at each stop of the path
}

// Times are when a trip is due at a stop and when it leaves it, in seconds as in Stop.
type Times [2]int

// With returns the timetable with one more version. A version of the same day gives way to it, and one that changes nothing is left
// out: a correction of an earlier day then holds for it, too.
func (t Timetable) With(version Version) Timetable {
	versions := slices.Clone(t.Versions)
	at, same := slices.BinarySearchFunc(versions, version.From, func(v Version, from string) int { return cmp.Compare(v.From, from) })
	if same {
		versions[at] = version
	} else {
		versions = slices.Insert(versions, at, version)
	}
	return Timetable{Versions: slices.CompactFunc(versions, func(a, b Version) bool { return reflect.DeepEqual(a.Trips, b.Trips) })}
}

// Merge returns the timetable with the versions of a later one.
func (t Timetable) Merge(later Timetable) Timetable {
	for _, version := range later.Versions {
		t = t.With(version)
	}
	return t
}

// Zone is the time zone of the trips, empty if there are none.
func (t Timetable) Zone() string {
	if trips := t.on(""); len(trips) > 0 {
		return trips[0].Zone
	}
	return ""
}

// on are the trips of a service day. Without a day they are those of the latest version.
func (t Timetable) on(day string) []*Schedule {
	n := len(t.Versions)
	if n == 0 {
		return nil
	}
	if day == "" {
		return t.Versions[n-1].Trips
	}
	after, _ := slices.BinarySearchFunc(t.Versions, day, func(v Version, day string) int {
		if v.From <= day {
			return -1
		}
		return 1
	})
	return t.Versions[max(0, after-1)].Trips
}

// schedule finds the trip that a vehicle reports: the one of exactly that id, else the first of its family; nil when there is none.
func (t Timetable) schedule(id, day string) *Schedule {
	trips := t.on(day)
	for _, trip := range trips {
		if trip.ID == id {
			return trip
		}
	}
	if len(trips) == 0 || FamilyOf(trips[0].ID) != FamilyOf(id) {
		return nil
	}
	return trips[0]
}

// trip is the schedule and its path together.
func (s *Schedule) trip(path Path) *Trip {
	stops := slices.Clone(path.Stops)
	for i := range stops {
		stops[i].Due, stops[i].Leaves = s.Times[i][0], s.Times[i][1]
	}
	return &Trip{
		ID: s.ID, Route: s.Route, Headsign: s.Headsign, Zone: s.Zone, Frequency: s.Frequency, Untimed: s.Untimed,
		Path: s.Path, Shape: path.Shape, Stops: stops, Corridor: path.Corridor, Yards: path.Yards,
	}
}
