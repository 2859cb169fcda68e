package main

import (
	"cmp"
	"math"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
)

// This file says once more, in the plainest way, what the example computes of a recording. It shares no code with the example.

// kingston is a recorded day and the feed that its buses drove by.
type kingston struct {
	dir     string
	fixes   []fix // in order of arrival, without repeats
	shapes  map[string][]point
	trips   map[string]string // the shape of each
	tripIDs []string          // sorted
	due     map[call]float64  // arrival_time, seconds of the service day
	zone    *time.Location
}

type fix struct {
	ride
	seq   string
	at    float64 // event time, Unix seconds
	point point
	speed string // m/s; may be empty
}

// ride is one vehicle on one trip of one service day.
type ride struct{ vehicle, trip, day string }

type point struct{ lat, lon float64 }

// call is a stop of a trip.
type call struct{ trip, sequence string }

func readKingston(t *testing.T, dir string) *kingston {
	t.Helper()
	k := &kingston{dir: dir, shapes: map[string][]point{}, trips: map[string]string{}, due: map[call]float64{}}
	k.fixes = readFixes(t, filepath.Join(dir, "positions_20260116.csv"))
	feed := func(name string) []reporttest.Row { return reporttest.Rows(t, filepath.Join(dir, "gtfs", name)) }

	vertices := feed("shapes.txt")
	slices.SortStableFunc(vertices, func(a, b reporttest.Row) int {
		return cmp.Compare(float(t, a["shape_pt_sequence"]), float(t, b["shape_pt_sequence"]))
	})
	for _, r := range vertices {
		p := point{float(t, r["shape_pt_lat"]), float(t, r["shape_pt_lon"])}
		k.shapes[r["shape_id"]] = append(k.shapes[r["shape_id"]], p)
	}
	for _, r := range feed("trips.txt") {
		k.trips[r["trip_id"]] = r["shape_id"]
		k.tripIDs = append(k.tripIDs, r["trip_id"])
	}
	slices.Sort(k.tripIDs)
	for _, r := range feed("stop_times.txt") {
		clock := strings.Split(r["arrival_time"], ":")
		k.due[call{r["trip_id"], r["stop_sequence"]}] = 3600*float(t, clock[0]) + 60*float(t, clock[1]) + float(t, clock[2])
	}
	zone, err := time.LoadLocation(feed("agency.txt")[0]["agency_timezone"])
	if err != nil {
		t.Fatal(err)
	}
	k.zone = zone
	return k
}

// readFixes reads the rows with a position. Zero latitude and longitude are a drop-out of the GPS; of rows with the same vehicle
// and event time the first to arrive counts.
func readFixes(t *testing.T, path string) []fix {
	t.Helper()
	type sent struct{ vehicle, at string }
	seen := map[sent]bool{}
	var fixes []fix
	for _, r := range reporttest.Rows(t, path) {
		if r["lat"] == "" || r["lon"] == "" {
			continue
		}
		p := point{float(t, r["lat"]), float(t, r["lon"])}
		s := sent{r["vehicle_id"], r["vehicle_timestamp"]}
		if p == (point{}) || seen[s] {
			continue
		}
		seen[s] = true
		fixes = append(fixes, fix{
			ride: ride{r["vehicle_id"], r["trip_id"], r["trip_start_date"]}, seq: r["seq"],
			at: float(t, r["vehicle_timestamp"]), point: p, speed: r["speed_mps"],
		})
	}
	return fixes
}

// planned is the trip that a bus drives: the one of exactly that id, else the first in sorted order that differs only in the
// block, the c of a:b:c; empty when there is none.
func (k *kingston) planned(trip string) string {
	if _, ok := k.trips[trip]; ok {
		return trip
	}
	parts := strings.Split(trip, ":")
	if len(parts) != 3 {
		return ""
	}
	for _, id := range k.tripIDs {
		if strings.HasPrefix(id, parts[0]+":"+parts[1]+":") {
			return id
		}
	}
	return ""
}

// deviation is the shortest distance from a fix to the shape of its trip, in metres; false if the trip is unknown.
func (k *kingston) deviation(f fix) (float64, bool) {
	shape := k.shapes[k.trips[k.planned(f.trip)]]
	nearest := math.Inf(1)
	for i := 1; i < len(shape); i++ {
		nearest = min(nearest, f.point.toSegment(shape[i-1], shape[i]))
	}
	return nearest, len(shape) > 1
}

