package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/freight"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// oneTrip is a feed with one trip: two kilometres to the north with a stop every kilometre, five minutes apart, the first at the given
// time.
func oneTrip(start time.Duration) map[string]string {
	clock := func(after time.Duration) string {
		at := int((start + after).Seconds())
		return fmt.Sprintf("%02d:%02d:%02d", at/3600, at/60%60, at%60)
	}
	stopTimes := "trip_id,stop_sequence,stop_id,arrival_time,departure_time\n"
	for i := range 3 {
		at := clock(time.Duration(i) * 5 * time.Minute)
		stopTimes += fmt.Sprintf("viagem-1,%d,p%d,%s,%s\n", i+1, i+1, at, at)
	}
	return map[string]string{
		"agency.txt":         "agency_name,agency_timezone\nRio,America/Maceio\n",
		"routes.txt":         "route_id,route_long_name\nlinha-1,Centro\n",
		"stops.txt":          "stop_id,stop_name,stop_lat,stop_lon\np1,Um,-10.95,-37.05\np2,Dois,-10.941007,-37.05\np3,Três,-10.932014,-37.05\n",
		"shapes.txt":         "shape_id,shape_pt_sequence,shape_pt_lat,shape_pt_lon\nf,1,-10.95,-37.05\nf,2,-10.932014,-37.05\n",
		"trips.txt":          "trip_id,route_id,shape_id\nviagem-1,linha-1,f\n",
		"calendar_dates.txt": "service_id,date,exception_type\ndia,20260116,1\n",
		"stop_times.txt":     stopTimes,
	}
}

