package fleet_test

import (
	"encoding/json"
	"fmt"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// along is a trip that goes north from 08:00, with stops so many metres after the start, due two minutes apart.
func along(metres ...float64) *fleet.Trip {
	trip := &fleet.Trip{ID: "l:1:a", Route: "l", Zone: "UTC"}
	for i, m := range metres {
		due := 8*3600 + 120*i
		trip.Shape = append(trip.Shape, fleet.Vertex{0, 1 + m*metre, m})
		trip.Stops = append(trip.Stops, fleet.Stop{Sequence: i + 1, ID: fmt.Sprint("p", i+1), Lat: 1 + m*metre, Along: m, Due: due, Leaves: due})
	}
	return trip
}

// run is a script of fixes, one a line: seconds after 08:00, metres along the trip, and what else there is to say: its speed in
// m/s, metres east of the line, another trip or none.
func run(t *testing.T, script string) (fixes []fleet.Position) {
	t.Helper()
	for line := range strings.Lines(script) {
		var second, speed, east, north float64
		var trip string
		for i, word := range strings.Fields(line) {
			name, value, given := strings.Cut(word, "=")
			var err error
			switch {
			case i == 0:
				_, err = fmt.Sscan(word, &second)
			case i == 1:
				_, err = fmt.Sscan(word, &north)
			case name == "speed" && given:
				_, err = fmt.Sscan(value, &speed)
			case name == "east" && given:
				_, err = fmt.Sscan(value, &east)
			case name == "trip" && given:
				trip = value
			default:
				err = fmt.Errorf("%q is no word of the script", word)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		f := fix(int64(second), east, north)
		if strings.Contains(line, "speed=") {
			f.Speed = &speed
		}
		switch trip {
		case "none":
			f.Trip, f.Day = "", ""
		case "":
		default:
			f.Trip = trip
		}
		if len(strings.Fields(line)) > 0 {
			fixes = append(fixes, f)
		}
	}
	return fixes
}

// visit lets a vehicle drive and returns the visits and legs of its run on a trip as they were told.
func visit(t *testing.T, trip *fleet.Trip, fixes []fleet.Position) (visits []fleet.Visit, legs []fleet.Leg) {
	t.Helper()
	var vehicle fleet.Handover
	trackers := map[string]fleet.VisitTracker{}
	plan := fleet.PlanOf("", trip)
	for _, f := range fixes {
		var handed []fleet.RunFix
		vehicle, handed = vehicle.Add(f)
		for _, h := range handed {
			planned := plan.On(h)
			if !planned.Known() {
				continue
			}
			before := trackers[planned.Key()]
			was := encoded(t, before)
			after, told, err := before.Add(planned)
			if err != nil {
				t.Fatal(err)
			}
			if now := encoded(t, before); now != was {
				t.Fatalf("Add changed the tracker it was called on, from %s to %s", was, now)
			}
			var stored fleet.VisitTracker
			if err := json.Unmarshal([]byte(encoded(t, after)), &stored); err != nil || !reflect.DeepEqual(stored, after) {
				t.Fatalf("tracker %+v is stored as %+v: %v", after, stored, err)
			}
			trackers[planned.Key()] = stored
			visits = append(visits, told.Visits...)
			legs = append(legs, told.Legs...)
		}
	}
	return visits, legs
}

func encoded(t *testing.T, v any) string {
	t.Helper()
	text, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// last is the last visit of each stop, in the order of the trip: stop, how, and the seconds after 08:00 of its fixes, arrival and departure.
func last(visits []fleet.Visit) string {
	byStop := map[int]fleet.Visit{}
	for _, v := range visits {
		byStop[v.Sequence] = v
	}
	var text strings.Builder
	for _, sequence := range sortedKeys(byStop) {
		v := byStop[sequence]
		fmt.Fprintf(&text, "%d %s %s..%s arrives %s leaves %s\n", sequence, v.How, clock(v.Low), clock(v.High), clock(v.Arrived), clock(v.Left))
	}
	return text.String()
}

func sortedKeys(m map[int]fleet.Visit) (keys []int) {
	for k := range m {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

func clock(at fleet.Instant) string {
	if at == 0 {
		return "-"
	}
	return fmt.Sprint(at.Since(fleet.Seconds(eight)))
}

func TestVisits(t *testing.T) {
	for _, test := range []struct {
		name   string
		trip   *fleet.Trip
		script string
		want   string
	}{
		{
			"a vehicle that does not halt passes, linear in time", along(0, 1000, 2000),
			`
			60 800 speed=10
			100 1200 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 pass 60..100 arrives 80 leaves 80
			`,
		},
		{
			"a halt short of the stop is the arrival, and ends with the last fix that stands", along(0, 1000, 2000),
			`
			60 800 speed=10
			80 970 speed=0
			110 970 speed=0.9
			140 1200 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 halt 60..80 arrives 80 leaves 110
			`,
		},
		{
			"a halt behind the stop arrives when the vehicle was at the stop", along(0, 1000, 2000),
			`
			60 800 speed=10
			100 1040 speed=0
			130 1200 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 halt 60..100 arrives 93.333 leaves 100
			`,
		},
		{
			"a vehicle at 1 m/s does not stand", along(0, 1000, 2000),
			`
			60 800 speed=10
			80 970 speed=1
			100 1100 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 pass 80..100 arrives 84.615 leaves 84.615
			`,
		},
		{
			"without reported speeds the pair after shows that a vehicle stands, or the pair before", along(0, 1000, 2000),
			`
			60 800
			80 970
			110 975
			140 980
			170 1200
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 halt 60..80 arrives 80 leaves 140
			`,
		},
		{
			"a halt 51 m from the stop's point is none", along(0, 1000, 2000),
			`
			60 800 speed=10
			80 970 east=42 speed=0
			110 1300 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 pass 80..110 arrives 82.727 leaves 82.727
			`,
		},
		{
			"the zones of stops that are close end half way between them", along(0, 1000, 1040),
			`
			60 800 speed=10
			80 1015 speed=0
			110 1025 speed=0
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 halt 60..80 arrives 78.605 leaves 80
			3 halt 80..110 arrives 110 leaves -
			`,
		},
		{
			"fixes more than 150 s apart time no arrival, but a departure", along(0, 1000, 2000, 3000),
			`
			60 800 speed=10
			211 1010 speed=0
			240 1200 speed=10
			391 2500 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 gap 60..211 arrives - leaves 211
			3 gap 240..391 arrives - leaves -
			`,
		},
		{
			"fixes 150 s apart do", along(0, 1000, 2000),
			`
			60 800 speed=10
			210 1100 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 pass 60..210 arrives 160 leaves 160
			`,
		},
		{
			"a vehicle that stands at a stop at first has only a departure there", along(0, 1000, 2000, 3000),
			`
			180 1010 speed=0
			210 1010 speed=0
			240 1300 speed=10
			`,
			`
			1 not_seen -..180 arrives - leaves -
			2 there_at_first_fix -..180 arrives - leaves 210
			`,
		},
		{
			"a vehicle that comes to the first stop and halts arrives there", along(0, 1000, 2000),
			`
			0 30 speed=5
			30 10 speed=0
			60 10 speed=0
			90 300 speed=10
			`,
			`
			1 halt 0..30 arrives 30 leaves 60
			`,
		},
		{
			"the last stop is reached within its zone if nothing better comes", along(0, 1000, 2000),
			`
			150 1800 speed=10
			170 1960 speed=9
			`,
			`
			1 not_seen -..150 arrives - leaves -
			2 not_seen -..150 arrives - leaves -
			3 radius 150..170 arrives 170 leaves 170
			`,
		},
		{
			"a halt there is better", along(0, 1000, 2000),
			`
			150 1800 speed=10
			170 1960 speed=9
			180 1990 speed=0
			`,
			`
			1 not_seen -..150 arrives - leaves -
			2 not_seen -..150 arrives - leaves -
			3 halt 170..180 arrives 180 leaves -
			`,
		},
		{
			"the vehicle's next fix counts if it lies in the last stop's zone", along(0, 1000, 2000),
			`
			150 1800 speed=10
			170 1990 speed=0 trip=none
			`,
			`
			1 not_seen -..150 arrives - leaves -
			2 not_seen -..150 arrives - leaves -
			3 halt 150..170 arrives 170 leaves -
			`,
		},
		{
			"elsewhere it does not", along(0, 1000, 2000, 3000),
			`
			150 1800 speed=10
			170 2010 speed=0 trip=none
			`,
			`
			1 not_seen -..150 arrives - leaves -
			2 not_seen -..150 arrives - leaves -
			`,
		},
		{
			"nor does it after 151 s", along(0, 1000, 2000),
			`
			150 1800 speed=10
			301 1990 speed=0 trip=none
			`,
			`
			1 not_seen -..150 arrives - leaves -
			2 not_seen -..150 arrives - leaves -
			`,
		},
		{
			"the vehicle's fix before counts if it lies on the line", along(0, 1000, 2000),
			`
			60 800 speed=10 trip=none
			100 1200 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 pass 60..100 arrives 80 leaves 80
			`,
		},
		{
			"off the line it does not", along(0, 1000, 2000),
			`
			60 800 east=61 speed=10 trip=none
			100 1200 speed=10
			`,
			`
			1 not_seen -..100 arrives - leaves -
			2 not_seen -..100 arrives - leaves -
			`,
		},
		{
			"nor does one 151 s before", along(0, 1000, 2000),
			`
			60 800 speed=10 trip=none
			211 1200 speed=10
			`,
			`
			1 not_seen -..211 arrives - leaves -
			2 not_seen -..211 arrives - leaves -
			`,
		},
		{
			"a late fix changes nothing", along(0, 1000, 2000),
			`
			60 800 speed=10
			100 1200 speed=10
			80 1000 speed=0
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 pass 60..100 arrives 80 leaves 80
			`,
		},
		{
			"a place that falls back takes nothing back", along(0, 1000, 2000),
			`
			60 800 speed=10
			100 1200 speed=10
			110 990 speed=10
			150 1400 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 pass 60..100 arrives 80 leaves 80
			`,
		},
		{
			"a fix off the line has no place", along(0, 1000, 2000),
			`
			60 800 speed=10
			80 1000 east=70 speed=0
			100 1200 speed=10
			`,
			`
			1 not_seen -..60 arrives - leaves -
			2 pass 60..100 arrives 80 leaves 80
			`,
		},
		{
			"no place more than 900 s ahead of the plan is believed beyond the first 100 m", along(0, 1000, 2000),
			`
			-1000 10 speed=0
			-900 500 speed=10
			-870 1100 speed=10
			-30 1900 speed=10
			`,
			`
			1 there_at_first_fix -..-1000 arrives - leaves -
			2 gap -1000..-30 arrives - leaves -
			`,
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			visits, _ := visit(t, test.trip, run(t, test.script))
			if got, want := last(visits), unindented(test.want); got != want {
				t.Errorf("visits are\n%swant\n%s", got, want)
			}
		})
	}
}

// A trip without a shape has its stops joined, and progress along that line.
func TestProgressWithoutShape(t *testing.T) {
	trip := along(0, 1000, 2000)
	trip.Shape = nil
	var tracker fleet.VisitTracker
	var told fleet.Stops
	for _, f := range run(t, "60 900 speed=10\n80 1100 speed=10") {
		var err error
		if tracker, told, err = tracker.Add(fleet.Planned{Position: f, Trip: trip}); err != nil {
			t.Fatal(err)
		}
	}
	p := told.Progress
	if p == nil || math.Abs(p.Along-1100) > 0.1 || math.Abs(p.Length-2000) > 0.1 || p.Next == nil || p.Next.Sequence != 3 || p.Delay == nil || *p.Delay != -50 {
		t.Errorf("progress is %+v, want 1100 of 2000 m, stop 3 next, 50 s early", p)
	}
}

// A run goes on when a new timetable has fewer stops.
func TestFewerStops(t *testing.T) {
	var tracker fleet.VisitTracker
	for i, f := range run(t, "60 900 speed=10\n80 1000 speed=0\n110 1000 speed=0\n140 1150 speed=9") {
		trip := along(0, 1000, 2000)
		if i >= 2 {
			trip.Stops = trip.Stops[:1]
		}
		var err error
		if tracker, _, err = tracker.Add(fleet.Planned{Position: f, Trip: trip}); err != nil {
			t.Fatal(err)
		}
	}
	if tracker.Reached < 1149 {
		t.Errorf("reached %v m, want 1150", tracker.Reached)
	}
}

func unindented(text string) string {
	var lines strings.Builder
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" {
			lines.WriteString(line + "\n")
		}
	}
	return lines.String()
}