// toSegment is the distance to a segment in the equirectangular projection centred on p, in metres.
func (p point) toSegment(a, b point) float64 {
	const radius, degree = 6_371_008.8, math.Pi / 180
	project := func(q point) (x, y float64) {
		return (q.lon - p.lon) * degree * math.Cos(p.lat*degree) * radius, (q.lat - p.lat) * degree * radius
	}
	ax, ay := project(a)
	bx, by := project(b)
	dx, dy := bx-ax, by-ay
	part := 0.0
	if dx != 0 || dy != 0 {
		part = min(1, max(0, -(ax*dx+ay*dy)/(dx*dx+dy*dy)))
	}
	return math.Hypot(ax+part*dx, ay+part*dy)
}

// checkSpeedWindows: count, sum, mean and maximum of the reported speeds of each vehicle in each five minutes.
func (k *kingston) checkSpeedWindows(t *testing.T, dir string) {
	type window struct {
		vehicle string
		start   float64
	}
	type speeds struct{ count, sum, avg, max float64 }
	want := map[window]speeds{}
	for _, f := range k.fixes {
		if f.speed == "" {
			continue
		}
		w, v := window{f.vehicle, math.Floor(f.at/300) * 300}, float(t, f.speed)
		s := want[w]
		s = speeds{count: s.count + 1, sum: s.sum + v, max: max(s.max, v)}
		s.avg = s.sum / s.count
		want[w] = s
	}
	got := map[window]speeds{}
	for _, r := range reporttest.Rows(t, filepath.Join(dir, "speed_windows.csv")) {
		got[window{r["vehicle_id"], float(t, r["window_start"])}] = speeds{
			float(t, r["count"]), float(t, r["sum_speed_mps"]), float(t, r["avg_speed_mps"]), float(t, r["max_speed_mps"]),
		}
	}
	sameKeys(t, got, want)
	same := func(got, want float64) bool { return math.Abs(got-want) <= 1e-9*math.Abs(want) }
	for w, want := range want {
		got := got[w]
		if got.count != want.count || !same(got.sum, want.sum) || !same(got.avg, want.avg) || !same(got.max, want.max) {
			t.Errorf("window %v is %v, want %v", w, got, want)
		}
	}
	t.Logf("%d windows", len(want))
}

// checkDeviations: a row for each fix on a known trip, within a metre or half a percent.
func (k *kingston) checkDeviations(t *testing.T, dir string) {
	type rowKey struct{ seq, vehicle, trip string }
	want := map[rowKey]float64{}
	for _, f := range k.fixes {
		if metres, ok := k.deviation(f); ok {
			want[rowKey{f.seq, f.vehicle, f.trip}] = metres
		}
	}
	got := map[rowKey]float64{}
	for _, r := range reporttest.Rows(t, filepath.Join(dir, "deviation_points.csv")) {
		got[rowKey{r["seq"], r["vehicle_id"], r["trip_id"]}] = float(t, r["distance_to_shape_m"])
	}
	sameKeys(t, got, want)
	worst, all := 0.0, []float64{}
	for key, want := range want {
		if !sameMetres(got[key], want) {
			t.Errorf("deviation of %v is %v m, want %v", key, got[key], want)
		}
		worst = max(worst, math.Abs(got[key]-want))
		all = append(all, want)
	}
	slices.Sort(all)
	t.Logf("%d fixes: median %.2f m, 95 %% below %.2f m, greatest %.0f m; ours differ by %.2g m at most",
		len(all), all[len(all)/2], all[len(all)*95/100], all[len(all)-1], worst)
}

// checkEpisodes: two or more consecutive fixes of a ride, all farther than 100 m from the shape.
func (k *kingston) checkEpisodes(t *testing.T, dir string) {
	type episode struct {
		ride
		first, last float64
		fixes       int
	}
	type off struct {
		episode
		max float64
	}
	want := map[episode]float64{}
	under := map[ride]off{}
	end := func(r ride) {
		if o := under[r]; o.fixes >= 2 {
			want[o.episode] = o.max
		}
		delete(under, r)
	}
	for _, f := range k.fixes {
		metres, known := k.deviation(f)
		if !known || metres <= 100 {
			end(f.ride)
			continue
		}
		o, ok := under[f.ride]
		if !ok {
			o.ride, o.first = f.ride, f.at
		}
		o.last, o.fixes, o.max = f.at, o.fixes+1, max(o.max, metres)
		under[f.ride] = o
	}
	for r := range under {
		end(r)
	}

	got := map[episode]float64{}
	for _, r := range reporttest.Rows(t, filepath.Join(dir, "deviation_episodes.csv")) {
		e := episode{
			ride:  ride{r["vehicle_id"], r["trip_id"], r["trip_start_date"]},
			first: float(t, r["first_ts"]), last: float(t, r["last_ts"]), fixes: int(float(t, r["fixes"])),
		}
		got[e] = float(t, r["max_m"])
	}
	sameKeys(t, got, want)
	for e, metres := range want {
		if !sameMetres(got[e], metres) {
			t.Errorf("episode %v goes %v m away, want %v", e, got[e], metres)
		}
	}
	t.Logf("%d episodes", len(want))
}

