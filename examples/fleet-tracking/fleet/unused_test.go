package fleet_test

import (
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Each fix that tells nothing of stops says why.
func TestUnused(t *testing.T) {
	first := fix(240, 0, 900)
	swapped := fix(280, 0, 1000)
	*swapped.Lat, *swapped.Lon = *swapped.Lon, *swapped.Lat
	far := fix(280, 0, 1000)
	*far.Lat += 2
	badDay, unknown := fix(280, 0, 1000), fix(280, 0, 1000)
	badDay.Day, unknown.Trip = "hoje", "l:2:a"
	for _, test := range []struct {
		name string
		trip *fleet.Trip
		next fleet.Position
		want fleet.Reason
	}{
		{"on the line", along(0, 1000, 2000), fix(280, 0, 1000), ""},
		{"61 m from it", along(0, 1000, 2000), fix(280, 61, 1000), fleet.OffLine},
		{"far from it", along(0, 1000, 2000), far, fleet.OffLine},
		{"far from it, but near with latitude and longitude swapped", along(0, 1000, 2000), swapped, fleet.SwappedSuspected},
		{"farther on the line than it can be", along(0, 1000, 9000), fix(280, 0, 8000), fleet.ImplausiblePlace},
		{"overtaken by a newer fix", along(0, 1000, 2000), fix(230, 0, 800), fleet.Overtaken},
		{"on a trip without shape and stops", &fleet.Trip{ID: "l:1:a", Zone: "UTC"}, fix(280, 0, 1000), fleet.NoLine},
		{"on a service day that is none", along(0, 1000, 2000), badDay, fleet.BadDay},
		{"on a trip that the timetable does not have", along(0, 1000, 2000), unknown, fleet.UnknownTrip},
	} {
		tracker, _, err := fleet.VisitTracker{}.Add(fleet.Planned{Position: first, Trip: test.trip})
		if err != nil {
			t.Fatal(err)
		}
		planned := fleet.PlanOf("", test.trip).On(fleet.RunFix{Position: test.next})
		told := planned.Unplanned()
		if planned.Known() {
			if _, told, err = tracker.Add(planned); err != nil {
				t.Fatal(err)
			}
		}
		var got fleet.Reason
		if told.Unused != nil {
			got = told.Unused.Reason
		}
		if got != test.want {
			t.Errorf("a fix %s is unused for %q, want %q", test.name, got, test.want)
		}
	}
}
