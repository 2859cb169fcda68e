package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// TestCorrectedDefinition runs a copy with another definition beside the live program, compares the results of both, lets the copy take
// the place of the live applications, and goes back. The comparison must show the vehicle whose results the definition changes, and
// nothing else. Nothing may be lost or repeated: at the end, both have written what copies write that read the whole log at once.
//
// One vehicle drives on its line. Two leave it for 40 s, one by 120 m, which is off the route by the old definition only, one by 300 m.
func TestCorrectedDefinition(t *testing.T) {
	if testing.Short() {
		t.Skip("runs six programs")
	}
	t.Parallel()
	vehicles := map[string]float64{"onibus-na-rota": 0, "onibus-a-120-m": 120, "onibus-a-300-m": 300}
	const changed = "onibus-a-120-m"
	at := embedded(t)
	beside := place{data: t.TempDir(), broker: at.broker}
	corrected := []string{"-live", "-as", "v2", "-off-route", "150"}
	points := func(v version) string { return v.prefix() + tracking.Deviations.Name() }

	rio := buildRio(t) // before the programs start, because their time is limited
	live := at.start(t, []string{"-live", "-gtfs", straightLine(t)})
	at.sendMorning(t, vehicles, 0)
	live.await(points(""), 36)
	second := beside.start(t, corrected)
	second.await(points("v2"), 36)

	for topic, want := range map[string]string{
		tracking.Deviations.Name(): "2 keys are equal, 1 differ, 0 only in desvios-de-rota, 0 only in v2-desvios-de-rota",
		tracking.Detours.Name():    "1 keys are equal, 0 differ, 1 only in saidas-do-corredor, 0 only in v2-saidas-do-corredor",
		drivers.Days.Name():        "2 keys are equal, 1 differ, 0 only in motoristas-dia, 0 only in v2-motoristas-dia",
		tracking.Visits.Name():     "3 keys are equal, 0 differ, 0 only in paradas, 0 only in v2-paradas",
		tracking.Motions.Name():    "3 keys are equal, 0 differ, 0 only in velocidade-por-posicoes, 0 only in v2-velocidade-por-posicoes",
	} {
		for differing := range strings.SplitSeq(rio.diff(t, at.broker, topic, want), "\n") {
			if key, _, ok := strings.Cut(differing, ": "); ok && !strings.Contains(key, changed) {
				t.Errorf("%s: the definition changes %s alone, but here is %s", topic, changed, differing)
			}
		}
	}

	second.interrupt()
	live.interrupt()
	successor := at.start(t, corrected)
	at.sendMorning(t, vehicles, 1)
	successor.await(points("v2"), 72)
	successor.interrupt()
	back := at.start(t, []string{"-live"})
	back.await(points(""), 72)
	back.interrupt()

	whole := []string{"-live", "-duration", "1ms", "-data", at.data}
	succeed(t, append(whole, "-as", "v3", "-off-route", "150")...)
	succeed(t, append(whole, "-as", "v1")...)
	at.same(t, "", "v1")
	at.same(t, "v2", "v3")
}

// interrupt ends the program as Ctrl-C does: it works up what has come in.
func (p *program) interrupt() {
	p.t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		p.t.Fatal(err)
	}
	p.succeed()
}

