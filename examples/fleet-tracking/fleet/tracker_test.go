package fleet_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// straight is a trip that goes north for 5 km from 08:00, with a stop every kilometre, five minutes apart.
func straight() *fleet.Trip {
	trip := &fleet.Trip{ID: "l:1:a", Route: "l", Zone: "UTC", Shape: fleet.Shape{{0, 1, 0}, {0, 1 + 5000*metre, 5000}}}
	for i := range 6 {
		due := 8*3600 + 300*i
		trip.Stops = append(trip.Stops, fleet.Stop{Sequence: i + 1, ID: "p", Along: 1000 * float64(i), Due: due, Leaves: due})
	}
	return trip
}

// eight o'clock of the service day.
const eight = 1768521600 + 8*3600

// fix is so many seconds after eight, so many metres east of and along the straight trip.
func fix(second int64, east, north float64) fleet.Position {
	return fleet.Position{
		Vehicle: "onibus-1", Trip: "l:1:b", Day: "20260116", Instant: fleet.Seconds(eight + second),
		Lon: new(east * metre / math.Cos(math.Pi/180)), Lat: new(1 + north*metre),
	}
}

// drive adds fixes one by one and returns what they told.
func drive(t *testing.T, trip *fleet.Trip, fixes ...fleet.Position) (tracker fleet.Tracker, seen []fleet.Observation) {
	t.Helper()
	for _, f := range fixes {
		var o fleet.Observation
		var err error
		if tracker, o, err = tracker.Add(fleet.Planned{Position: f, Trip: trip}); err != nil {
			t.Fatal(err)
		}
		seen = append(seen, o)
	}
	return tracker, seen
}

func arrivals(seen []fleet.Observation) (all []fleet.Arrival) {
	for _, o := range seen {
		all = append(all, o.Arrivals...)
	}
	return all
}

func TestArrivalIsLinearInTime(t *testing.T) {
	_, seen := drive(t, straight(), fix(240, 0, 900), fix(280, 5, 1100), fix(320, 0, 1300))
	got := arrivals(seen)
	if len(got) != 1 {
		t.Fatalf("arrivals: %+v", got)
	}
	a := got[0]
	if a.Sequence != 2 || a.Trip != "l:1:b" || a.Arrived.Unix() != eight+260 || a.Due.Unix() != eight+300 || a.Delay != -40 {
		t.Errorf("arrival is %+v, want stop 2 at 08:04:20, 40 s early", a)
	}
}

func TestStopsBetweenDistantFixesAreNotTimed(t *testing.T) {
	_, seen := drive(t, straight(), fix(240, 0, 900), fix(361, 0, 1100), fix(481, 0, 2100))
	got := arrivals(seen)
	if len(got) != 1 || got[0].Sequence != 3 {
		t.Errorf("arrivals are %+v, want only stop 3: the fixes around stop 2 are 121 s apart", got)
	}
}

func TestEachStopIsReachedOnce(t *testing.T) {
	_, seen := drive(t, straight(), fix(240, 0, 990), fix(250, 0, 1005), fix(260, 0, 995), fix(270, 0, 1006), fix(280, 0, 1050))
	if got := arrivals(seen); len(got) != 1 {
		t.Errorf("arrivals while standing at the stop: %+v", got)
	}
}

// Runs that keep a headway are never late.
func TestNoDelayOfAHeadway(t *testing.T) {
	trip := straight()
	trip.Frequency = fleet.Headway
	before, after := fix(240, 0, 900), fix(280, 0, 1100)
	before.Start, after.Start = "08:00:00", "08:00:00"
	_, seen := drive(t, trip, before, after)
	if got := arrivals(seen); got != nil || seen[1].Progress.Delay != nil {
		t.Errorf("arrivals are %+v, progress is %+v", got, seen[1].Progress)
	}
}

func TestEpisode(t *testing.T) {
	_, seen := drive(t, straight(),
		fix(0, 0, 10),
		fix(30, 101, 200), // alone off the route: no episode
		fix(60, 99, 400),
		fix(90, 150, 600), fix(120, 400, 800), fix(150, 120, 900),
		fix(180, 0, 1200),
	)
	var got []fleet.Episode
	for _, o := range seen {
		if e := o.Deviation.Episode; e != nil {
			got = append(got, *e)
		}
	}
	if len(got) != 2 || got[0].Fixes != 2 {
		t.Fatalf("episodes grow like this: %+v", got)
	}
	e := got[1]
	if e.First.Unix() != eight+90 || e.Last.Unix() != eight+150 || e.Fixes != 3 || math.Abs(e.Max-400) > 0.1 {
		t.Errorf("episode is %+v, want 3 fixes from 08:01:30 to 08:02:30 and 400 m", e)
	}
}

