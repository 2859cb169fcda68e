package simulation_test

import (
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
)

func TestSameSeedSameDay(t *testing.T) {
	one := simulation.New(simulation.Config{Vehicles: 7, Seed: 3})
	same := simulation.New(simulation.Config{Vehicles: 7, Seed: 3, Truth: &simulation.Truth{}})
	other := simulation.New(simulation.Config{Vehicles: 7, Seed: 4})
	differs := false
	for range 5000 {
		p, at := one.Next()
		q, atSame := same.Next()
		if !reflect.DeepEqual(p, q) || !at.Equal(atSame) {
			t.Fatalf("seed 3 sends %+v, then %+v", p, q)
		}
		r, _ := other.Next()
		differs = differs || !reflect.DeepEqual(p, r)
	}
	if !differs {
		t.Error("seed 4 sends what seed 3 sends")
	}
}

// What the radio does to positions must all be there for the example to cope with.
func TestRadio(t *testing.T) {
	var truth simulation.Truth
	buses := simulation.New(simulation.Config{Vehicles: 10, Truth: &truth})
	latest := map[string]fleet.Instant{}
	var lastArrival time.Time
	var without, overtaken int
	n := 20_000
	if testing.Short() {
		n /= 5
	}
	for i := range n {
		p, at := buses.Next()
		if at.Before(lastArrival) {
			t.Fatalf("position %d arrives at %v, after one of %v", i, at, lastArrival)
		}
		lastArrival = at
		if p.Seq != int64(i+1) || p.Arrival <= p.Instant {
			t.Fatalf("position %d is %+v", i, p)
		}
		if p.Fault() != "" {
			without++
		}
		if p.Instant < latest[p.Vehicle] {
			overtaken++
		}
		latest[p.Vehicle] = max(latest[p.Vehicle], p.Instant)
	}
	between(t, "positions without a place", without, n/200, n/50)
	between(t, "positions overtaken by later ones", overtaken, n/100, n/20)
	between(t, "repeats", truth.Repeats, n/50, 3*n/50)
	between(t, "late fixes", truth.Late, n/100, 7*n/200)
}

// TestTruth follows a fleet through a day, past midnight into the next service day, and compares what the domain makes of its
// positions with what happened.
func TestTruth(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for seconds")
	}
	var truth simulation.Truth
	buses := simulation.New(simulation.Config{Vehicles: 10, Seed: 7, Truth: &truth})
	got := follow(t, buses, 20*time.Hour)
	compareArrivals(t, truth.Arrivals, got.arrivals)
	compareVisits(t, truth.Arrivals, got.visits)
	compareExcursions(t, truth.Excursions, got.episodes, 15)
}

// TestOtherCities follows fleets in other zones, far north and far east, on lines of other shapes, through the night in which clocks change
// while the last buses are under way.
func TestOtherCities(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for seconds")
	}
	for name, test := range map[string]struct {
		city  *simulation.City
		start time.Time // in the evening before
	}{
		"Helsinki": {simulation.Helsinki, time.Date(2026, 3, 28, 20, 0, 0, 0, time.UTC)},
		"Auckland": {simulation.Auckland, time.Date(2026, 4, 4, 9, 0, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) {
			var truth simulation.Truth
			buses := simulation.New(simulation.Config{Vehicles: 6, Seed: 7, City: test.city, Start: test.start, Truth: &truth})
			got := follow(t, buses, 13*time.Hour)
			compareArrivals(t, truth.Arrivals, got.arrivals)
			compareVisits(t, truth.Arrivals, got.visits)
			compareExcursions(t, truth.Excursions, got.episodes, 3)
			compareClocks(t, test.city, got.visits)
		})
	}
}

// compareClocks fails if a stop of a day that does not change clocks, or of one whose night did, is not due when a clock shows the time of the
// timetable. Trip ids have the time of departure, HHMM.
func compareClocks(t *testing.T, city *simulation.City, visits map[stop]fleet.Visit) {
	t.Helper()
	zone, err := time.LoadLocation(city.Zone)
	if err != nil {
		t.Fatal(err)
	}
	days := map[string]int{}
	for s, v := range visits {
		_, departs, _ := strings.Cut(s.trip, ":")
		if s.sequence != 1 || departs[:2] >= "24" || departs[0] == '9' { // after midnight clocks may change; or the block was planned anew
			continue
		}
		days[s.day]++
		if got := v.Leaves.Time().In(zone).Format("200601021504"); got != s.day+departs[:4] {
			t.Errorf("trip %s of %s leaves at %s", s.trip, s.day, got)
		}
	}
	if len(days) != 2 {
		t.Errorf("trips of the days %v, want two days", days)
	}
}

