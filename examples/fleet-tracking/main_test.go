package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
)

// TestRecording works through a recording, whole and in two halves, in two orders, and replays it. The recording has late fixes,
// repeats, drop-outs and detours.
func TestRecording(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for a quarter of a minute")
	}
	dir := t.TempDir()
	feed, positions := filepath.Join(dir, "gtfs"), filepath.Join(dir, "posicoes.csv")
	record(t, feed, positions, 6_000)
	at := func(name string) string { return filepath.Join(dir, name) }

	succeed(t, "-gtfs", feed, "-positions", positions, "-arrival-order", "-data", at("log"), "-out", at("first"))
	if files := reporttest.Files(t, at("first")); strings.Count(files[report.Arrivals], "\n") < 250 || strings.Count(files[report.DeviationEpisodes], "\n") < 2 {
		t.Fatalf("the recording gives %d bytes of arrivals and episodes\n%s", len(files[report.Arrivals]), files[report.DeviationEpisodes])
	}

	checkTopics(t, at("log"), 16)

	t.Run("a second start adds nothing", func(t *testing.T) {
		succeed(t, "-gtfs", feed, "-positions", positions, "-arrival-order", "-data", at("log"), "-out", at("second"))
		reporttest.Same(t, at("first"), at("second"))
	})
	t.Run("a replay gives the same", func(t *testing.T) {
		for _, again := range []string{"replay", "replay again"} {
			succeed(t, "-data", at("log"), "-replay", "-out", at(again))
			reporttest.Same(t, at("first"), at(again))
		}
	})
	t.Run("a stop in the middle changes nothing", func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		code, _, _ := command(t, ctx, "-gtfs", feed, "-positions", positions, "-arrival-order", "-speed", "2000", "-data", at("stopped"))
		if code != 1 {
			t.Errorf("a recording that is stopped ends with %d, want 1", code)
		}
		succeed(t, "-gtfs", feed, "-positions", positions, "-arrival-order", "-data", at("stopped"), "-out", at("third"))
		reporttest.Same(t, at("first"), at("third"))
	})
	t.Run("the same recording in another order is refused", func(t *testing.T) {
		code, _, stderr := command(t, t.Context(), "-gtfs", feed, "-positions", positions, "-data", at("log"))
		if code != 1 || !strings.Contains(stderr, "another order of this recording") {
			t.Errorf("ends with %d and says %q", code, stderr)
		}
	})
	t.Run("a log takes one recording after the other", func(t *testing.T) {
		first, second := at("manha.csv"), at("tarde.csv")
		split(t, positions, first, second)
		for _, half := range []string{first, second, first} { // the first again adds nothing
			succeed(t, "-gtfs", feed, "-positions", half, "-arrival-order", "-data", at("halves"), "-out", at("fourth"))
		}
		reporttest.Same(t, at("first"), at("fourth"))
		succeed(t, "-data", at("halves"), "-replay", "-out", at("replay of both"))
		reporttest.Same(t, at("first"), at("replay of both"))
	})
	t.Run("in order of event time no fix is late", func(t *testing.T) {
		succeed(t, "-gtfs", feed, "-positions", positions, "-out", at("sorted"))
		first, sorted := reporttest.Files(t, at("first")), reporttest.Files(t, at("sorted"))
		if a, b := strings.Count(first[report.DeviationPoints], "\n"), strings.Count(sorted[report.DeviationPoints], "\n"); a != b {
			t.Errorf("%d deviations in order of arrival, %d in order of event time: the order changes none", a, b)
		}
		if a, b := strings.Count(first[report.Arrivals], "\n"), strings.Count(sorted[report.Arrivals], "\n"); a > b+5 {
			t.Errorf("%d arrivals in order of arrival, %d in order of event time", a, b)
		}
	})
}

func TestLiveSimulation(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	out := filepath.Join(t.TempDir(), "out")
	stdout := succeed(t, "-vehicles", "8", "-seed", "2", "-speed", "300", "-duration", "2s", "-out", out)
	for _, want := range []string{"Kafka broker on 127.0.0.1:", "8 vehicles", "speed windows", "Compared with what happened: ", "Written to " + out} {
		if !strings.Contains(stdout, want) {
			t.Errorf("output does not say %q:\n%s", want, stdout)
		}
	}
	if files := reporttest.Files(t, out); !strings.Contains(files[report.SpeedWindows], "onibus-008") {
		t.Errorf("no speed of onibus-008:\n%s", files[report.SpeedWindows])
	}
}

