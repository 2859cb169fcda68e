package main

import (
	"flag"
	"fmt"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/customers"
	"github.com/rio-streams/rio/examples/fleet-tracking/report/reporttest"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
)

var (
	kills = flag.Int("kills", 0, "how often the tests named Killed kill the live demo, or a consumer; 0: the buses' demo twice, customers once, the freight demo not at all")
	days  = flag.Float64("bus-days", 0.02, "how many days of a fleet of buses TestDaysOfBuses replays")
)

// TestFreightKilled kills the live freight demo again and again, each time a bit farther into the day.
func TestFreightKilled(t *testing.T) {
	if *kills == 0 {
		t.Skip("a second for each kill; try: go test ./examples/fleet-tracking -run FreightKilled -kills 30")
	}
	demoKilled(t, []string{"-freight", "-vehicles", "2", "-seed", "4"}, *kills, 3000)
}

// TestBusesKilled does the same with buses. With -kills 30 they drive for nearly three hours.
func TestBusesKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for seconds")
	}
	t.Parallel()
	if *kills == 0 {
		demoKilled(t, []string{"-vehicles", "2", "-seed", "4", "-days", "0.02"}, 2, 200)
		return
	}
	demoKilled(t, []string{"-vehicles", "4", "-seed", "4", "-days", "0.11"}, *kills, 2400)
}

// demoKilled kills the live demo some times, the last time when topic velocidade-por-posicoes has so many records. Its files must be those of a run
// that nobody interrupts.
func demoKilled(t *testing.T, demo []string, kills, records int) {
	dir := t.TempDir()
	want, got := filepath.Join(dir, "uninterrupted"), filepath.Join(dir, "killed")
	succeed(t, append(demo, "-speed", "0", "-out", want)...)
	at := embedded(t)
	for i := range kills {
		p := at.start(t, demo, "-speed", "3000")
		p.await(tracking.Motions.Name(), records*(i+1)/kills)
		p.kill()
	}
	at.start(t, demo, "-speed", "0", "-out", got).succeed()
	reporttest.Same(t, want, got)
}

// TestDaysOfBuses replays the log of some days of buses from its beginning. The results of each vehicle must be the same.
func TestDaysOfBuses(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for seconds; try: go test ./examples/fleet-tracking -run DaysOfBuses -bus-days 2")
	}
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	t.Log(succeed(t, "-vehicles", "3", "-days", fmt.Sprint(*days), "-speed", "0", "-data", at("log"), "-out", at("first")))
	succeed(t, "-data", at("log"), "-replay", "-out", at("replayed"))
	reporttest.Same(t, at("first"), at("replayed"))
}

// TestCustomersKilled kills a process of its own that tells customers how their deliveries come along, while the demo runs. The demo
// has the same consumer, and takes over. Of each delivery the messages must be numbered one by one, so that none came twice and none was
// lost, and the last must be that of a run that nobody interrupts.
func TestCustomersKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("15 s for each kill, until the process counts as gone; try: go test ./examples/fleet-tracking -run CustomersKilled -kills 10")
	}
	t.Parallel()
	kills := max(1, *kills)
	demo := []string{"-freight", "-vehicles", "2", "-seed", "4"}
	undisturbed, at := embedded(t), embedded(t)
	undisturbed.start(t, demo, "-speed", "0").succeed()
	want, count := readMessages(t, undisturbed), 0
	for _, all := range want {
		count += len(all)
	}
	limit := time.Duration(kills+2) * 30 * time.Second
	slowly := fmt.Sprint(10 * 3600 / (16 * kills)) // ten hours, as long as it is killed
	running := at.launch(t, slices.Concat(demo, []string{"-speed", slowly}, at.options()), limit)
	at.dial(t).Close()
	for i := range kills {
		alone := at.launch(t, []string{"customers", "-brokers", at.broker}, limit)
		alone.await(customers.Messages.Name(), count*(i+1)/(2*kills))
		alone.kill()
	}
	running.kill()
	at.start(t, demo, "-speed", "0").succeed()

	got, told := readMessages(t, at), 0
	for id, all := range want {
		last, end := all[len(all)-1], latest(got[id])
		if end.Phase != last.Phase || end.Reason != last.Reason {
			t.Errorf("the last message of %s is %+v, want %+v", id, end, last)
		}
		told += len(got[id])
	}
	t.Logf("%d messages of %d deliveries, %d when nothing is killed or live: forecasts are told from what is known then", told, len(want), count)
}

// latest returns the last message, the zero message if there is none.
func latest(all []customers.Message) customers.Message {
	if len(all) == 0 {
		return customers.Message{}
	}
	return all[len(all)-1]
}

// readMessages returns the messages of each delivery in their order. It fails if they are not numbered one by one.
func readMessages(t *testing.T, at place) map[string][]customers.Message {
	t.Helper()
	messages := map[string][]customers.Message{}
	at.readLog(t, func(r *reader) {
		read(r, customers.Messages, func(delivery string, m customers.Message) {
			if m.Number != len(messages[delivery])+1 {
				t.Errorf("message %s comes after %d of this delivery", m.ID, len(messages[delivery]))
			}
			messages[delivery] = append(messages[delivery], m)
		})
	})
	return messages
}
