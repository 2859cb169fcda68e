package main

import (
	"math"
	"path/filepath"
	"slices"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// checkForecasts compares eta.csv with that of an independent program, whose history is that of the whole fleet, not of one path, and
// which knows of a run one fix more: the one before it began.
func checkForecasts(t *testing.T, dir string) {
	key := []string{"vehicle", "trip", "service_day", "stop_sequence", "horizon_s"}
	rows := reporttest.Rows(t, filepath.Join(dir, "eta.csv"))
	got := byColumns(rows, key...)
	reference := reporttest.Rows(t, filepath.Join(recordingtest.Dir(t, "reference"), "kingston_positions_20260116_eta.csv"))
	there, same := 0, map[string]int{}
	for name, want := range byColumns(reference, key...) {
		r, ok := got[name]
		if !ok || float(t, r["at"]) != float(t, want["at"]) || math.Abs(float(t, r["arrival"])-float(t, want["arrival"])) > 1 {
			continue
		}
		there++
		for _, column := range []string{"told_schedule", "told_last_stop", "told_place"} {
			if math.Abs(float(t, r[column])-float(t, want[column])) <= 1 {
				same[column]++
			}
		}
	}
	t.Logf("%d of %d forecasts at the same fix; within 1 s: %v", there, len(reference), same)
	if float64(there) < 0.98*float64(len(reference)) {
		t.Errorf("%d of %d forecasts are there", there, len(reference))
	}
	for column, least := range map[string]float64{"told_schedule": 1, "told_last_stop": 0.95, "told_place": 0.97} {
		if float64(same[column]) < least*float64(there) {
			t.Errorf("%s: %d of %d are the same", column, same[column], there)
		}
	}
	for _, horizon := range []string{"120", "300", "600", "900"} {
		median, nine := misses(t, rows, horizon, "error_history")
		baseMedian, baseNine := misses(t, reference, horizon, "error_last_stop")
		t.Logf("%s s ahead: %.1f and %.1f s, by the delay at the last stop %.1f and %.1f s", horizon, median, nine, baseMedian, baseNine)
		if median > 0.93*baseMedian || nine > 0.95*baseNine {
			t.Errorf("%s s ahead: the median is %.1f s and 90 %% are %.1f s; want 0.93 of %.1f and 0.95 of %.1f", horizon, median, nine, baseMedian, baseNine)
		}
	}
}

// misses are the median and the 90th percentile of absolute errors.
func misses(t *testing.T, rows []reporttest.Row, horizon, column string) (median, nine float64) {
	t.Helper()
	var all []float64
	for _, r := range rows {
		if r["horizon_s"] == horizon {
			all = append(all, math.Abs(float(t, r[column])))
		}
	}
	slices.Sort(all)
	return all[len(all)/2], all[len(all)*9/10]
}
