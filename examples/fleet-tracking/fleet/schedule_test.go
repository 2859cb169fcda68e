package fleet_test

import (
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// trip is the only trip of its family, due at its first stop at so many seconds.
func trip(due int) *fleet.Trip {
	return &fleet.Trip{ID: "1", Zone: "UTC", Stops: []fleet.Stop{{ID: "a", Due: due}, {ID: "b", Along: 1000, Due: due + 600}}}
}

// versions are the days of a timetable, and when its trip is due at the first stop.
func versions(t fleet.Timetable) string {
	var text []string
	for _, v := range t.Versions {
		text = append(text, v.From+"="+string(rune('a'+v.Trips[0].Times[0][0])))
	}
	return strings.Join(text, " ")
}

func TestVersionsOfATimetable(t *testing.T) {
	version := func(from string, due int) fleet.Version {
		return fleet.PlanOf(from, trip(due)).Timetables["1"].Versions[0]
	}
	var table fleet.Timetable
	for _, step := range []struct {
		what string
		from string
		due  int
		want string
	}{
		{"the first", "20260201", 0, "20260201=a"},
		{"the same once more", "20260201", 0, "20260201=a"},
		{"a later one that changes nothing", "20260301", 0, "20260201=a"},
		{"a later one", "20260301", 1, "20260201=a 20260301=b"},
		{"an earlier one", "20260101", 2, "20260101=c 20260201=a 20260301=b"},
		{"a correction of one between", "20260201", 3, "20260101=c 20260201=d 20260301=b"},
		{"a correction that makes two equal", "20260201", 2, "20260101=c 20260301=b"},
	} {
		before := versions(table)
		after := table.With(version(step.from, step.due))
		if got := versions(after); got != step.want {
			t.Errorf("%s: %s, want %s", step.what, got, step.want)
		}
		if now := versions(table); now != before {
			t.Errorf("%s: With changed the timetable that it was called on to %s", step.what, now)
		}
		table = after
	}

	plan := fleet.Plan{Timetables: map[string]fleet.Timetable{"1": table}, Paths: fleet.PlanOf("", trip(0)).Paths}
	for day, want := range map[string]int{"20251231": 2, "20260101": 2, "20260228": 2, "20260301": 1, "20270101": 1, "": 1} {
		if planned := plan.On(runFix("1", day)); !planned.Known() || planned.Trip.Stops[0].Due != want && day != "" {
			t.Errorf("on %q the trip is %+v, want it due at %d", day, planned.Trip, want)
		}
	}
}

// TestPathsAreShared: trips that go the same way at other times have one path.
func TestPathsAreShared(t *testing.T) {
	other := trip(0)
	other.ID, other.Stops[1].Along = "2", 1001
	plan := fleet.PlanOf("", trip(0), trip(60), other)
	if len(plan.Paths) != 2 {
		t.Errorf("%d paths, want 2", len(plan.Paths))
	}
	for id, path := range plan.Paths {
		if path.Stops[0].Due != 0 || path.ID() != id {
			t.Errorf("path %s is %+v", id, path)
		}
	}
	if back := plan.Trips(); len(back) != 3 || back[2].Stops[1] != other.Stops[1] {
		t.Errorf("the trips are %+v", back)
	}
}

// TestAPathThatIsMissing: its trips are not known.
func TestAPathThatIsMissing(t *testing.T) {
	plan := fleet.PlanOf("", trip(0))
	clear(plan.Paths)
	if planned := plan.On(runFix("1", "20260116")); planned.Known() || planned.Fault != fleet.UnknownTrip {
		t.Errorf("the trip is %+v, %s", planned.Trip, planned.Fault)
	}
}
