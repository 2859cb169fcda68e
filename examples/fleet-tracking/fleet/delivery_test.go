package fleet

import (
	"slices"
	"testing"
)

// TestAssignmentsAt looks up a vehicle that changes its driver at noon and is lent out within the afternoon.
func TestAssignmentsAt(t *testing.T) {
	drives := Assignments{Drives: []Assignment{
		{Driver: "ana", From: Seconds(8 * 3600), To: Seconds(12 * 3600)},
		{Driver: "bruno", From: Seconds(12 * 3600), To: Seconds(18 * 3600)},
		{Driver: "clara", From: Seconds(14 * 3600), To: Seconds(15 * 3600)},
	}}
	for hour, want := range map[int64]string{7: "", 8: "ana", 12: "bruno", 14: "clara", 15: "bruno", 18: ""} {
		if got, ok := drives.At(Seconds(hour * 3600)); got.Driver != want || ok != (want != "") {
			t.Errorf("at %d:00 drives %q, %v; want %q", hour, got.Driver, ok, want)
		}
	}
}

// TestAssignmentsMerge loads the plan of a day, that of the next, and that of the next once more with other hours.
func TestAssignmentsMerge(t *testing.T) {
	drive := func(driver string, from, to int64) Assignment {
		return Assignment{Driver: driver, From: Seconds(from * 3600), To: Seconds(to * 3600)}
	}
	plan := Assignments{}
	for _, later := range [][]Assignment{
		{drive("ana", 8, 12), drive("bruno", 12, 18)},
		{drive("clara", 32, 36), drive("bruno", 36, 42)},
		{},
		{drive("ana", 31, 42)},
	} {
		before := slices.Clone(plan.Drives)
		merged := plan.Merge(Assignments{Drives: later})
		if !slices.Equal(plan.Drives, before) {
			t.Errorf("Merge changed what it was called on to %v", plan.Drives)
		}
		plan = merged
	}
	want := []Assignment{drive("ana", 8, 12), drive("bruno", 12, 18), drive("ana", 31, 42)}
	if !slices.Equal(plan.Drives, want) {
		t.Errorf("the drives are %v, want %v", plan.Drives, want)
	}
}

// TestAssigned looks up the trip of fixes that name none, and of one that does.
func TestAssigned(t *testing.T) {
	drives := Assignments{Drives: []Assignment{
		{Trip: "r1", Day: "20260302", From: Seconds(8), To: Seconds(12)},
		{Driver: "ana", From: Seconds(12), To: Seconds(18)},
	}}
	for _, c := range []struct{ fix, want Position }{
		{Position{Instant: Seconds(7)}, Position{Instant: Seconds(7)}},
		{Position{Instant: Seconds(8)}, Position{Instant: Seconds(8), Trip: "r1", Day: "20260302"}},
		{Position{Instant: Seconds(8), Trip: "r2"}, Position{Instant: Seconds(8), Trip: "r2"}},
		{Position{Instant: Seconds(12)}, Position{Instant: Seconds(12)}},
	} {
		if got := c.fix.Assigned(drives, true); got != c.want {
			t.Errorf("%+v is %+v, want %+v", c.fix, got, c.want)
		}
	}
}
