package fleet

import "sort"

const (
	offRoute     = 100.0 // metres: farther from the shape a fix is off the route, unless the trip says otherwise
	episodeFixes = 2     // consecutive fixes off the route that make an episode
	closeInTime  = 120   // seconds: the farthest that two fixes may be apart to time the stops between them
)

// Tracker follows one vehicle on one trip of one service day, fix by fix. The zero value is the beginning; a Tracker is a value, and
// Add leaves the one it is called on as it was. What it keeps does not grow with the number of fixes.
//
// Fixes count in the order in which they come. One that is not newer than the latest gets its deviation, but is too late to
// change where the vehicle is: it belongs to no episode, and it moves neither progress nor arrivals.
type Tracker struct {
	Latest Instant  `json:"instante"`
	Off    *Episode `json:"fora,omitempty"` // the fixes off the route in a row up to the latest; one is not yet an episode
	Match  match    `json:"lugar"`
	Passed Marks    `json:"passadas,omitempty"` // stops behind the vehicle, by index
	Delay  *float64 `json:"atraso,omitempty"`   // at the latest arrival, seconds
}

// LastFix is the time of the run's latest fix, 0 before the first.
func (t Tracker) LastFix() Instant { return t.Latest }

// Add takes in a fix of a known trip. It fails if the service day is not one.
func (t Tracker) Add(planned Planned) (Tracker, Observation, error) {
	fix, trip := planned.Position, planned.Trip
	dayStart, err := planned.Origin()
	if err != nil {
		return t, Observation{}, err
	}
	near, distance := trip.Shape.approaches(fix.Point(), onRoute)
	var seen Observation
	if len(trip.Shape) > 0 {
		seen.Deviation = &Deviation{
			Seq: fix.Seq, Vehicle: fix.Vehicle, Route: trip.Route, Trip: fix.Trip, Day: fix.Day,
			Instant: fix.Instant, Distance: distance,
		}
	}
	if late := t.Latest != 0 && fix.Instant <= t.Latest; late || len(trip.Shape) == 0 {
		return t, seen, nil
	}

	t.Latest = fix.Instant
	t.Off = t.Off.next(fix.Instant, distance, trip.corridor())
	if t.Off != nil && t.Off.Fixes >= episodeFixes {
		seen.Deviation.Episode = t.Off
	}
	before := t.Match.Instant
	after, way, ok := t.Match.next(fix, near, trip, dayStart)
	if !ok {
		return t, seen, nil
	}
	t.Match = after
	if way.Continues {
		seen.Arrivals = t.arrivals(fix, trip, dayStart, before, way)
	}
	seen.Progress = t.progress(fix, trip, dayStart, way.To)
	return t, seen, nil
}

// next is the run of fixes off the route after one more fix; nil when that one is on the route.
func (e *Episode) next(at Instant, distance, corridor float64) *Episode {
	if distance <= corridor {
		return nil
	}
	if e == nil {
		return &Episode{First: at, Last: at, Fixes: 1, Max: distance}
	}
	return &Episode{First: e.First, Last: at, Fixes: e.Fixes + 1, Max: max(e.Max, distance)}
}

// arrivals marks the stops between the ends of a move as passed, and times them if the move was quick enough.
func (t *Tracker) arrivals(fix Position, trip *Trip, dayStart, before Instant, way move) []Arrival {
	var arrivals []Arrival
	first := sort.Search(len(trip.Stops), func(i int) bool { return trip.Stops[i].Along > way.From })
	for i := first; i < len(trip.Stops) && trip.Stops[i].Along <= way.To; i++ {
		if t.Passed.Has(i) {
			continue
		}
		t.Passed = t.Passed.With(i)
		if fix.Instant.Since(before) > closeInTime || !trip.hasDelays() {
			continue
		}
		stop := trip.Stops[i]
		part := (stop.Along - way.From) / (way.To - way.From)
		at := before + Instant(part*float64(fix.Instant-before)+0.5)
		due := dayStart + Seconds(int64(stop.Due))
		delay := at.Since(due)
		t.Delay = &delay
		arrivals = append(arrivals, Arrival{
			Vehicle: fix.Vehicle, Route: trip.Route, Trip: fix.Trip, Day: fix.Day,
			Sequence: stop.Sequence, Stop: stop.ID, Name: stop.Name,
			Due: due, Arrived: at, Delay: delay,
		})
	}
	return arrivals
}

func (t *Tracker) progress(fix Position, trip *Trip, dayStart Instant, along float64) *Progress {
	p := &Progress{
		Vehicle: fix.Vehicle, Route: trip.Route, Trip: fix.Trip, Day: fix.Day, Instant: fix.Instant,
		Along: along, Length: trip.Shape.Length(), Delay: t.Delay,
	}
	next := sort.Search(len(trip.Stops), func(i int) bool { return trip.Stops[i].Along > along })
	if next < len(trip.Stops) {
		stop := trip.Stops[next]
		p.Next = &NextStop{
			Sequence: stop.Sequence, Stop: stop.ID, Name: stop.Name,
			Ahead: millimetres(stop.Along - along), Due: plan{trip, dayStart}.due(stop),
		}
	}
	return p
}

// Marks is a set of small numbers.
type Marks []uint32

// Has reports whether i is in the set.
func (m Marks) Has(i int) bool { return i/32 < len(m) && m[i/32]&(1<<(i%32)) != 0 }

// With is the set and i; it shares nothing with m.
func (m Marks) With(i int) Marks {
	with := make(Marks, max(len(m), i/32+1))
	copy(with, m)
	with[i/32] |= 1 << (i % 32)
	return with
}
