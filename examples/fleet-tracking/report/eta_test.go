package report_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
)

// Two buses of one path, ten minutes apart. The first takes three minutes for a leg of one; the second is told so.
func TestWriteETA(t *testing.T) {
	var r report.Report
	second := func(s int64) fleet.Instant { return fleet.Seconds(1768585200 + s) }
	for _, bus := range []struct {
		vehicle string
		start   int64
		timed   bool
	}{{"onibus-1", 0, true}, {"onibus-2", 600, true}, {"onibus-3", 900, false}} {
		run := fleet.Run{Vehicle: bus.vehicle, Trip: "t:" + bus.vehicle, Day: "20260116"}
		delay, took := 5.0, 180.0
		f := fleet.Forecast{
			Run: run, Path: "p", Instant: second(bus.start), Timed: bus.timed, Since: second(bus.start), Left: 1, Next: 2,
			Stops: []fleet.Expected{{Sequence: 2, Stop: "b", Due: second(bus.start + 60)}, {Sequence: 3, Stop: "c", Due: second(bus.start + 120)}},
		}
		if bus.timed {
			f.Delay, f.Behind = &delay, &delay
		}
		f.Stops[0].Arrives = second(bus.start + 7) // what was told live does not matter
		add(t, &r, f)
		f.Instant, f.Left = f.Instant+60_000, 0.5
		add(t, &r, f)
		f.Instant, f.Left, f.Since, f.Next, f.Stops = second(bus.start+180), 1, second(bus.start+60), 3, f.Stops[1:]
		add(t, &r, f)
		r.AddVisit(fleet.Visit{Run: run, Sequence: 2, Stop: "b", Arrived: second(bus.start + 180)})
		r.AddLeg(fleet.Leg{Run: run, FromSequence: 1, ToSequence: 2, Arrived: second(bus.start + 180), Counted: &took})
	}
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(dir, report.ETA))
	if err != nil {
		t.Fatal(err)
	}
	want := "vehicle,trip,service_day,stop_sequence,horizon_s,at,arrival,remaining_s,legs_with_history," +
		"error_schedule,error_last_stop,error_place,error_history," +
		"told_schedule,told_last_stop,told_place,told_history,told_history_low,told_history_high\n" +
		"onibus-1,t:onibus-1,20260116,2,120,1768585260,1768585380,120,0,120,115,115,90,0,5,5,30,0,105\n" +
		"onibus-2,t:onibus-2,20260116,2,120,1768585860,1768585980,120,1,120,115,115,70,0,5,5,50,0,125\n" +
		"onibus-3,t:onibus-3,20260116,2,120,1768586160,1768586280,120,1,,,,60,,,,60,0,135\n"
	if string(got) != want {
		t.Errorf("%s is\n%swant\n%s", report.ETA, got, want)
	}
	accuracy := "Arrivals differ from their forecasts, in the median and in nine of ten cases, by at most 90 s and 90 s 2 min ahead (115 s and 115 s)" +
		"; in brackets by the delay at the last stop"
	if got := r.Forecasts(); got != accuracy {
		t.Errorf("forecasts are summed up as\n%s\nwant\n%s", got, accuracy)
	}
}

// add takes in a forecast as a topic holds it.
func add(t *testing.T, r *report.Report, f fleet.Forecast) {
	t.Helper()
	text, err := json.Marshal(f.Record())
	if err != nil {
		t.Fatal(err)
	}
	var read fleet.ForecastRecord
	if err := json.Unmarshal(text, &read); err != nil {
		t.Fatal(err)
	}
	r.AddForecast(read)
}

func TestForecastWithoutStops(t *testing.T) {
	var r report.Report
	r.AddForecast(fleet.ForecastRecord{})
	if got := r.Forecasts(); got != "" {
		t.Errorf("no forecasts are summed up as %q", got)
	}
}
