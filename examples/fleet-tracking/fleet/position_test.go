package fleet_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

func TestFamilyOf(t *testing.T) {
	for id, want := range map[string]string{
		"a:b:c": "a:b", "a:b:c:d": "a:b", "a:b": "a:b", "a": "a", "": "", "::": ":",
	} {
		if got := fleet.FamilyOf(id); got != want {
			t.Errorf("family of %q is %q, want %q", id, got, want)
		}
	}
}

// What is absent stays absent, and zeroes do not get lost.
func TestPositionJSON(t *testing.T) {
	for _, p := range []fleet.Position{
		{Vehicle: "onibus-1", Instant: 1768585399123},
		{Vehicle: "onibus-1", Lat: new(-10.5), Lon: new(0.0), Speed: new(0.0), Instant: 1},
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
