package recording_test

import (
	"cmp"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// Fixes half a minute or a minute apart cut corners, so the GPS sees a little less than the odometer.
func TestDistanceAgreesWithOdometer(t *testing.T) {
	for name, test := range map[string]struct {
		path      string
		low, high float64
	}{
		"kingston": {"positions_20260116.csv", 0.95, 0.97},
		"brt_rio":  {"positions.csv", 0.96, 0.98},
	} {
		t.Run(name, func(t *testing.T) {
			dir := recordingtest.Dir(t, name)
			positions := recordingtest.Positions(t, filepath.Join(dir, test.path))
			ratios := gpsToOdometer(fixes(positions))
			t.Logf("%d vehicles", len(ratios))
			within(t, "median of GPS distance / odometer", quantile(ratios, 0.5), test.low, test.high)
		})
	}
}

// gpsToOdometer is, for each vehicle that drove a kilometre, the distance of the clean pairs over that of the odometer, sorted.
// Both are taken over the same pairs of fixes.
func gpsToOdometer(positions []fleet.Position) []float64 {
	byVehicle := map[string][]fleet.Position{}
	for _, p := range positions {
		if p.Odometer != nil {
			byVehicle[p.Vehicle] = append(byVehicle[p.Vehicle], p)
		}
	}
	var ratios []float64
	for _, fixes := range byVehicle {
		m := motion(fixes)
		if m.Odometer.Metres() > 1000 && m.OdometerDistance > 0 {
			ratios = append(ratios, m.OdometerDistance.Metres()/m.Odometer.Metres())
		}
	}
	slices.Sort(ratios)
	return ratios
}

// motion adds up how a vehicle moved, in the order of its fixes.
func motion(fixes []fleet.Position) (sum fleet.Motion) {
	slices.SortStableFunc(fixes, func(a, b fleet.Position) int { return cmp.Compare(a.Instant, b.Instant) })
	var before *fleet.Fix
	for _, p := range fixes {
		fix := p.Fix()
		if before != nil && fix.Instant == before.Instant {
			continue
		}
		for _, share := range fleet.Shares(before, fix, nil) {
			sum = sum.Plus(share.Motion)
		}
		before = &fix
	}
	return sum
}

// The phone that published the distances computed them from more fixes than were stored. Tracks that lack a part are left out:
// a complete one lasts as long as published and has no gap of a minute.
func TestDistanceAgreesWithPublishedTracks(t *testing.T) {
	dir := recordingtest.Dir(t, "gotrack_aracaju")
	tracks := map[string][]fleet.Position{}
	for _, row := range reporttest.Rows(t, filepath.Join(dir, "points.csv")) {
		at, err := time.Parse("2006-01-02 15:04:05", row["time"])
		if err != nil {
			t.Fatal(err)
		}
		fix := fleet.Position{Instant: fleet.InstantOf(at), Lat: new(row.Number(t, "lat")), Lon: new(row.Number(t, "lon"))}
		tracks[row["track_id"]] = append(tracks[row["track_id"]], fix)
	}
	var ratios []float64
	for _, row := range reporttest.Rows(t, filepath.Join(dir, "tracks.csv")) {
		track := tracks[row["track_id"]]
		metres := 1000 * row.Number(t, "published_distance_km")
		seconds := 3600 * row.Number(t, "published_time_h")
		if metres < 500 || !complete(track, seconds) {
			continue
		}
		ratios = append(ratios, motion(track).Distance.Metres()/metres)
	}
	slices.Sort(ratios)
	within(t, "complete tracks", float64(len(ratios)), 30, 82)
	within(t, "10 % of our distance / published", quantile(ratios, 0.1), 0.98, 1.03)
	within(t, "median of our distance / published", quantile(ratios, 0.5), 1.02, 1.05)
	within(t, "90 % of our distance / published", quantile(ratios, 0.9), 1.05, 1.12)
}

func complete(track []fleet.Position, seconds float64) bool {
	first, last := track[0].Instant, track[len(track)-1].Instant
	if took := last.Since(first); took < 0.95*seconds || took > 1.05*seconds {
		return false
	}
	for i := 1; i < len(track); i++ {
		if track[i].Instant.Since(track[i-1].Instant) > 60 {
			return false
		}
	}
	return true
}