// All that is wrong with a command line is told at once.
func TestCommandLine(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct {
		args string
		code int
		want []string
	}{
		{"-help", 0, nil},
		{"-speed fast", 2, []string{`invalid value "fast" for flag -speed`}},
		{"-spede 3", 2, []string{"flag provided but not defined: -spede"}},
		{"-gtfs " + dir, 2, []string{"-gtfs needs -positions"}},
		{"-live", 2, []string{"-live needs -data"}},
		{"-live -replay -positions main_test.go -vehicles 3 -speed 2", 2, []string{"-live and -replay", "leave -positions out", "-vehicles is for", "leave -speed out"}},
		{"-positions none.csv live", 2, []string{`unexpected argument "live"`, "there is no none.csv"}},
		{"-on-error ignore", 2, []string{"-on-error"}},
		{"-replay -vehicles 3", 2, []string{"-replay needs -out", "-replay needs -data", "-vehicles is for the simulated fleet"}},
		{"-replay -out x -data " + dir + "/none", 2, []string{"there is no log to replay"}},
		{"-from yesterday", 2, []string{"-from: want a time with its zone"}},
		{"-from 2026-01-16T09:00:00Z -to 2026-01-16T08:00:00Z", 2, []string{"-from and -to are for -replay", "-to: it must be later than -from"}},
		{"-vehicles 0 -speed 0 -duration -1s", 2, []string{"-vehicles 0: at least 1", "-speed 0: a simulated fleet", "-duration -1s"}},
		{"-speed-limit fast", 2, []string{`invalid value "fast" for flag -speed-limit: want a speed in km/h`}},
		{"-speed-limit -60", 2, []string{"-speed-limit: want a speed in km/h"}},
		{"-vehicle-speed-limit 50", 2, []string{"-vehicle-speed-limit: want a name and a speed, such as onibus-017=50"}},
		{"-route-speed-limit 12=Inf", 2, []string{"-route-speed-limit: want a speed in km/h"}},
		{"-route-speed-limit 12=40 -route-speed-limit 12=50", 2, []string{"12 has a limit already: 40 km/h"}},
		{"drivers -speed-tolerance NaN", 2, []string{"-speed-tolerance: want a speed in km/h"}},
		{"logistics -speed-limit 50", 2, []string{"flag provided but not defined: -speed-limit"}},
		{"-keep-drivers 3", 2, []string{"-keep-drivers: want at least 7 days"}},
		{"-keep-messages forever", 2, []string{"-keep-messages: want a number of days, or 0 to keep them forever"}},
		{"-listen :9092 -brokers a:1", 2, []string{"-listen is for the broker in this process"}},
		{"-listen :9092 -duration 1s", 1, []string{"names no host"}},
		{"-gtfs " + dir + " -positions main_test.go", 1, []string{"agency.txt", "stop_times.txt"}},
	} {
		code, _, stderr := command(t, t.Context(), strings.Fields(test.args)...)
		if code != test.code {
			t.Errorf("%s ends with %d, want %d", test.args, code, test.code)
		}
		for _, want := range test.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("%s does not say %q:\n%s", test.args, want, stderr)
			}
		}
	}
}

// command runs the program.
func command(t *testing.T, ctx context.Context, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var outputs [2]*os.File
	for i := range outputs {
		file, err := os.CreateTemp(t.TempDir(), "output")
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		outputs[i] = file
	}
	code = run(ctx, args, outputs[0], outputs[1])
	var texts [2]string
	for i, file := range outputs {
		text, err := os.ReadFile(file.Name())
		if err != nil {
			t.Fatal(err)
		}
		texts[i] = string(text)
	}
	return code, texts[0], texts[1]
}

func succeed(t *testing.T, args ...string) (stdout string) {
	t.Helper()
	code, stdout, stderr := command(t, t.Context(), args...)
	if code != 0 {
		t.Fatalf("%v ends with %d:\n%s", args, code, stderr)
	}
	return stdout
}

