package tracking

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

func fleetTracking(t *testing.T) *topology.Topology {
	t.Helper()
	top, err := New(Config{})
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func TestFleetTracking(t *testing.T) {
	topologytest.Run(t, "testdata/fleet-tracking", fleetTracking(t), topologytest.Config{})
}

// TestFreight follows a vehicle that sends only where it is.
func TestFreight(t *testing.T) {
	topologytest.Run(t, "testdata/freight", fleetTracking(t), topologytest.Config{})
}

func TestForecasts(t *testing.T) {
	topologytest.Run(t, "testdata/forecasts", fleetTracking(t), topologytest.Config{})
}

// TestKingston sends a recording through the topology. The report must be the same, byte for byte, however many partitions there
// are and whatever happens on the way.
//
// Proves: same-input-same-output
func TestKingston(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for half a minute")
	}
	dir := recordingtest.Dir(t, "kingston")
	feed, err := gtfs.Read(os.DirFS(filepath.Join(dir, "gtfs")))
	if err != nil {
		t.Fatal(err)
	}
	positions := recordingtest.Positions(t, filepath.Join(dir, "positions_20260116.csv"))

	first := runRecording(t, feed, positions, topologytest.Config{}, nil)
	windows, points, episodes, arrivals := first.Counts()
	if windows != 1229 || points != 6083 || episodes != 10 || arrivals != 1999 {
		t.Errorf("%d windows, %d points, %d episodes, %d arrivals; want 1229, 6083, 10, 1999", windows, points, episodes, arrivals)
	}
	t.Run("forecasts", func(t *testing.T) { checkForecasts(t, first) })
	crash := func(d *topologytest.Driver) error { return d.Crash() }
	restart := func(d *topologytest.Driver) error { return d.Restart() }
	for name, other := range map[string]results{
		"7 partitions, crashes": runRecording(t, feed, positions, topologytest.Config{Partitions: 7, CommitEvery: 100}, crash),
		"restarts":              runRecording(t, feed, positions, topologytest.Config{Partitions: 2}, restart),
	} {
		t.Run(name, func(t *testing.T) { compareReports(t, first.Report, other.Report) })
	}
}

// results are what came out, and the forecasts as they were told.
type results struct {
	report.Report
	told []fleet.Forecast
}

// runRecording sends a feed and positions through the topology and gathers what comes out. After every four thousandth
// position it lets something happen.
func runRecording(t *testing.T, feed *gtfs.Feed, positions []fleet.Position, cfg topologytest.Config, happens func(*topologytest.Driver) error) results {
	t.Helper()
	d, err := topologytest.New(fleetTracking(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	plan := feed.Plan(feed.From)
	for id, path := range plan.Paths {
		if err := topologytest.Send(d, Paths, processor.Record[string, fleet.Path]{Key: id, Value: path}); err != nil {
			t.Fatal(err)
		}
	}
	for key, trips := range plan.Timetables {
		if err := topologytest.Send(d, Trips, processor.Record[string, fleet.Timetable]{Key: key, Value: trips}); err != nil {
			t.Fatal(err)
		}
	}
	for len(positions) > 0 {
		n := min(4000, len(positions))
		var records []processor.Record[string, fleet.Position]
		for _, p := range positions[:n] {
			records = append(records, processor.Record[string, fleet.Position]{Key: p.Vehicle, Value: p})
		}
		positions = positions[n:]
		if err := topologytest.Send(d, Positions, records...); err != nil {
			t.Fatal(err)
		}
		if happens != nil {
			if err := happens(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	return readReport(t, d)
}

func readReport(t *testing.T, d *topologytest.Driver) results {
	t.Helper()
	var r results
	for _, s := range sent(t, d, Speeds) {
		r.AddSpeed(s.Key.Key, fleet.InstantOf(s.Key.Start), s.Value)
	}
	for _, s := range sent(t, d, Motions) {
		r.AddMotion(s.Key.Key, fleet.InstantOf(s.Key.Start), s.Value)
	}
	for _, a := range sent(t, d, Accounts) {
		r.AddAccount(a.Key, a.Value)
	}
	for _, d := range sent(t, d, Deviations) {
		r.AddDeviation(d.Value)
	}
	for _, a := range sent(t, d, Delays) {
		r.AddArrival(a.Value)
	}
	for _, v := range sent(t, d, Visits) {
		r.AddVisit(v.Value)
	}
	for _, u := range sent(t, d, Unused) {
		r.AddUnused(u.Value)
	}
	for _, l := range sent(t, d, Legs) {
		r.AddLeg(l.Value)
	}
	for _, f := range sent(t, d, Forecasts) {
		r.AddForecast(f.Value)
		r.told = append(r.told, f.Value.Whole())
	}
	return r
}

func sent[K, V any](t *testing.T, d *topologytest.Driver, topic topology.Topic[K, V]) []processor.Record[K, V] {
	t.Helper()
	records, err := topologytest.Read(d, topic)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func compareReports(t *testing.T, want, got report.Report) {
	t.Helper()
	wantDir, gotDir := t.TempDir(), t.TempDir()
	if err := want.Write(wantDir); err != nil {
		t.Fatal(err)
	}
	if err := got.Write(gotDir); err != nil {
		t.Fatal(err)
	}
	reporttest.Same(t, wantDir, gotDir)
}
