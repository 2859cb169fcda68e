package report_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
)

func TestWriteStops(t *testing.T) {
	var r report.Report
	run := fleet.Run{Vehicle: "onibus-1", Route: "l", Trip: "t:1:a", Day: "20260116"}
	second := func(s int64) fleet.Instant { return fleet.Seconds(1768585200 + s) }
	first := fleet.Visit{
		Run: run, Sequence: 1, Stop: "a", Timepoint: true, Due: second(0), Leaves: second(60), How: fleet.ByHalt, Low: second(-40), High: second(-10), Arrived: second(-10),
	}
	r.AddVisit(first)
	first.Left = second(70) // the visit is told again when the vehicle has left
	r.AddVisit(first)
	r.AddVisit(fleet.Visit{Run: run, Sequence: 2, Stop: "b", Due: second(120), Leaves: second(120), How: fleet.Gap, Low: second(70), High: second(300)})
	headway := run
	headway.Vehicle, headway.Start = "onibus-2", "06:00:00"
	r.AddVisit(fleet.Visit{Run: headway, Sequence: 1, Stop: "a", How: fleet.NotSeen, High: second(0)})
	r.AddVisit(fleet.Visit{
		Run: headway, Sequence: 2, Stop: "b", Headway: true, Last: true, Due: second(120), Leaves: second(120),
		How: fleet.ByPass, Low: second(0), High: second(10), Arrived: second(0) + 500, Left: second(0) + 500,
	})

	dwell, metres := 80.0, 900.0
	leg := fleet.Leg{
		Run: run, FromSequence: 1, ToSequence: 2, From: "a", To: "b", Hour: 12, Planned: 60, Driven: 50.5,
		PlannedMetres: 1000, DrivenMetres: &metres, Dwell: &dwell,
	}
	r.AddLeg(leg)
	leg.Run, leg.Driven, leg.DrivenMetres, leg.Dwell = headway, 72, nil, nil
	r.AddLeg(leg)

	r.AddUnused(fleet.Unused{Vehicle: "onibus-1", Instant: second(5), Reason: fleet.OffLine})
	r.AddUnused(fleet.Unused{Vehicle: "onibus-2", Instant: second(5), Reason: fleet.NoTrip})

	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		report.Stops: "vehicle,trip,service_day,stop_sequence,stop,timepoint,planned_arrival,planned_departure," +
			"how,t_lo,t_hi,arrival,departure,arrival_delay_s,departure_delay_s,dwell_s,last_stop,start_time\n" +
			"onibus-1,t:1:a,20260116,1,a,1,1768585200,1768585260,halt,1768585160,1768585190,1768585190,1768585270,-10,10,80,0,\n" +
			"onibus-1,t:1:a,20260116,2,b,0,1768585320,1768585320,gap,1768585270,1768585500,,,,,,0,\n" +
			"onibus-2,t:1:a,20260116,2,b,0,1768585320,1768585320,pass,1768585200,1768585210,1768585200.5,1768585200.5,,,0,1,06:00:00\n",
		report.Legs: "vehicle,trip,service_day,from_sequence,to_sequence,from_stop,to_stop,hour," +
			"planned_s,driven_s,planned_m,driven_m,dwell_before_s,start_time\n" +
			"onibus-1,t:1:a,20260116,1,2,a,b,12,60,50.5,1000,900,80,\n" +
			"onibus-2,t:1:a,20260116,1,2,a,b,12,60,72,1000,,,06:00:00\n",
		report.LegsByHour: "from_stop,to_stop,hour,n,planned_s_mean,driven_s_mean,driven_s_median,lost_s_total,planned_m_mean,driven_m_mean,driven_m_n\n" +
			"a,b,12,2,60,61.25,72,2.5,1000,900,1\n",
	} {
		got, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if string(got) != want {
			t.Errorf("%s is\n%swant\n%s", name, got, want)
		}
	}
	if got, want := r.Stops(), "2 arrivals at stops by halt or radius, 2 legs; fixes without a place: 1 no_trip, 1 off_route"; got != want {
		t.Errorf("stops are summed up as %q, want %q", got, want)
	}
	account, err := os.ReadFile(filepath.Join(dir, report.Accounts))
	if err != nil {
		t.Fatal(err)
	}
	want := "arrivals,2\narrivals_halt,1\narrivals_pass,1\narrivals_radius,0\n" +
		"not_timed_gap,1\nnot_timed_there_at_first_fix,0\nnot_timed_not_seen,1\nnot_timed_implausibly_early,0\nlegs,2\n"
	if !strings.HasSuffix(string(account), want) {
		t.Errorf("account is\n%swant at its end\n%s", account, want)
	}
}