// record writes a simulated fleet's feed and positions as an agency and a recorder would.
func record(t *testing.T, feedDir, positionsPath string, n int) {
	t.Helper()
	buses := simulation.New(simulation.Config{Vehicles: 15, Seed: 11})
	writeFeed(t, feedDir, buses.Network())
	rows := [][]string{{"seq", "feed_timestamp", "vehicle_id", "route_id", "trip_id", "trip_start_date", "vehicle_timestamp", "lat", "lon", "speed_mps"}}
	for range n {
		p, at := buses.Next()
		rows = append(rows, []string{
			strconv.FormatInt(p.Seq, 10), strconv.FormatInt(at.Unix(), 10), p.Vehicle, p.Route, p.Trip, p.Day,
			strconv.FormatInt(int64(p.Instant)/1000, 10), optional(p.Lat), optional(p.Lon), optional(p.Speed),
		})
	}
	writeCSV(t, positionsPath, rows)
}

func optional(x *float64) string {
	if x == nil {
		return ""
	}
	return decimal(*x)
}

// split writes the first and the second half of a file of rows, each with the header.
func split(t *testing.T, path, first, second string) {
	t.Helper()
	rows := reporttest.Lines(t, path)
	middle := len(rows) / 2
	writeCSV(t, first, rows[:middle])
	writeCSV(t, second, slices.Concat(rows[:1], rows[middle:]))
}

func writeFeed(t *testing.T, dir string, feed *gtfs.Feed) {
	t.Helper()
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	tables := map[string][][]string{
		"agency.txt":     {{"agency_name", "agency_timezone"}, {"Rio", feed.Zone}},
		"routes.txt":     {{"route_id", "route_long_name"}},
		"stops.txt":      {{"stop_id", "stop_name", "stop_lat", "stop_lon"}},
		"shapes.txt":     {{"shape_id", "shape_pt_sequence", "shape_pt_lat", "shape_pt_lon", "shape_dist_traveled"}},
		"trips.txt":      {{"trip_id", "route_id", "shape_id"}},
		"stop_times.txt": {{"trip_id", "stop_sequence", "stop_id", "arrival_time", "departure_time", "shape_dist_traveled"}},
	}
	add := func(name string, row ...string) { tables[name] = append(tables[name], row) }
	for id, r := range feed.Routes {
		add("routes.txt", id, r.LongName)
	}
	for id, s := range feed.Stops {
		add("stops.txt", id, s.Name, decimal(s.Point.Lat()), decimal(s.Point.Lon()))
	}
	for id, points := range feed.Shapes {
		for _, p := range points {
			add("shapes.txt", id, strconv.Itoa(p.Sequence), decimal(p.Point.Lat()), decimal(p.Point.Lon()), decimal(p.Along))
		}
	}
	for _, trip := range feed.Trips {
		add("trips.txt", trip.ID, trip.Route, trip.Shape)
		for _, c := range feed.Calls[trip.ID] {
			add("stop_times.txt", trip.ID, strconv.Itoa(c.Sequence), c.Stop, clock(c.Arrives), clock(c.Leaves), decimal(c.Along))
		}
	}
	for name, rows := range tables {
		writeCSV(t, filepath.Join(dir, name), rows)
	}
}

func clock(seconds int) string {
	return fmt.Sprintf("%02d:%02d:%02d", seconds/3600, seconds/60%60, seconds%60)
}

func decimal(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func writeCSV(t *testing.T, path string, rows [][]string) {
	t.Helper()
	if err := report.WriteTable(path, rows); err != nil {
		t.Fatal(err)
	}
}

func TestPace(t *testing.T) {
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	p := pace{speed: 10}
	var waits []time.Duration
	for _, due := range []fleet.Instant{5000, 15_000, 105_000} {
		waits = append(waits, p.until(due, start))
	}
	if want := []time.Duration{0, time.Second, 10 * time.Second}; !slices.Equal(waits, want) {
		t.Errorf("waits %v, want %v", waits, want)
	}
	if got := (&pace{}).until(1e9, start); got != 0 {
		t.Errorf("without a speed it waits %v", got)
	}
}
