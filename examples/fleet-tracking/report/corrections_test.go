package report_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
)

func TestWriteCorrections(t *testing.T) {
	var r report.Report
	trip := fleet.CorrectedTrip{ID: "t:1:a", Corrected: 1, Stops: []fleet.CorrectedStop{
		{Sequence: 1, ID: "a", Due: 86_340_000, Leaves: 86_340_000, Planned: fleet.Times{86340, 86340}},
		{Sequence: 4, ID: "b", Due: 86_429_999, Leaves: 86_430_000, Planned: fleet.Times{86405, 86460}},
	}}
	r.AddCorrectedTrip(fleet.CorrectedTrip{ID: "t:1:a", Corrected: 1})
	r.AddCorrectedTrip(trip)
	trip.ID, trip.Corrected = "t:0:a", 0
	r.AddCorrectedTrip(trip)
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, report.CorrectedStopTimes))
	if err != nil {
		t.Fatal(err)
	}
	want := "trip_id,arrival_time,departure_time,stop_id,stop_sequence,planned_arrival_time,planned_departure_time\n" +
		"t:1:a,23:59:00,23:59:00,a,1,23:59:00,23:59:00\n" +
		"t:1:a,24:00:00,24:01:00,b,4,24:00:05,24:01:00\n"
	if string(got) != want {
		t.Errorf("%s is\n%swant\n%s", report.CorrectedStopTimes, got, want)
	}
}
