package tracking

import (
	"math"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// checkForecasts compares the forecasts of a recording with the baseline, the delay at the last stop, and what was told live with what is
// told again from what had happened by then.
func checkForecasts(t *testing.T, r results) {
	all := r.Accuracies()
	if len(all) != 4 {
		t.Fatalf("%d horizons, want 4", len(all))
	}
	for i, leastForecasts := range []int{1800, 1500, 1100, 800} {
		a := all[i]
		t.Logf("%.0f s ahead, %d forecasts: median %.1f s of %.1f, 90 %% %.1f of %.1f; %.3f in range",
			a.Horizon, a.Forecasts, a.Median, a.Baseline.Median, a.Nine, a.Baseline.Nine, a.InRange)
		if a.Forecasts < leastForecasts || a.Median > 0.93*a.Baseline.Median || a.Nine > 0.95*a.Baseline.Nine {
			t.Errorf("want %d forecasts, a median of at most 0.93 of the baseline and 90 %% of at most 0.95 of it", leastForecasts)
		}
		if a.InRange < 0.8 {
			t.Errorf("%.3f came true in the range told, want 0.8", a.InRange)
		}
	}
	if soon := all[0]; soon.Median > 35 || soon.Nine > 90 {
		t.Errorf("2 min ahead the median is %.1f s and 90 %% %.1f s, want 35 and 90", soon.Median, soon.Nine)
	}

	live := map[string]fleet.Instant{}
	key := func(vehicle, trip, sequence string, at fleet.Instant) string {
		return vehicle + " " + trip + " " + sequence + " " + strconv.FormatInt(int64(at), 10)
	}
	for _, f := range r.told {
		for _, stop := range f.Stops {
			if stop.Low > stop.Arrives || stop.Arrives > stop.High || stop.Arrives < f.Instant {
				t.Errorf("at %v the run is expected at %+v", f.Instant, stop)
			}
			live[key(f.Vehicle, f.Trip, strconv.Itoa(stop.Sequence), f.Instant)] = stop.Arrives
		}
	}
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	rows := reporttest.Rows(t, filepath.Join(dir, report.ETA))
	near, same := 0, 0
	for _, row := range rows {
		at := fleet.Instant(math.Round(row.Number(t, "at") * 1000))
		told, ok := live[key(row["vehicle"], row["trip"], row["stop_sequence"], at)]
		if !ok {
			t.Fatalf("never told: %v", row)
		}
		off := math.Abs(told.Since(at) - row.Number(t, "told_history"))
		if off < 0.001 {
			same++
		}
		if off <= 10 {
			near++
		}
	}
	t.Logf("of %d forecasts %d were told live to the millisecond, %d within 10 s", len(rows), same, near)
	if n := float64(len(rows) - 1); float64(same) < 0.9*n || float64(near) < 0.98*n {
		t.Errorf("want 90 %% to the millisecond, 98 %% within 10 s")
	}
}
