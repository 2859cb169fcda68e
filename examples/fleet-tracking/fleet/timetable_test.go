package fleet_test

import (
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

func TestTripLookUp(t *testing.T) {
	table := fleet.Timetable{Trips: []*fleet.Trip{{ID: "1:2:b"}, {ID: "1:2:c"}}}
	for id, want := range map[string]string{"1:2:c": "1:2:c", "1:2:zzz": "1:2:b", "1:2": "1:2:b", "1:3:b": ""} {
		got := ""
		if trip := table.Trip(id); trip != nil {
			got = trip.ID
		}
		if got != want {
			t.Errorf("trip %q is found as %q, want %q", id, got, want)
		}
	}
	if trip := (fleet.Timetable{}).Trip("1:2:c"); trip != nil {
		t.Errorf("an empty timetable has trip %v", trip)
	}
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
		trip := fleet.Trip{Zone: test.zone}
		start, err := trip.DayStart(test.day)
		if err != nil {
			t.Fatal(err)
		}
		if got := start.Time().Format(time.RFC3339); got != test.want {
			t.Errorf("%s %s starts at %s, want %s", test.zone, test.day, got, test.want)
		}
	}
	if _, err := (&fleet.Trip{Zone: "Nowhere/City"}).DayStart("20260116"); err == nil {
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
		trip := fleet.Trip{Zone: "America/Maceio", Stops: test.stops}
		if got, err := trip.DayAt(fleet.InstantOf(now)); err != nil || got != test.want {
			t.Errorf("%s: %s (%v), want %s", test.name, got, err, test.want)
		}
	}
}

func TestOn(t *testing.T) {
	table := fleet.Timetable{Trips: []*fleet.Trip{{ID: "1:2:b", Zone: "UTC"}}}
	at := fleet.Seconds(1768565000)
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
		got := fleet.Position{Trip: test.trip, Day: test.day, Instant: at}.On(table)
		if got.Known() != test.known || got.Day != test.want {
			t.Errorf("trip %s on day %q is %+v", test.trip, test.day, got)
		}
	}
}