// A late fix says where the vehicle was, but changes nothing of where it is.
func TestLateFix(t *testing.T) {
	fixes := []fleet.Position{fix(240, 0, 900), fix(280, 0, 1100), fix(260, 300, 950), fix(320, 0, 1300)}
	tracker, seen := drive(t, straight(), fixes...)
	without, _ := drive(t, straight(), fixes[0], fixes[1], fixes[3])
	if late := seen[2]; late.Deviation == nil || math.Abs(late.Deviation.Distance-300) > 0.1 || late.Progress != nil || late.Arrivals != nil {
		t.Errorf("the late fix tells %+v, want only its deviation", late)
	}
	if !reflect.DeepEqual(tracker, without) {
		t.Errorf("tracker is %+v, without the late fix %+v", tracker, without)
	}
}

func TestTripWithoutShape(t *testing.T) {
	trip := straight()
	trip.Shape = nil
	_, seen := drive(t, trip, fix(0, 0, 10), fix(30, 0, 1200))
	for _, o := range seen {
		if o.Deviation != nil || o.Progress != nil || o.Arrivals != nil {
			t.Errorf("a trip without a shape tells %+v", o)
		}
	}
}

func TestProgress(t *testing.T) {
	_, seen := drive(t, straight(), fix(240, 0, 900), fix(280, 0, 1100))
	p := seen[1].Progress
	if p == nil || math.Abs(p.Along-1100) > 0.1 || p.Length != 5000 || *p.Delay != -40 {
		t.Fatalf("progress is %+v", p)
	}
	if n := p.Next; n == nil || n.Sequence != 3 || math.Abs(n.Ahead-900) > 0.1 || n.Due.Unix() != eight+600 {
		t.Errorf("next stop is %+v", p.Next)
	}
	_, seen = drive(t, straight(), fix(1400, 0, 4900), fix(1500, 0, 5090))
	if p := seen[1].Progress; p.Next != nil || math.Abs(p.Along-5000) > 1e-6 {
		t.Errorf("behind the last stop progress is %+v", p)
	}
}

// Out and back on one street: the same place comes twice, and only the way there tells which time it is.
func TestOutAndBack(t *testing.T) {
	trip := straight()
	trip.Shape = fleet.Shape{{0, 1, 0}, {0, 1 + 2000*metre, 2000}, {0, 1, 4000}}
	trip.Stops = trip.Stops[:5]
	var fixes []fleet.Position
	for second := int64(0); second <= 1200; second += 20 {
		north := float64(second) * 10 / 3
		if north > 2000 {
			north = 4000 - north
		}
		fixes = append(fixes, fix(second, 4, north))
	}
	_, seen := drive(t, trip, fixes...)
	got := arrivals(seen)
	if len(got) != 4 {
		t.Fatalf("%d arrivals, want 4: %+v", len(got), got)
	}
	for i, a := range got {
		if a.Sequence != i+2 || math.Abs(a.Delay) > 1 {
			t.Errorf("arrival %d is %+v, want stop %d on time", i, a, i+2)
		}
	}
	for i, o := range seen {
		if want := float64(20*i) * 10 / 3; math.Abs(o.Progress.Along-want) > 30 {
			t.Errorf("after %d s progress is %.0f m, want %.0f", 20*i, o.Progress.Along, want)
		}
	}
}

// What is kept in a store is what goes on.
func TestTrackerSurvivesJSON(t *testing.T) {
	fixes := []fleet.Position{fix(0, 0, 10), fix(100, 0, 900), fix(130, 150, 1100), fix(160, 170, 1300), fix(190, 0, 2100)}
	want, seen := drive(t, straight(), fixes...)
	var tracker fleet.Tracker
	for i, f := range fixes {
		encoded, err := json.Marshal(tracker)
		if err != nil {
			t.Fatal(err)
		}
		tracker = fleet.Tracker{}
		if err := json.Unmarshal(encoded, &tracker); err != nil {
			t.Fatal(err)
		}
		var o fleet.Observation
		if tracker, o, err = tracker.Add(fleet.Planned{Position: f, Trip: straight()}); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(o, seen[i]) {
			t.Errorf("fix %d tells %+v, want %+v", i, o, seen[i])
		}
	}
	if !reflect.DeepEqual(tracker, want) {
		t.Errorf("tracker is %+v, want %+v", tracker, want)
	}
}

func TestBadServiceDay(t *testing.T) {
	f := fix(0, 0, 0)
	f.Day = "hoje"
	if _, _, err := (fleet.Tracker{}).Add(fleet.Planned{Position: f, Trip: straight()}); err == nil {
		t.Error("service day \"hoje\" is accepted")
	}
}
