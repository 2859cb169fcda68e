package main

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/recording/recordingtest"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
)

// TestMain runs the tests or, when one of them asks for it, the program.
func TestMain(m *testing.M) {
	if os.Getenv(programVariable) != "" {
		main()
	}
	os.Exit(m.Run())
}

// TestAcceptance is the finished program, as processes of their own, on a day of Kingston Transit. Its files must say what the
// definitions say; and they must be the same, byte for byte, when it replays the log, however often it is killed, and whether the
// log is in the embedded broker or in an Apache Kafka.
//
// Proves: exactly-once-crash (processes), same-input-same-output (processes)
// Proves: replay-gives-the-same (processes), runs-without-a-cluster (processes)
func TestAcceptance(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for half a minute")
	}
	dir := recordingtest.Dir(t, "kingston")
	recording := []string{"-gtfs", filepath.Join(dir, "gtfs"), "-positions", filepath.Join(dir, "positions_20260116.csv"), "-arrival-order"}
	files := filepath.Join(t.TempDir(), "files")

	here := embedded(t)
	here.start(t, recording, "-out", files).succeed()

	k := readKingston(t, dir)
	t.Run("speed windows are exact", func(t *testing.T) { k.checkSpeedWindows(t, files) })
	t.Run("every fix of a known trip has its deviation", func(t *testing.T) { k.checkDeviations(t, files) })
	t.Run("off-route episodes are exact", func(t *testing.T) { k.checkEpisodes(t, files) })
	t.Run("arrivals agree with the agency", func(t *testing.T) { k.checkArrivals(t, files) })
	t.Run("stops and legs agree with the reference", func(t *testing.T) { checkStops(t, files) })
	t.Run("forecasts beat the delay at the last stop", func(t *testing.T) { checkForecasts(t, files) })

	t.Run("a replay gives the same", func(t *testing.T) { replayed(t, here, files) })
	t.Run("killed together with its broker, it gives the same", func(t *testing.T) { killed(t, embedded(t), recording, files) })

	t.Run("Apache Kafka", func(t *testing.T) {
		address := os.Getenv("RIO_KAFKA")
		if address == "" {
			t.Skip("RIO_KAFKA is not set, so there is no Apache Kafka to work with; try: scripts/kafka run 0 go test ./examples/fleet-tracking")
		}
		t.Cleanup(func() { forgetFleet(t, address) })
		there := apache(t, address)
		t.Run("gives the same", func(t *testing.T) {
			again := filepath.Join(t.TempDir(), "files")
			there.start(t, recording, "-out", again).succeed()
			reporttest.Same(t, files, again)
		})
		t.Run("a replay gives the same", func(t *testing.T) { replayed(t, there, files) })
		t.Run("killed, it gives the same", func(t *testing.T) { killed(t, apache(t, address), recording, files) })
	})
}

// replayed computes everything in the log again.
func replayed(t *testing.T, at place, want string) {
	again := filepath.Join(t.TempDir(), "files")
	at.start(t, []string{"-replay", "-out", again}).succeed()
	reporttest.Same(t, want, again)
}

// killed works through the recording with a program that dies again and again: while positions come in, while it catches up
// with them, and in the middle of a replay.
func killed(t *testing.T, at place, recording []string, want string) {
	const asTheyCame, allAtOnce = "2000", "1e9"
	for _, kill := range []struct {
		speed      string
		deviations int // that have been written, of 6083
	}{{asTheyCame, 700}, {asTheyCame, 1400}, {asTheyCame, 2100}, {allAtOnce, 2800}} {
		p := at.start(t, recording, "-speed", kill.speed)
		p.await(tracking.Deviations.Name(), kill.deviations)
		p.kill()
	}
	again := filepath.Join(t.TempDir(), "files")
	at.start(t, recording, "-out", again).succeed()
	reporttest.Same(t, want, again)

	// Files have a row for each result, even if its record were written twice. So count the records.
	counts := at.records(t, tracking.Deviations.Name(), tracking.Delays.Name())
	for i, file := range []string{"deviation_points.csv", "arrivals.csv"} {
		if rows := len(reporttest.Rows(t, filepath.Join(want, file))); counts[i] != rows {
			t.Errorf("%d records for the %d rows of %s", counts[i], rows, file)
		}
	}

	p := at.start(t, []string{"-replay", "-out", again})
	p.await(replayCopy.prefix()+tracking.Deviations.Name(), 500)
	p.kill()
	replayed(t, at, want)
}

// A cluster has other topics, too, and what a replay takes for its own it deletes.
func TestReplayKnowsItsTopics(t *testing.T) {
	for topic, want := range map[string]bool{
		"replay-atrasos": true,
		"fleet-tracking-replay-percursos-changelog": true,
		"replay-of-the-match":                       false,
		"atrasos":                                   false,
		"fleet-tracking-percursos-changelog":        false,
		"viagens":                                   false,
		"replay-viagens":                            false,
	} {
		if got := isOfReplay(topic); got != want {
			t.Errorf("%s is of the replay: %v, want %v", topic, got, want)
		}
	}
}
