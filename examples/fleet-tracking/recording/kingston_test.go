package recording_test

import (
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// followed is what the domain says about a recording, computed fix by fix in order of arrival.
type followed struct {
	deviations []float64
	episodes   map[episode]fleet.Episode
	arrivals   []fleet.Arrival
}

type episode struct {
	run   string
	first fleet.Instant
}

func follow(t *testing.T, positions []fleet.Position, plan fleet.Plan) followed {
	t.Helper()
	trackers := map[string]fleet.Tracker{}
	result := followed{episodes: map[episode]fleet.Episode{}}
	for _, fix := range fixes(positions) {
		planned := plan.On(fleet.RunFix{Position: fix})
		if !planned.Known() {
			continue
		}
		tracker, seen, err := trackers[fix.Run()].Add(planned)
		if err != nil {
			t.Fatal(err)
		}
		trackers[fix.Run()] = tracker
		if d := seen.Deviation; d != nil {
			result.deviations = append(result.deviations, d.Distance)
			if d.Episode != nil {
				result.episodes[episode{fix.Run(), d.Episode.First}] = *d.Episode
			}
		}
		result.arrivals = append(result.arrivals, seen.Arrivals...)
	}
	slices.Sort(result.deviations)
	return result
}

// fixes are the positions that count: valid and sent for the first time.
func fixes(positions []fleet.Position) []fleet.Position {
	seen := map[string]fleet.Repeats{}
	var valid []fleet.Position
	for _, p := range positions {
		if p.Fault() != "" {
			continue
		}
		repeats, isNew := seen[p.Vehicle].Add(p)
		seen[p.Vehicle] = repeats
		if isNew {
			valid = append(valid, p)
		}
	}
	return valid
}

// kingston reads the recording once for all tests, which must not change it.
func kingston(t *testing.T) (dir string, positions []fleet.Position, plan fleet.Plan) {
	t.Helper()
	dir = recordingtest.Dir(t, "kingston")
	kingstonOnce.Do(func() {
		feed, err := gtfs.Read(os.DirFS(filepath.Join(dir, "gtfs")))
		if err != nil {
			t.Fatal(err)
		}
		kingstonPlan = feed.Plan(feed.From)
		kingstonPositions = recordingtest.Positions(t, filepath.Join(dir, "positions_20260116.csv"))
	})
	return dir, kingstonPositions, kingstonPlan
}

var (
	kingstonOnce      sync.Once
	kingstonPositions []fleet.Position
	kingstonPlan      fleet.Plan
)

// The figures are those of an independent offline computation.
func TestKingstonDeviation(t *testing.T) {
	_, positions, plan := kingston(t)
	got := follow(t, positions, plan)
	within(t, "median deviation", quantile(got.deviations, 0.5), 3.105, 3.115)
	within(t, "95 % of the deviations", quantile(got.deviations, 0.95), 14.8, 14.9)
	within(t, "greatest deviation", quantile(got.deviations, 1), 5_326, 5_328)
	within(t, "fixes beyond 50 m", float64(beyond(got.deviations, 50)), 205, 205)
	within(t, "fixes beyond 100 m", float64(beyond(got.deviations, 100)), 182, 182)
	within(t, "off-route episodes", float64(len(got.episodes)), 10, 10)
}

// The agency measured when its buses reached their stops. Our arrivals must agree with it.
func TestKingstonDelay(t *testing.T) {
	dir, positions, plan := kingston(t)
	got := follow(t, positions, plan)
	within(t, "arrivals", float64(len(got.arrivals)), 0.85*1988, 2050)

	ours := map[stopOfTrip]float64{}
	for _, a := range got.arrivals {
		stop := stopOfTrip{a.Trip, a.Day, a.Sequence}
		if _, twice := ours[stop]; twice {
			t.Errorf("arrival at %v is reported twice", stop)
		}
		ours[stop] = a.Delay
	}
	var apart []float64
	for stop, delay := range agencyDelays(t, filepath.Join(dir, "agency_stop_arrivals.csv")) {
		if our, ok := ours[stop]; ok {
			apart = append(apart, math.Abs(our-delay))
		}
	}
	slices.Sort(apart)
	n := float64(len(apart))
	within(t, "stops that both measured", n, 1000, 1096)
	within(t, "median difference", quantile(apart, 0.5), 0, 9)
	within(t, "share within 30 s", 1-float64(beyond(apart, 30))/n, 0.92, 1)
	within(t, "share within 60 s", 1-float64(beyond(apart, 60))/n, 0.97, 1)
}

type stopOfTrip struct {
	trip, day string
	sequence  int
}

// agencyDelays are the delays that the agency measured, in seconds.
func agencyDelays(t *testing.T, path string) map[stopOfTrip]float64 {
	t.Helper()
	delays := map[stopOfTrip]float64{}
	for _, r := range reporttest.Rows(t, path) {
		if r["observed"] == "1" && r["arrival_delay_s"] != "" {
			stop := stopOfTrip{r["trip_id"], r["trip_start_date"], int(r.Number(t, "stop_sequence"))}
			delays[stop] = r.Number(t, "arrival_delay_s")
		}
	}
	return delays
}

// TestKingstonSpeedWindows compares Speed with sums over whole windows that are gathered another way.
func TestKingstonSpeedWindows(t *testing.T) {
	_, positions, _ := kingston(t)
	type window struct {
		vehicle string
		start   int64
	}
	const fiveMinutes = 300

	got := map[window]fleet.Speed{}
	for _, fix := range fixes(positions) {
		if fix.HasSpeed() {
			w := window{fix.Vehicle, fix.Time().Unix() / fiveMinutes * fiveMinutes}
			got[w] = got[w].Add(fix)
		}
	}

	sent := map[string]bool{}
	speeds := map[window][]float64{}
	for _, p := range positions {
		second := int64(p.Instant) / 1000
		id := p.Vehicle + "/" + strconv.FormatInt(second, 10)
		if p.Lat == nil || *p.Lat == 0 && *p.Lon == 0 || sent[id] {
			continue
		}
		sent[id] = true
		if p.Speed != nil {
			w := window{p.Vehicle, second - second%fiveMinutes}
			speeds[w] = append(speeds[w], *p.Speed)
		}
	}

	within(t, "windows", float64(len(got)), float64(len(speeds)), float64(len(speeds)))
	for w, values := range speeds {
		sum := 0.0
		for _, v := range values {
			sum += v
		}
		n := len(values)
		want := fleet.Speed{Count: int64(n), Sum: sum, Mean: sum / float64(n), Max: slices.Max(values)}
		if got[w] != want {
			t.Errorf("window %v is %+v, want %+v", w, got[w], want)
		}
	}
}

// within fails unless low ≤ got ≤ high.
func within(t *testing.T, what string, got, low, high float64) {
	t.Helper()
	t.Logf("%s: %.4g", what, got)
	if !(got >= low && got <= high) {
		t.Errorf("%s is %v, want %v to %v", what, got, low, high)
	}
}

// quantile of sorted values; 1 is the greatest.
func quantile(values []float64, q float64) float64 {
	if len(values) == 0 {
		return math.NaN()
	}
	return values[min(len(values)-1, int(q*float64(len(values))))]
}

// beyond counts the values above a limit.
func beyond(values []float64, limit float64) int {
	n := 0
	for _, v := range values {
		if v > limit {
			n++
		}
	}
	return n
}
