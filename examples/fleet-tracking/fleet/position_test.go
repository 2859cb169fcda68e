package fleet_test

import (
	"encoding/json"
	"math"
	"reflect"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

func TestValid(t *testing.T) {
	for _, test := range []struct {
		name     string
		lat, lon float64
		want     bool
	}{
		{"Aracaju", -10.9, -37.07, true},
		{"on the equator", 0, -51, true},
		{"no position, or a drop-out", 0, 0, false},
		{"not on earth", 91, 0, false},
		{"not a number", math.NaN(), 1, false},
	} {
		if got := (fleet.Position{Lat: test.lat, Lon: test.lon}).Valid(); got != test.want {
			t.Errorf("%s: Valid is %v", test.name, got)
		}
	}
}

func TestFamilyOf(t *testing.T) {
	for id, want := range map[string]string{
		"a:b:c": "a:b", "a:b:c:d": "a:b", "a:b": "a:b", "a": "a", "": "", "::": ":",
	} {
		if got := fleet.FamilyOf(id); got != want {
			t.Errorf("family of %q is %q, want %q", id, got, want)
		}
	}
}

// What is absent stays absent, and a speed of zero does not get lost.
func TestPositionJSON(t *testing.T) {
	zero := 0.0
	for _, p := range []fleet.Position{
		{Vehicle: "onibus-1", Instant: 1768585399123},
		{Vehicle: "onibus-1", Lat: -10.5, Lon: -37, Speed: &zero, Instant: 1},
	} {
		encoded, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		var got fleet.Position
		if err := json.Unmarshal(encoded, &got); err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, p) {
			t.Errorf("%s is read back as %+v", encoded, got)
		}
	}
}

func TestRepeats(t *testing.T) {
	var repeats fleet.Repeats
	at := func(i int) fleet.Position { return fleet.Position{Instant: fleet.Seconds(int64(i))} }
	for _, step := range []struct {
		second int
		isNew  bool
	}{{10, true}, {10, false}, {20, true}, {10, false}, {15, true}, {20, false}, {15, false}} {
		var isNew bool
		if repeats, isNew = repeats.Add(at(step.second)); isNew != step.isNew {
			t.Errorf("second %d is new: %v", step.second, isNew)
		}
	}
	for i := range 100 {
		repeats, _ = repeats.Add(at(100 + i))
	}
	if n := len(repeats.Seen); n != 32 {
		t.Errorf("remembers %d fixes, want 32", n)
	}
}

// A store hands out values that other code may still hold.
func TestRepeatsSharesNothing(t *testing.T) {
	first, _ := fleet.Repeats{}.Add(fleet.Position{Instant: 1})
	one, _ := first.Add(fleet.Position{Instant: 2})
	two, _ := first.Add(fleet.Position{Instant: 3})
	if one.Seen[1] != 2 || two.Seen[1] != 3 || len(first.Seen) != 1 {
		t.Errorf("%v, %v and %v share memory", first, one, two)
	}
}

func TestSpeed(t *testing.T) {
	speed := func(v float64) fleet.Position { return fleet.Position{Speed: &v} }
	got := fleet.Speed{}.Add(fleet.Position{}).Add(speed(4)).Add(speed(10)).Add(speed(1)).Add(fleet.Position{})
	if want := (fleet.Speed{Count: 3, Sum: 15, Mean: 5, Max: 10}); got != want {
		t.Errorf("speed is %+v, want %+v", got, want)
	}
}

func TestDistance(t *testing.T) {
	at := func(second int64, north float64) fleet.Position {
		return fleet.Position{Instant: fleet.Seconds(second), Lat: 10 + north*metre, Lon: 1}
	}
	var d fleet.Distance
	for _, p := range []fleet.Position{
		at(1000, 0),
		at(1010, 100),
		at(1005, 5000), // late: left out
		at(1020, 900),  // 80 m/s: left out
		at(1030, 950),
		at(1331, 1000), // 301 s later: left out
		at(1631, 1060),
	} {
		d = d.Add(p)
	}
	if math.Abs(d.Metres-210) > 1e-6 || d.Seconds != 320 {
		t.Errorf("drove %v m in %v s, want 210 m in 320 s", d.Metres, d.Seconds)
	}
}
