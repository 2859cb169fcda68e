package drivers_test

import (
	"cmp"
	"errors"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// recorded is what the topology reads of a recording.
type recorded struct {
	positions  []fleet.Position
	visits     []fleet.Visit
	deviations []fleet.Deviation
}

// TestReference compares the figures of three recordings with those that an independent program computed: counts are the same, sums
// agree to 0.01 %. Nobody is assigned to the vehicles, so the figures are those of vehicles. They do not depend on the order in which fixes
// arrive, nor on partitions, crashes and restarts.
//
// Proves: same-input-same-output
func TestReference(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for ten seconds")
	}
	for _, test := range []struct {
		name, file, reference, zone, prefix string
		columns                             map[string]string
	}{
		{"kingston", "positions_20260116.csv", "kingston_positions_20260116", "America/Toronto", "", nil},
		{"brt_rio", "positions.csv", "brt_positions", "America/Sao_Paulo", "", nil},
		{
			"gotrack_aracaju", "points.csv", "gotrack_points", "America/Maceio", "track-",
			map[string]string{"vehicle_id": "track_id", "vehicle_timestamp": "time"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			dir, reference := recordingtest.Dir(t, test.name), recordingtest.Dir(t, "reference")
			zone, err := time.LoadLocation(test.zone)
			if err != nil {
				t.Fatal(err)
			}
			in := recorded{positions: positions(t, filepath.Join(dir, test.file), recording.Options{Columns: test.columns, Zone: zone})}
			if test.name == "kingston" {
				in.visits, in.deviations = tracked(t, filepath.Join(dir, "gtfs"), in.positions)
			}
			cfg := drivers.Config{Zone: zone, Limits: drivers.Limits{Fleet: 60}, Keep: -1}
			files := write(t, run(t, cfg, in, topologytest.Config{}, nil))
			sameFigures(t, files, filepath.Join(reference, test.reference+"_drivers.csv"), test.prefix)

			in.shuffle()
			happens := func(d *topologytest.Driver) error { return errors.Join(d.Crash(), d.Restart()) }
			reporttest.Same(t, files, write(t, run(t, cfg, in, topologytest.Config{Partitions: 5, CommitEvery: 300}, happens)))
		})
	}
}

// shuffle makes fixes and deviations arrive thousands of places earlier or later, and the visits of one vehicle after those of another. Repeats
// are left out, because the first of equal fixes wins.
func (in *recorded) shuffle() {
	random := rand.New(rand.NewPCG(3, 4))
	type moment struct {
		vehicle string
		at      fleet.Instant
	}
	seen := map[moment]bool{}
	var fixes []fleet.Position
	for _, p := range in.positions {
		if m := (moment{p.Vehicle, p.Instant}); p.Fault() == "" && !seen[m] {
			seen[m] = true
			fixes = append(fixes, p)
		}
	}
	in.positions, in.deviations = shuffled(random, fixes), shuffled(random, in.deviations)
	in.visits = slices.Clone(in.visits)
	slices.SortStableFunc(in.visits, func(a, b fleet.Visit) int { return cmp.Compare(b.Vehicle, a.Vehicle) })
}

func shuffled[T any](random *rand.Rand, all []T) []T {
	const reach = 3000
	all = slices.Clone(all)
	for from := 0; from < len(all); from += reach {
		part := all[from:min(len(all), from+reach)]
		random.Shuffle(len(part), func(i, j int) { part[i], part[j] = part[j], part[i] })
	}
	return all
}

func positions(t *testing.T, path string, o recording.Options) []fleet.Position {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	rows, err := recording.ReadAll(filepath.Base(path), file, o)
	if err != nil {
		t.Fatal(err)
	}
	var all []fleet.Position
	for _, row := range rows {
		if row.Err != nil {
			t.Fatal(row.Err)
		}
		all = append(all, row.Position)
	}
	return all
}