// checkArrivals: each lies between two fixes at most 120 s apart and is as late as its timetable says; there are enough of them; and
// they agree with those that the agency measured.
func (k *kingston) checkArrivals(t *testing.T, dir string) {
	const offline = 1988 // arrivals of an independent computation
	times := map[ride][]float64{}
	for _, f := range k.fixes {
		times[f.ride] = append(times[f.ride], f.at)
	}
	type stop struct{ trip, day, sequence string }
	ours := map[stop]float64{}
	rows := reporttest.Rows(t, filepath.Join(dir, "arrivals.csv"))
	for _, r := range rows {
		at, delay := float(t, r["arrival_ts"]), float(t, r["delay_s"])
		if !between(at, times[ride{r["vehicle_id"], r["trip_id"], r["trip_start_date"]}]) {
			t.Errorf("arrival %v lies between no two fixes", r)
		}
		due, ok := k.due[call{k.planned(r["trip_id"]), r["stop_sequence"]}]
		if due += k.dayStart(t, r["trip_start_date"]); !ok || math.Abs(at-due-delay) > 0.001 {
			t.Errorf("arrival %v is %v s late", r, at-due)
		}
		s := stop{r["trip_id"], r["trip_start_date"], r["stop_sequence"]}
		if _, twice := ours[s]; twice {
			t.Errorf("arrival %v is there twice", r)
		}
		ours[s] = delay
	}
	if len(rows) < offline*85/100 {
		t.Errorf("%d arrivals, want at least 85 %% of %d", len(rows), offline)
	}

	measured := 0
	var apart []float64
	for _, r := range reporttest.Rows(t, filepath.Join(k.dir, "agency_stop_arrivals.csv")) {
		if r["observed"] != "1" {
			continue
		}
		measured++
		if delay, ok := ours[stop{r["trip_id"], r["trip_start_date"], r["stop_sequence"]}]; ok {
			apart = append(apart, math.Abs(delay-float(t, r["arrival_delay_s"])))
		}
	}
	slices.Sort(apart)
	within := func(seconds float64) float64 {
		n, _ := slices.BinarySearchFunc(apart, seconds, func(a, limit float64) int {
			if a <= limit {
				return -1
			}
			return 1
		})
		return 100 * float64(n) / float64(len(apart))
	}
	if len(apart) == 0 || within(60) < 90 {
		t.Fatalf("%.1f %% of %d delays are within 60 s of the agency's, want 90 %%", within(60), len(apart))
	}
	t.Logf("%d arrivals (%.1f %% of %d); of %d that the agency measured ours has %d: median difference %.1f s, %.1f %% within 30 s, %.1f %% within 60 s",
		len(rows), 100*float64(len(rows))/offline, offline, measured, len(apart), apart[len(apart)/2], within(30), within(60))
}

// between reports whether a time lies between two consecutive ones at most 120 s apart.
func between(at float64, times []float64) bool {
	for i := 1; i < len(times); i++ {
		if times[i-1] <= at && at <= times[i] && times[i]-times[i-1] <= 120 {
			return true
		}
	}
	return false
}

// dayStart is noon minus twelve hours of a service day, Unix seconds.
func (k *kingston) dayStart(t *testing.T, day string) float64 {
	t.Helper()
	midnight, err := time.ParseInLocation("20060102", day, k.zone)
	if err != nil {
		t.Fatal(err)
	}
	noon := time.Date(midnight.Year(), midnight.Month(), midnight.Day(), 12, 0, 0, 0, k.zone)
	return float64(noon.Unix() - 12*3600)
}

func sameMetres(got, want float64) bool { return math.Abs(got-want) <= max(1, 0.005*want) }

// sameKeys fails for each key that only one of two maps has.
func sameKeys[K comparable, V any](t *testing.T, got, want map[K]V) {
	t.Helper()
	for k := range got {
		if _, ok := want[k]; !ok {
			t.Errorf("row too many: %v", k)
		}
	}
	for k := range want {
		if _, ok := got[k]; !ok {
			t.Errorf("row missing: %v", k)
		}
	}
}

func float(t *testing.T, text string) float64 {
	t.Helper()
	x, err := strconv.ParseFloat(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return x
}
