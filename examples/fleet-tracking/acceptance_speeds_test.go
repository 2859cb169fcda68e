package main

import (
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// TestSpeedFromPositions compares the speeds from positions, and the account of rows, with those that an independent program
// computed from the same recordings, and with the vehicles' odometers. In order of arrival, with fixes up to an hour late, the
// files are the same as in order of event time.
func TestSpeedFromPositions(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for five seconds")
	}
	for _, test := range []struct {
		name, positions, reference string
		prefix                     string // that the other program puts before a vehicle's id
		options                    []string
	}{
		{"kingston", "positions_20260116.csv", "kingston_positions_20260116", "", nil},
		{"brt_rio", "positions.csv", "brt_positions", "", nil},
		{"gotrack_aracaju", "points.csv", "gotrack_points", "track-", []string{"-columns", "vehicle_id=track_id,vehicle_timestamp=time", "-zone", "America/Maceio"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			input := filepath.Join(recordingtest.Dir(t, test.name), test.positions)
			reference := filepath.Join(recordingtest.Dir(t, "reference"), test.reference)
			files := filepath.Join(t.TempDir(), "files")
			succeed(t, slices.Concat(test.options, []string{"-positions", input, "-out", files})...)

			speeds := reporttest.Rows(t, filepath.Join(files, "speed_from_positions.csv"))
			sameSpeeds(t, speeds, reporttest.Rows(t, reference+"_speed_windows.csv"), test.prefix)
			nearOdometer(t, speeds)
			sameAccount(t, filepath.Join(files, "account.csv"), reference+"_speed_summary.csv")

			if test.name != "kingston" {
				return // has rows that are days old, or in no order of arrival
			}
			again := filepath.Join(t.TempDir(), "files")
			succeed(t, "-positions", input, "-arrival-order", "-out", again)
			reporttest.Same(t, files, again)
		})
	}
}

// sameSpeeds: every window is there; distances agree to 0.1 m and 0.01 %, times to a millisecond.
func sameSpeeds(t *testing.T, got, want []reporttest.Row, prefix string) {
	t.Helper()
	type window struct{ vehicle, start string }
	byWindow := map[window]reporttest.Row{}
	for _, r := range got {
		byWindow[window{prefix + r["vehicle"], r["window_start"]}] = r
	}
	for _, want := range want {
		got, ok := byWindow[window{want["vehicle"], want["window_start"]}]
		if !ok {
			t.Errorf("no window of %s at %s", want["vehicle"], want["window_start"])
			continue
		}
		for column, tolerance := range map[string]float64{
			"distance_m": 0.1, "time_s": 0.001, "moving_s": 0.001, "standing_s": 0.001, "speed_mps": 0.001,
			"reported_n": 0, "reported_mean_mps": 0.0001, "reported_max_mps": 0.0001, "reported_time_weighted_mps": 0.0001,
			"odometer_m": 0.1, "distance_of_odometer_pairs_m": 0.1,
		} {
			if want[column] == "" || got[column] == "" {
				if got[column] != want[column] {
					t.Errorf("%s of %s at %s is %q, want %q", column, want["vehicle"], want["window_start"], got[column], want[column])
				}
				continue
			}
			g, w := float(t, got[column]), float(t, want[column])
			if math.Abs(g-w) > tolerance+0.0001*math.Abs(w) {
				t.Errorf("%s of %s at %s is %v, want %v", column, want["vehicle"], want["window_start"], g, w)
			}
		}
	}
	t.Logf("%d windows compared", len(want))
}

// nearOdometer: in windows that fixes cover well, the distance is in the median within 4 % of the odometer's, and the sum of all
// is a little less, because chords between fixes cut corners.
func nearOdometer(t *testing.T, speeds []reporttest.Row) {
	t.Helper()
	var apart []float64
	var positions, odometers float64
	for _, r := range speeds {
		if r["odometer_m"] == "" || r["partial"] == "1" {
			continue
		}
		odometer, metres := float(t, r["odometer_m"]), float(t, r["distance_of_odometer_pairs_m"])
		if odometer < 300 { // a vehicle that hardly moves, or an odometer that stands still
			continue
		}
		apart = append(apart, math.Abs(metres/odometer-1))
		positions, odometers = positions+metres, odometers+odometer
	}
	if apart == nil {
		return // no vehicle has an odometer
	}
	slices.Sort(apart)
	median, ratio := apart[len(apart)/2], positions/odometers
	t.Logf("%d windows: median %.4f from the odometer, total %.4f of it", len(apart), median, ratio)
	if median > 0.04 || ratio < 0.95 || ratio > 0.98 {
		t.Errorf("median %.4f from the odometer, total %.4f of it; want at most 0.04, and 0.95 to 0.98", median, ratio)
	}
}

// sameAccount: what both count is the same; what the other program does not mention is 0.
func sameAccount(t *testing.T, path, reference string) {
	t.Helper()
	want := map[string]string{}
	for _, r := range reporttest.Rows(t, reference) {
		want[r["key"]] = r["value"]
	}
	var rows, sum float64
	for _, r := range reporttest.Rows(t, path) {
		key, value := r["key"], r["value"]
		if key == "rows_without_arrival" || strings.HasPrefix(key, "fixes_") {
			continue
		}
		if value != want[key] && (value != "0" || want[key] != "") {
			t.Errorf("%s is %s, want %s", key, value, want[key])
		}
		switch {
		case key == "account_rows":
			rows = float(t, value)
		case strings.HasPrefix(key, "account_"):
			sum += float(t, value)
		}
	}
	if rows != sum {
		t.Errorf("%v rows, but the fixes and reasons add up to %v", rows, sum)
	}
}
