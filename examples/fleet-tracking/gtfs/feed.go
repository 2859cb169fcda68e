package gtfs

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"github.com/paulmach/orb"
)

// Feed is a GTFS feed as it is published, ids as keys.
type Feed struct {
	Zone   string // IANA time zone of the agency, in which all times of the feed are
	From   string // first service day YYYYMMDD of feed_info.txt, else of the calendar; empty if no file says
	Routes map[string]Route
	Stops  map[string]Stop
	Shapes map[string][]Point // in order of their sequence
	Trips  []Trip             // sorted by id
	Calls  map[string][]Call  // of a trip, in order of their sequence

	Frequencies map[string]Frequency // of the trips that run several times a day
	Timepoints  bool                 // whether the feed says which calls are timepoints

	stopIDs map[string]string // so that calls share them while they are read
}

// Frequency says how a trip of frequencies.txt runs: at exact times, or at intervals only.
type Frequency struct{ Exact bool }

// Route is what passengers call a line.
type Route struct{ ShortName, LongName string }

// Stop is a place where vehicles halt.
type Stop struct {
	Name  string
	Point orb.Point
}

// Point is one of a shape. Along is the distance from its start in the feed's own unit.
type Point struct {
	Sequence int
	Point    orb.Point
	Along    float64
	HasAlong bool
}

// Trip is a run of a route. Its shape may be missing.
type Trip struct{ ID, Route, Headsign, Shape string }

// Call is a trip's halt at a stop. Times are in seconds of the service day; between timepoints they may be missing.
type Call struct {
	Sequence int
	Stop     string
	Arrives  int
	Leaves   int
	Timed    bool
	Along    float64
	HasAlong bool

	Approximate bool // timepoint = 0: the vehicle does not keep to the times here
}

// Read reads a feed and reports all its mistakes. Of the optional files it uses shapes.txt, frequencies.txt, feed_info.txt,
// calendar.txt and calendar_dates.txt; of the last three only the first day.
func Read(feed fs.FS) (*Feed, error) {
	f := &Feed{
		Routes: map[string]Route{},
		Stops:  map[string]Stop{},
		Shapes: map[string][]Point{},
		Calls:  map[string][]Call{},

		Frequencies: map[string]Frequency{},

		stopIDs: map[string]string{},
	}
	err := errors.Join(
		eachRow(feed, "agency.txt", []string{"agency_timezone"}, f.addAgency),
		eachRow(feed, "routes.txt", []string{"route_id"}, f.addRoute),
		eachRow(feed, "stops.txt", []string{"stop_id"}, f.addStop),
		ifThere(eachRow(feed, "shapes.txt", []string{"shape_id", "shape_pt_lat", "shape_pt_lon", "shape_pt_sequence"}, f.addPoint)),
		ifThere(eachRow(feed, "frequencies.txt", []string{"trip_id"}, f.addFrequency)),
		ifThere(eachRow(feed, "feed_info.txt", nil, f.addDay("feed_start_date"))),
		eachRow(feed, "trips.txt", []string{"trip_id", "route_id"}, f.addTrip),
		eachRow(feed, "stop_times.txt",
			[]string{"trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence"}, f.addCall),
	)
	if err == nil && f.From == "" {
		err = errors.Join(
			ifThere(eachRow(feed, "calendar.txt", []string{"start_date"}, f.addDay("start_date"))),
			ifThere(eachRow(feed, "calendar_dates.txt", []string{"date"}, f.addDay("date"))),
		)
	}
	if err != nil {
		return nil, err
	}
	f.stopIDs = nil
	f.sort()
	return f, f.check()
}

