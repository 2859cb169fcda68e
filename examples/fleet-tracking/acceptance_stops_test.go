package main

import (
	"math"
	"path/filepath"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// checkStops compares stops.csv, legs.csv and legs_by_hour.csv with those of an independent program.
func checkStops(t *testing.T, dir string) {
	reference := filepath.Join(recordingtest.Dir(t, "reference"), "kingston_positions_20260116_")
	got := byColumns(reporttest.Rows(t, filepath.Join(dir, "stops.csv")), "vehicle", "trip", "service_day", "stop_sequence")
	var arrivals, reported, same float64
	for key, want := range byColumns(reporttest.Rows(t, reference+"arrivals.csv"), "vehicle", "trip", "service_day", "stop_sequence") {
		for _, column := range []string{"stop", "timepoint", "planned_arrival", "planned_departure", "t_lo", "t_hi", "last_stop"} {
			if want["how"] == got[key]["how"] && got[key][column] != want[column] {
				t.Logf("%s of %s is %q, for the reference %q", column, key, got[key][column], want[column])
			}
		}
		if want["arrival"] == "" {
			continue
		}
		arrivals++
		if got[key]["arrival"] == "" {
			continue
		}
		reported++
		if math.Abs(float(t, got[key]["arrival"])-float(t, want["arrival"])) <= 1 {
			same++
		}
	}
	t.Logf("%.0f of %.0f arrivals, %.0f within 1 s", reported, arrivals, same)
	if reported < 0.98*arrivals || same < 0.98*reported {
		t.Errorf("%.0f of %.0f arrivals, %.0f within 1 s; want 98 %% each", reported, arrivals, same)
	}
	sameSums(t, filepath.Join(dir, "legs.csv"), reference+"legs.csv", "planned_s", "driven_s", "planned_m", "driven_m")
	sameSums(t, filepath.Join(dir, "legs_by_hour.csv"), reference+"legs_by_hour.csv", "n", "lost_s_total", "driven_m_n")
}

// sameSums: as many rows, and the same sums of columns, to 0.01 %.
func sameSums(t *testing.T, path, reference string, columns ...string) {
	t.Helper()
	got, want := reporttest.Rows(t, path), reporttest.Rows(t, reference)
	if len(got) != len(want) {
		t.Errorf("%s has %d rows, want %d", filepath.Base(path), len(got), len(want))
	}
	for _, column := range columns {
		sum := func(rows []reporttest.Row) (sum float64) {
			for _, r := range rows {
				sum += float(t, r[column])
			}
			return sum
		}
		tolerance := 0.0001
		if column == "lost_s_total" { // a difference of sums that nearly cancel
			tolerance = 0.01
		}
		if g, w := sum(got), sum(want); math.Abs(g-w) > tolerance*math.Abs(w) {
			t.Errorf("%s: the sum of %s is %v, want %v", filepath.Base(path), column, g, w)
		}
	}
}

// byColumns are rows by the values of columns.
func byColumns(rows []reporttest.Row, columns ...string) map[string]reporttest.Row {
	named := map[string]reporttest.Row{}
	for _, r := range rows {
		key := ""
		for _, c := range columns {
			key += r[c] + " "
		}
		named[key] = r
	}
	return named
}
