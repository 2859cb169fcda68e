package fleet

import (
	"reflect"
	"testing"
)

// A trip of four stops: two minutes for each leg, half a minute at the second stop.
func TestCorrection(t *testing.T) {
	schedule := Schedule{ID: "1:0800:a", Route: "1", Times: []Times{{28790, 28800}, {28920, 28950}, {29070, 29070}, {32400, 32400}}}
	path := Path{Stops: []Stop{{Sequence: 1, ID: "p1"}, {Sequence: 2, ID: "p2"}, {Sequence: 5, ID: "p3"}, {Sequence: 6, ID: "p4"}}}
	trip, ok := schedule.Planned(path)
	if !ok {
		t.Fatal("the schedule does not fit its path")
	}
	if hours := schedule.LegHours(); !reflect.DeepEqual(hours, []int{8, 8, 8}) {
		t.Fatalf("legs begin in the hours %v", hours)
	}
	advice := map[[2]int]Advice{
		{0, 8}: {Driven: 150_500, Drives: true},
		{1, 8}: {Dwell: 45_000, Dwells: true},
		{2, 9}: {Driven: 1, Drives: true}, // of another hour
		{3, 9}: {Driven: 1, Drives: true}, // no leg begins at the last stop
	}
	got := trip.Corrected(func(index, hour int) Advice { return advice[[2]int{index, hour}] })
	var times [][2]Span
	for _, s := range got.Stops {
		times = append(times, [2]Span{s.Due, s.Leaves})
	}
	want := [][2]Span{{28_790_000, 28_800_000}, {28_950_500, 28_995_500}, {29_115_500, 29_115_500}, {32_445_500, 32_445_500}}
	if !reflect.DeepEqual(times, want) || got.Corrected != 2 {
		t.Errorf("%d legs are corrected, to %v; want 2, %v", got.Corrected, times, want)
	}
	planned := trip.Corrected(func(int, int) Advice { return Advice{} })
	if planned.Corrected != 0 || planned.Stops[3].Due != 32_400_000 {
		t.Errorf("without advice the trip is %+v", planned)
	}
	for _, s := range []Schedule{{Untimed: true, Times: schedule.Times}, {Frequency: Headway, Times: schedule.Times}, {Times: schedule.Times[:2]}} {
		if _, ok := s.Planned(path); ok {
			t.Errorf("there are times to correct in %+v", s)
		}
	}
}