// ifThere is the error of reading an optional file: nil if the feed lacks it.
func ifThere(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

func (f *Feed) addAgency(t *table) {
	zone := t.need("agency_timezone")
	if _, err := time.LoadLocation(zone); err != nil {
		t.fail("agency_timezone", fmt.Sprintf("%q is not an IANA time zone", zone))
	}
	if f.Zone == "" {
		f.Zone = zone
	}
}

func (f *Feed) addRoute(t *table) {
	f.Routes[t.need("route_id")] = Route{ShortName: t.text("route_short_name"), LongName: t.text("route_long_name")}
}

func (f *Feed) addStop(t *table) {
	stop := Stop{Name: t.text("stop_name")}
	stop.Point[0], _ = optional(t, "stop_lon", longitude)
	stop.Point[1], _ = optional(t, "stop_lat", latitude)
	id := t.need("stop_id")
	f.Stops[id], f.stopIDs[id] = stop, id
}

func (f *Feed) addPoint(t *table) {
	id := t.need("shape_id")
	p := Point{Sequence: number(t, "shape_pt_sequence", sequence)}
	p.Point[0] = number(t, "shape_pt_lon", longitude)
	p.Point[1] = number(t, "shape_pt_lat", latitude)
	p.Along, p.HasAlong = optional(t, "shape_dist_traveled", distance)
	f.Shapes[id] = append(f.Shapes[id], p)
}

func (f *Feed) addTrip(t *table) {
	f.Trips = append(f.Trips, Trip{
		ID: t.need("trip_id"), Route: t.need("route_id"), Headsign: t.text("trip_headsign"), Shape: t.text("shape_id"),
	})
}

func (f *Feed) addCall(t *table) {
	trip := t.need("trip_id")
	stop := t.need("stop_id")
	if shared, ok := f.stopIDs[stop]; ok {
		stop = shared
	}
	c := Call{Sequence: number(t, "stop_sequence", sequence), Stop: stop}
	arrives, hasArrival := optional(t, "arrival_time", seconds)
	leaves, hasDeparture := optional(t, "departure_time", seconds)
	switch {
	case !hasArrival:
		arrives = leaves
	case !hasDeparture:
		leaves = arrives
	}
	c.Arrives, c.Leaves, c.Timed = arrives, leaves, hasArrival || hasDeparture
	c.Along, c.HasAlong = optional(t, "shape_dist_traveled", distance)
	c.Approximate = t.text("timepoint") == "0"
	_, f.Timepoints = t.columns["timepoint"]
	f.Calls[trip] = append(f.Calls[trip], c)
}

func (f *Feed) addFrequency(t *table) {
	f.Frequencies[t.need("trip_id")] = Frequency{Exact: t.text("exact_times") == "1"}
}

// addDay makes the day in a column the first of the feed, if it is.
func (f *Feed) addDay(column string) func(*table) {
	return func(t *table) {
		if day, ok := optional(t, column, serviceDay); ok && (f.From == "" || day < f.From) {
			f.From = day
		}
	}
}

func (f *Feed) sort() {
	slices.SortFunc(f.Trips, func(a, b Trip) int { return cmp.Compare(a.ID, b.ID) })
	for _, points := range f.Shapes {
		slices.SortStableFunc(points, func(a, b Point) int { return cmp.Compare(a.Sequence, b.Sequence) })
	}
	for _, calls := range f.Calls {
		slices.SortStableFunc(calls, func(a, b Call) int { return cmp.Compare(a.Sequence, b.Sequence) })
	}
}

// check reports what refers to nothing. A shape that is missing is no mistake.
func (f *Feed) check() error {
	var wrong []error
	if f.Zone == "" {
		wrong = append(wrong, errors.New("gtfs: agency.txt names no agency, and so no time zone"))
	}
	if len(f.Trips) == 0 {
		wrong = append(wrong, errors.New("gtfs: trips.txt has no trip"))
	}
	for i, trip := range f.Trips {
		if i > 0 && f.Trips[i-1].ID == trip.ID {
			wrong = append(wrong, fmt.Errorf("gtfs: trips.txt has trip_id %q twice", trip.ID))
		}
		calls := f.Calls[trip.ID]
		if n := len(calls); n > 0 && !(calls[0].Timed && calls[n-1].Timed) {
			wrong = append(wrong, fmt.Errorf("gtfs: stop_times.txt: trip %q needs a time at its first and last stop", trip.ID))
		}
		for _, call := range calls {
			if _, ok := f.Stops[call.Stop]; !ok {
				wrong = append(wrong, fmt.Errorf("gtfs: stop_times.txt: trip %q stops at %q, which is not in stops.txt", trip.ID, call.Stop))
			}
		}
		if len(wrong) >= enough {
			break
		}
	}
	return errors.Join(wrong...)
}