// writeFiles writes files into a new directory.
func writeFiles(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	if err := os.Mkdir(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLoadWhileItRuns loads a timetable of the next day while the program runs. It must hold on that day and not on the day before, also for
// a run of the day before that comes later; and loading it once more must write nothing.
func TestLoadWhileItRuns(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	t.Parallel()
	dir := t.TempDir()
	today, tomorrow, out := filepath.Join(dir, "hoje"), filepath.Join(dir, "amanha"), filepath.Join(dir, "out")
	writeFiles(t, today, oneTrip(8*time.Hour))
	writeFiles(t, tomorrow, oneTrip(8*time.Hour+7*time.Minute))

	at := embedded(t)
	p := at.start(t, []string{"-live", "-gtfs", today, "-out", out})
	drive := drives(t, at)
	drive("onibus-1", "20260116")
	p.await(tracking.Visits.Name(), 6) // an arrival and a departure for each stop

	load := []string{"load", "-gtfs", tomorrow, "-from", "20260117", "-brokers", at.broker}
	said := succeed(t, load...)
	for _, want := range []string{"Read: 1 trip on 1 path, from service day 20260117 on.", "new or has changed: 1 group of trips.\n"} {
		if !strings.Contains(said, want) {
			t.Errorf("load does not say %q:\n%s", want, said)
		}
	}
	if said := succeed(t, load...); !strings.Contains(said, "new or has changed: nothing.\n") {
		t.Errorf("the second load says\n%s", said)
	}
	drive("onibus-2", "20260116")
	drive("onibus-3", "20260117")
	p.await(tracking.Visits.Name(), 18)
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	p.succeed()

	planned := map[string]string{}
	for _, r := range reporttest.Rows(t, filepath.Join(out, "stops.csv")) {
		if r["stop"] == "p3" {
			day, err := time.Parse("20060102-0700", r["service_day"]+"-0300")
			if err != nil {
				t.Fatal(err)
			}
			due := time.Unix(int64(r.Number(t, "planned_arrival")), 0).Sub(day)
			planned[r["vehicle"]] = fmt.Sprintf("%s %v late by %v", r["service_day"], due, r.Number(t, "arrival_delay_s"))
		}
	}
	for vehicle, want := range map[string]string{
		"onibus-1": "20260116 8h10m0s late by 60", "onibus-2": "20260116 8h10m0s late by 60", "onibus-3": "20260117 8h17m0s late by -360",
	} {
		if planned[vehicle] != want {
			t.Errorf("%s arrives at its last stop on %s, want %s", vehicle, planned[vehicle], want)
		}
	}
}

// drives returns a function that has a vehicle drive viagem-1 on a day: it leaves at 08:01, and stands at each stop five minutes later.
func drives(t *testing.T, at place) func(vehicle, day string) {
	t.Helper()
	client := at.dial(t)
	t.Cleanup(func() { client.Close() })
	producer, err := client.NewProducer(t.Context(), kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { producer.Close() })
	return func(vehicle, day string) {
		t.Helper()
		start, err := time.Parse("20060102-0700", day+"-0300")
		if err != nil {
			t.Fatal(err)
		}
		for i := range 11 { // 200 m a minute
			taken := start.Add(8*time.Hour + time.Duration(i+1)*time.Minute)
			speed := 3.3
			if i%5 == 0 {
				speed = 0
			}
			value := fmt.Sprintf(`{"viagem":"viagem-1","data":%q,"lat":%f,"lon":-37.05,"velocidade":%v,"instante":%d}`,
				day, -10.95+float64(i)*0.0017986, speed, taken.UnixMilli())
			record := kafka.Record{Key: []byte(vehicle), Value: []byte(value), Timestamp: taken.UnixMilli()}
			if err := producer.Send(tracking.Positions.Name(), 0, record); err != nil {
				t.Fatal(err)
			}
		}
		if err := producer.Flush(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
}

// TestLoadBadInput: whoever loads something else than a plan, or into something else than a log, is told what is wrong.
func TestLoadBadInput(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	good := oneTrip(8 * time.Hour)
	writeFiles(t, path("good"), good)
	writeFiles(t, path("empty"), nil)
	archive, err := os.Create(path("no-stops.zip"))
	if err != nil {
		t.Fatal(err)
	}
	w := zip.NewWriter(archive)
	for name, text := range good {
		if name == "stops.txt" {
			continue
		}
		file, err := w.Create(name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := file.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), archive.Close()); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path("entregas.csv"), []byte("entrega,lat\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	running := embedded(t)
	running.start(t, []string{"-live"})
	running.dial(t).Close()

	type test struct {
		args []string
		code int
		want []string
	}
	tests := []test{
		{[]string{"-gtfs", path("none"), "-data", path("log")}, 2, []string{"there is no " + path("none")}},
		{[]string{"-gtfs", path("empty"), "-data", path("log")}, 1, []string{path("empty"), "has no agency.txt, routes.txt, stops.txt, trips.txt, stop_times.txt: is it a GTFS feed?"}},
		{[]string{"-gtfs", path("no-stops.zip"), "-data", path("log")}, 1, []string{path("no-stops.zip") + " has no stops.txt: is it a GTFS feed?"}},
		{[]string{"-gtfs", path("entregas.csv"), "-data", path("log")}, 1, []string{"neither a directory nor a zip archive"}},
		{[]string{"-deliveries", path("entregas.csv"), "-data", path("log")}, 1, []string{path("entregas.csv"), "line 1: no column lon"}},
		{[]string{"-gtfs", path("good"), "-data", running.data}, 1, []string{"in use"}},
	}
	if !testing.Short() { // the program waits for ten seconds for a broker to answer
		nobody := test{[]string{"-gtfs", path("good"), "-brokers", freeAddress(t)}, 1, []string{"no broker answered", "connection refused"}}
		tests = append(tests, nobody)
	}
	for _, test := range tests {
		code, _, stderr := command(t, t.Context(), append([]string{"load"}, test.args...)...)
		if code != test.code {
			t.Errorf("load %v ends with %d, want %d", test.args, code, test.code)
		}
		for _, want := range test.want {
			if !strings.Contains(stderr, want) {
				t.Errorf("load %v does not say %q:\n%s", test.args, want, stderr)
			}
		}
	}
}

func TestAboutTripsWithoutAVehicle(t *testing.T) {
	var idle []string
	for i := range 12 {
		idle = append(idle, fmt.Sprintf("R%d@20260302", i+1))
	}
	for n, want := range map[int]string{
		0:  "0 deliveries on 0 trips for 0 vehicles",
		1:  "0 deliveries on 0 trips for 0 vehicles; 1 trip without a vehicle: R1@20260302",
		12: "0 deliveries on 0 trips for 0 vehicles; 12 trips without a vehicle: " + strings.Join(idle[:10], ", ") + " and 2 more",
	} {
		if got := planOf(freight.Plan{Idle: idle[:n]}).about; got != want {
			t.Errorf("%d trips without a vehicle: %q, want %q", n, got, want)
		}
	}
}