// straightLine writes a GTFS feed: one trip, 2 km to the east, with a stop at each kilometre.
func straightLine(t *testing.T) string {
	t.Helper()
	const kilometre = 0.00916 // degrees of longitude
	points, stops, calls := "shape_id,shape_pt_sequence,shape_pt_lat,shape_pt_lon\n", "stop_id,stop_name,stop_lat,stop_lon\n",
		"trip_id,stop_sequence,stop_id,arrival_time,departure_time\n"
	for i := range 3 {
		lon := -37.05 + float64(i)*kilometre
		points += fmt.Sprintf("linha,%d,-10.95,%f\n", i, lon)
		stops += fmt.Sprintf("p%d,Parada %d,-10.95,%f\n", i, i, lon)
		calls += fmt.Sprintf("v,%d,p%d,08:%02d:00,08:%02d:00\n", i, i, 2*i, 2*i)
	}
	dir := t.TempDir()
	for name, text := range map[string]string{
		"agency.txt": "agency_name,agency_timezone\nRio,America/Maceio\n",
		"routes.txt": "route_id,route_long_name\n1,Leste\n", "trips.txt": "trip_id,route_id,shape_id\nv,1,linha\n",
		"shapes.txt": points, "stops.txt": stops, "stop_times.txt": calls,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// sendMorning sends twelve fixes of each vehicle, 100 m and 10 s apart, on a day. The fourth to the eighth are as far from the line as the
// vehicle goes.
func (at place) sendMorning(t *testing.T, vehicles map[string]float64, day int) {
	t.Helper()
	client := at.dial(t)
	defer client.Close()
	s, err := newSender(t.Context(), client, kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.producer.Close()
	start := time.Date(2026, 1, 16+day, 11, 0, 0, 0, time.UTC) // 08:00 in Maceió
	for i := range 12 {
		for vehicle, off := range vehicles {
			if i < 3 || i > 7 {
				off = 0
			}
			lat, lon := -10.95+off/111_195, -37.05+float64(i)*0.000916
			p := fleet.Position{
				Vehicle: vehicle, Trip: "v", Day: start.Format("20060102"), Lat: &lat, Lon: &lon,
				Instant: fleet.InstantOf(start.Add(time.Duration(i) * 10 * time.Second)),
			}
			if err := send(t.Context(), s, tracking.Positions, vehicle, p, p.Instant); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.producer.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// rioCommand is the path of the program rio.
type rioCommand string

func buildRio(t *testing.T) rioCommand {
	t.Helper()
	path := filepath.Join(t.TempDir(), "rio")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", path, "../../cmd/rio").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return rioCommand(path)
}

// diff compares a topic of the live applications with that of copy v2 until it says in its last line what is wanted, because the
// consumers may still be at work. It returns the lines before.
func (rio rioCommand) diff(t *testing.T, brokers, topic, want string) string {
	t.Helper()
	args := []string{"diff", topic, version("v2").prefix() + topic, "-brokers", brokers}
	switch topic {
	case tracking.Deviations.Name():
		args = append(args, "-all") // a record for each fix
	case tracking.Motions.Name():
		args = append(args, "-key-type", "windowed")
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(30 * time.Second); ; <-tick.C {
		out, err := exec.CommandContext(t.Context(), string(rio), args...).Output()
		if said, ok := strings.CutSuffix(strings.TrimSpace(string(out)), want); ok {
			return strings.TrimSpace(said)
		}
		if time.Now().After(deadline) {
			t.Fatalf("rio %s: %v\n%s\nwant %s", strings.Join(args, " "), err, out, want)
		}
	}
}

// same checks that two versions have written the same, when no program runs: in the topics of tracking the same values of each key in the
// same order, in those of the consumers the same latest value of each key.
func (at place) same(t *testing.T, v, other version) {
	t.Helper()
	b, err := broker.Start(broker.Config{DataDir: filepath.Join(at.data, "log"), Listen: at.broker})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	client := at.dial(t)
	defer client.Close()
	all := tracking.ResultTopics()
	for _, c := range consumers(drivers.Config{}) {
		all = append(all, c.results...)
	}
	filled := 0
	for _, topic := range all {
		got, want := map[string][]string{}, map[string][]string{}
		r := newReader(client, "")
		for name, values := range map[string]map[string][]string{v.prefix() + topic: got, other.prefix() + topic: want} {
			r.takes[name] = func(record kafka.Record) error {
				key := string(record.Key)
				if !slices.Contains(tracking.ResultTopics(), topic) {
					delete(values, key)
				}
				values[key] = append(values[key], string(record.Value))
				return nil
			}
		}
		if err := r.toEnd(t.Context(), kafka.Earliest); err != nil {
			t.Fatal(err)
		}
		if len(want) > 0 {
			filled++
		}
		for key := range want {
			if !slices.Equal(got[key], want[key]) {
				t.Errorf("%s of %q and %q, key %q:\n%s\nwant\n%s", topic, v, other, key, strings.Join(got[key], "\n"), strings.Join(want[key], "\n"))
			}
			delete(got, key)
		}
		for key := range got {
			t.Errorf("%s of %q has key %q, that of %q has not", topic, v, key, other)
		}
	}
	if filled < 8 {
		t.Errorf("%d of %d topics have records: too few to compare", filled, len(all))
	}
}

func TestNamesOfVersions(t *testing.T) {
	for name, want := range map[string]string{
		"v2": "", "replay": "that of -replay", "V2": "small letters and digits", "v2-logistics": "small letters and digits", "": "small letters",
	} {
		var v version
		err := v.set(name)
		if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
			t.Errorf("-as %q: %v, want an error that says %q", name, err, want)
		}
	}
}