// tracked returns the visits and deviations that package tracking makes of positions.
func tracked(t *testing.T, dir string, positions []fleet.Position) ([]fleet.Visit, []fleet.Deviation) {
	t.Helper()
	feed, err := gtfs.Read(os.DirFS(dir))
	if err != nil {
		t.Fatal(err)
	}
	top, err := tracking.New(tracking.Config{})
	if err != nil {
		t.Fatal(err)
	}
	d, err := topologytest.New(top, topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	plan := feed.Plan(feed.From)
	for id, path := range plan.Paths {
		send(t, d, tracking.Paths, id, path)
	}
	for key, trips := range plan.Timetables {
		send(t, d, tracking.Trips, key, trips)
	}
	sendAll(t, d, tracking.Positions, positions, func(p fleet.Position) string { return p.Vehicle })
	return read(t, d, tracking.Visits), read(t, d, tracking.Deviations)
}

// run sends what is recorded through the topology and reads the days back. Halfway through the positions it lets something happen.
func run(t *testing.T, cfg drivers.Config, in recorded, driver topologytest.Config, happens func(*topologytest.Driver) error) report.Report {
	t.Helper()
	top, err := drivers.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	d, err := topologytest.New(top, driver)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	byVehicle := func(p fleet.Position) string { return p.Vehicle }
	half := len(in.positions) / 2
	sendAll(t, d, tracking.Positions, in.positions[:half], byVehicle)
	sendAll(t, d, tracking.Visits, in.visits, func(v fleet.Visit) string { return v.Vehicle })
	if happens != nil {
		if err := happens(d); err != nil {
			t.Fatal(err)
		}
	}
	sendAll(t, d, tracking.Deviations, in.deviations, func(v fleet.Deviation) string { return v.Vehicle })
	sendAll(t, d, tracking.Positions, in.positions[half:], byVehicle)
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	var r report.Report
	for _, day := range read(t, d, drivers.Days) {
		r.AddDay(day)
	}
	return r
}

func sendAll[V any](t *testing.T, d *topologytest.Driver, topic topology.Topic[string, V], values []V, key func(V) string) {
	t.Helper()
	var records []processor.Record[string, V]
	for _, v := range values {
		records = append(records, processor.Record[string, V]{Key: key(v), Value: v})
	}
	if err := topologytest.Send(d, topic, records...); err != nil {
		t.Fatal(err)
	}
}

func send[V any](t *testing.T, d *topologytest.Driver, topic topology.Topic[string, V], key string, value V) {
	t.Helper()
	sendAll(t, d, topic, []V{value}, func(V) string { return key })
}

func read[V any](t *testing.T, d *topologytest.Driver, topic topology.Topic[string, V]) []V {
	t.Helper()
	records, err := topologytest.Read(d, topic)
	if err != nil {
		t.Fatal(err)
	}
	var values []V
	for _, r := range records {
		values = append(values, r.Value)
	}
	return values
}

func write(t *testing.T, r report.Report) string {
	t.Helper()
	dir := t.TempDir()
	if err := r.Write(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// tolerances of the columns that are not counts, beside 0.01 %: what the reference rounds away.
var tolerances = map[string]float64{
	"distance_m": 0.05, "speed_mps": 0.0005, "derived_max_mps": 0.0005, "reported_max_mps": 0.0005,
	"speed_change_max_mps2": 0.001, "speed_change_min_mps2": 0.001, "score": 0.05,
}

func sameFigures(t *testing.T, dir, reference, prefix string) {
	t.Helper()
	got, want := reporttest.Lines(t, filepath.Join(dir, report.Drivers)), reporttest.Lines(t, reference)
	header := want[0]
	if !slices.Equal(got[0], header) {
		t.Fatalf("columns are %v, want %v", got[0], header)
	}
	byDay := map[[2]string][]string{}
	for _, row := range got[1:] {
		byDay[[2]string{prefix + row[0], row[1]}] = row
	}
	if len(got) != len(want) {
		t.Errorf("%d days, want %d", len(got)-1, len(want)-1)
	}
	for _, row := range want[1:] {
		day := byDay[[2]string{row[0], row[1]}]
		if day == nil {
			t.Errorf("no figures of %s on %s", row[0], row[1])
			continue
		}
		for i, column := range header[2:] {
			if g, w := day[i+2], row[i+2]; !agree(g, w, tolerances[column]) {
				t.Errorf("%s of %s on %s is %q, want %q", column, row[0], row[1], g, w)
			}
		}
	}
}

func agree(got, want string, tolerance float64) bool {
	if got == want {
		return true
	}
	g, err := strconv.ParseFloat(got, 64)
	if err != nil {
		return false
	}
	w, err := strconv.ParseFloat(want, 64)
	return err == nil && tolerance > 0 && math.Abs(g-w) <= tolerance+1e-4*math.Abs(w)
}