// An eventful fleet shows a bus off its route and a late one within three minutes, whatever the seed; 0 to 9 were tried.
func TestEventful(t *testing.T) {
	for _, seed := range []uint64{1, 2} {
		buses := simulation.New(simulation.Config{Seed: seed, Eventful: true})
		got := follow(t, buses, 3*time.Minute)
		off := slices.ContainsFunc(got.episodes, func(d fleet.Deviation) bool { return d.Episode.Max > 100 })
		late := false
		for _, a := range got.arrivals {
			late = late || a.Delay >= 180
		}
		if !off || !late {
			t.Errorf("seed %d: off the route %v, late %v", seed, off, late)
		}
	}
}

type stop struct {
	vehicle, trip, day string
	sequence           int
}

type followed struct {
	arrivals map[stop]fleet.Arrival
	visits   map[stop]fleet.Visit // the last of each stop
	episodes []fleet.Deviation    // the last of each
}

func follow(t *testing.T, buses *simulation.Fleet, duration time.Duration) followed {
	t.Helper()
	plan := buses.Network().Plan("")
	repeats := map[string]fleet.Repeats{}
	trackers := map[string]fleet.Tracker{}
	type episode struct {
		run   string
		first fleet.Instant
	}
	episodes := map[episode]fleet.Deviation{}
	got := followed{arrivals: map[stop]fleet.Arrival{}, visits: map[stop]fleet.Visit{}}
	handovers, visitors := map[string]fleet.Handover{}, map[string]fleet.VisitTracker{}
	fix, start := buses.Next()
	for at := start; at.Sub(start) < duration; fix, at = buses.Next() {
		var isNew bool
		if fix.Fault() != "" {
			continue
		}
		if repeats[fix.Vehicle], isNew = repeats[fix.Vehicle].Add(fix); !isNew {
			continue
		}
		var handed []fleet.RunFix
		handovers[fix.Vehicle], handed = handovers[fix.Vehicle].Add(fix)
		for _, h := range handed {
			planned := plan.On(h)
			visitor, told, err := visitors[planned.Key()].Add(planned)
			if err != nil {
				t.Fatal(err)
			}
			visitors[planned.Key()] = visitor
			for _, v := range told.Visits {
				got.visits[stop{v.Vehicle, v.Trip, v.Day, v.Sequence}] = v
			}
		}
		if !fix.OnTrip() {
			continue
		}
		planned := plan.On(fleet.RunFix{Position: fix})
		if !planned.Known() {
			t.Fatalf("trip %s of %s is not in the timetable", fix.Trip, fix.Vehicle)
		}
		tracker, seen, err := trackers[fix.Run()].Add(planned)
		if err != nil {
			t.Fatal(err)
		}
		trackers[fix.Run()] = tracker
		if e := seen.Deviation.Episode; e != nil {
			episodes[episode{fix.Run(), e.First}] = *seen.Deviation
		}
		for _, a := range seen.Arrivals {
			s := stop{a.Vehicle, a.Trip, a.Day, a.Sequence}
			if _, twice := got.arrivals[s]; twice {
				t.Errorf("arrival at %+v is reported twice", s)
			}
			got.arrivals[s] = a
		}
	}
	for _, e := range episodes {
		got.episodes = append(got.episodes, e)
	}
	return got
}

// compareArrivals allows for what fixes ten seconds apart and some metres off can tell. A bus that comes to a halt a few metres short of
// the stop seems to arrive when it leaves; at the last stop it may never seem to arrive.
func compareArrivals(t *testing.T, truth []simulation.Arrival, got map[stop]fleet.Arrival) {
	t.Helper()
	var apart, delays []float64
	missed := 0
	for _, a := range truth {
		our, ok := got[stop{a.Vehicle, a.Trip, a.Day, a.Sequence}]
		if !ok {
			missed++
			continue
		}
		apart = append(apart, math.Abs(our.Arrived.Since(a.At)))
		delays = append(delays, math.Abs(our.Delay-a.Delay))
	}
	slices.Sort(apart)
	slices.Sort(delays)
	n := len(apart)
	between(t, "95 % of the seconds by which delays differ", int(delays[n*95/100]), 0, 25)
	between(t, "arrivals missed, in 1000", missed*1000/len(truth), 0, 50)
	between(t, "arrivals that did not happen", len(got)-n, 0, 5)
	between(t, "median of the seconds apart", int(apart[n/2]), 0, 10)
	between(t, "95 % of the seconds apart", int(apart[n*95/100]), 0, 25)
	between(t, "most seconds apart", int(apart[n-1]), 0, 120)
}

