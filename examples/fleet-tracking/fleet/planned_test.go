package fleet_test

import (
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

func TestTripLookUp(t *testing.T) {
	plan := fleet.PlanOf("", &fleet.Trip{ID: "1:2:b", Zone: "UTC"}, &fleet.Trip{ID: "1:2:c", Zone: "UTC"})
	for id, want := range map[string]string{"1:2:c": "1:2:c", "1:2:zzz": "1:2:b", "1:2": "1:2:b", "1:3:b": ""} {
		got := ""
		if planned := plan.On(runFix(id, "20260116")); planned.Known() {
			got = planned.Trip.ID
		}
		if got != want {
			t.Errorf("trip %q is found as %q, want %q", id, got, want)
		}
	}
}

func runFix(trip, day string) fleet.RunFix {
	return fleet.RunFix{Position: fleet.Position{Trip: trip, Day: day, Instant: fleet.Seconds(1768565000)}}
}

// On the days on which clocks change, noon minus 12 hours is not midnight.
func TestDayStart(t *testing.T) {
	for _, test := range []struct{ zone, day, want string }{
		{"America/Toronto", "20260116", "2026-01-16T05:00:00Z"},
		{"America/Toronto", "20260308", "2026-03-08T04:00:00Z"}, // clocks go forward at 2:00
		{"America/Toronto", "20261101", "2026-11-01T05:00:00Z"}, // and back
		{"America/Maceio", "20260116", "2026-01-16T03:00:00Z"},
		{"America/Sao_Paulo", "20181104", "2018-11-04T02:00:00Z"}, // midnight does not exist
	} {
		planned := fleet.Planned{Position: fleet.Position{Day: test.day}, Trip: &fleet.Trip{Zone: test.zone}}
		start, err := planned.Origin()
		if err != nil {
			t.Fatal(err)
		}
		if got := start.Time().Format(time.RFC3339); got != test.want {
			t.Errorf("%s %s starts at %s, want %s", test.zone, test.day, got, test.want)
		}
	}
	planned := fleet.Planned{Position: fleet.Position{Day: "20260116"}, Trip: &fleet.Trip{Zone: "Nowhere/City"}}
	if _, err := planned.Origin(); err == nil {
		t.Error("a zone that does not exist is accepted")
	}
}

// A vehicle that does not say its service day is on the run that is planned nearest in time.
func TestDayAt(t *testing.T) {
	stops := func(from, to int) []fleet.Stop { return []fleet.Stop{{Due: from * 3600}, {Due: to * 3600}} }
	for _, test := range []struct {
		name  string
		stops []fleet.Stop
		now   string
		want  string
	}{
		{"in the morning", stops(7, 8), "2026-01-16T10:30:00Z", "20260116"},
		{"past midnight by the timetable", stops(23, 25), "2026-01-17T03:30:00Z", "20260116"},
		{"late, past midnight", stops(22, 23), "2026-01-17T03:30:00Z", "20260116"},
		{"early, before midnight", stops(0, 1), "2026-01-16T02:58:00Z", "20260116"},
		{"without stops", nil, "2026-01-16T10:30:00Z", "20260116"},
	} {
		now, err := time.Parse(time.RFC3339, test.now)
		if err != nil {
			t.Fatal(err)
		}
		plan := fleet.PlanOf("", &fleet.Trip{ID: "1", Zone: "America/Maceio", Stops: test.stops})
		fix := runFix("1", "")
		fix.Instant = fleet.InstantOf(now)
		if got := plan.On(fix); got.Day != test.want {
			t.Errorf("%s: %s (%s), want %s", test.name, got.Day, got.Fault, test.want)
		}
	}
}

func TestOn(t *testing.T) {
	plan := fleet.PlanOf("", &fleet.Trip{ID: "1:2:b", Zone: "UTC"})
	for _, test := range []struct {
		trip, day string
		known     bool
		want      string
	}{
		{"1:2:z", "20260115", true, "20260115"},
		{"1:2:b", "", true, "20260116"},
		{"1:2:b", "ontem", false, "ontem"},
		{"1:3:b", "20260116", false, "20260116"},
	} {
		got := plan.On(runFix(test.trip, test.day))
		if got.Known() != test.known || got.Day != test.want {
			t.Errorf("trip %s on day %q is %+v", test.trip, test.day, got)
		}
	}
}