// compareVisits allows for what fixes ten seconds apart can tell. A bus that halts short of the stop has arrived, and so has one
// that ends its run a few metres before the last stop.
func compareVisits(t *testing.T, truth []simulation.Arrival, got map[stop]fleet.Visit) {
	t.Helper()
	var apart []float64
	missed := 0
	for _, a := range truth {
		our, ok := got[stop{a.Vehicle, a.Trip, a.Day, a.Sequence}]
		if !ok || our.Arrived == 0 {
			missed++
			continue
		}
		apart = append(apart, math.Abs(our.Arrived.Since(a.At)))
	}
	slices.Sort(apart)
	n := len(apart)
	between(t, "visits missed, in 1000", missed*1000/len(truth), 0, 20)
	between(t, "median of the seconds apart", int(apart[n/2]), 0, 5)
	between(t, "95 % of the seconds apart", int(apart[n*95/100]), 0, 15)
	between(t, "most seconds apart", int(apart[n-1]), 0, 200) // on a detour where a line goes in and out on one street
}

// compareExcursions looks for one episode for each excursion that lasts at least a minute, so that some fixes of it can be lost, and
// for one excursion for each episode.
func compareExcursions(t *testing.T, truth []simulation.Excursion, got []fleet.Deviation, least int) {
	t.Helper()
	same := func(e simulation.Excursion, d fleet.Deviation) bool {
		return e.Vehicle == d.Vehicle && e.Trip == d.Trip && e.Day == d.Day &&
			d.Episode.First <= e.To+fleet.Seconds(2) && d.Episode.Last >= e.From-fleet.Seconds(2)
	}
	long := 0
	for _, e := range truth {
		if e.Open || e.To.Since(e.From) < 60 {
			continue
		}
		long++
		i := slices.IndexFunc(got, func(d fleet.Deviation) bool { return same(e, d) })
		if i < 0 {
			t.Errorf("excursion %+v is not seen", e)
			continue
		}
		if our := got[i].Episode; our.Max < 0.7*e.Max || our.Max > e.Max+20 {
			t.Errorf("excursion of %s on %s goes %.0f m, its episode %.0f m", e.Vehicle, e.Trip, e.Max, our.Max)
		}
	}
	between(t, "excursions of a minute", long, least, 200)
	for _, d := range got {
		const surely = 120 // metres: nearer, the noise of the GPS may have made the episode
		if d.Episode.Max < surely {
			continue
		}
		if !slices.ContainsFunc(truth, func(e simulation.Excursion) bool { return same(e, d) }) {
			t.Errorf("episode of %s on %s did not happen: %+v", d.Vehicle, d.Trip, *d.Episode)
		}
	}
}

// TestStopsWithoutDistances takes the distances out of the feed. They must come out again, also for the line that crosses itself. Of
// line 005 a stop that the bus passes twice, on the way into the terminal and out, may be set down at either time.
func TestStopsWithoutDistances(t *testing.T) {
	feed := simulation.Network(10)
	want := feed.Plan("").Trips()
	for _, points := range feed.Shapes {
		for i := range points {
			points[i].Along, points[i].HasAlong = 0, false
		}
	}
	feed.Trips = slices.DeleteFunc(feed.Trips, func(trip gtfs.Trip) bool { return trip.Route == "005" })
	want = slices.DeleteFunc(want, func(trip *fleet.Trip) bool { return trip.Route == "005" })
	compareStops(t, feed, want)
}

// TestDistancesInKilometres gives the same feed in another unit.
func TestDistancesInKilometres(t *testing.T) {
	feed := simulation.Network(10)
	want := feed.Plan("").Trips()
	for _, points := range feed.Shapes {
		for i := range points {
			points[i].Along /= 1000
		}
	}
	for _, calls := range feed.Calls {
		for i := range calls {
			calls[i].Along /= 1000
		}
	}
	compareStops(t, feed, want)
}

func compareStops(t *testing.T, feed *gtfs.Feed, want []*fleet.Trip) {
	t.Helper()
	for i, trip := range feed.Plan("").Trips() {
		for j, s := range trip.Stops {
			if planned := want[i].Stops[j].Along; math.Abs(s.Along-planned) > 2 {
				t.Fatalf("trip %s stop %d lies at %.0f m, want %.0f", trip.ID, s.Sequence, s.Along, planned)
			}
		}
	}
}

func between(t *testing.T, what string, got, low, high int) {
	t.Helper()
	t.Logf("%s: %d", what, got)
	if got < low || got > high {
		t.Errorf("%s: %d, want %d to %d", what, got, low, high)
	}
}
