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
// has the same consumer, and takes over. The messages of each delivery must be numbered one by one: then none came twice, and none was lost.
// Nearly all deliveries must end with a message of their status; a correction may wait for the five minutes after another message.
func TestCustomersKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("15 s for each kill, until the process counts as gone; try: go test ./examples/fleet-tracking -run CustomersKilled -kills 10")
	}
	t.Parallel()
	const messages = 200 // when the last process is killed; the day has about 400
	kills := max(1, *kills)
	demo := []string{"-freight", "-vehicles", "2", "-seed", "4"}
	limit := time.Duration(kills+2) * 30 * time.Second
	slowly := fmt.Sprint(10 * 3600 / (16 * kills)) // ten hours, as long as it is killed
	at := embedded(t)
	running := at.launch(t, slices.Concat(demo, []string{"-speed", slowly}, at.options()), limit)
	at.dial(t).Close()
	for i := range kills {
		alone := at.launch(t, []string{"customers", "-brokers", at.broker}, limit)
		alone.await(customers.Messages.Name(), messages*(i+1)/kills)
		alone.kill()
	}
	running.kill()
	at.start(t, demo, "-speed", "0").succeed()

	told, statuses, count := map[string]customers.Message{}, map[string]customers.Status{}, 0
	at.readLog(t, func(r *reader) {
		read(r, customers.Messages, func(delivery string, m customers.Message) {
			if before := told[delivery]; m.Number != before.Number+1 {
				t.Errorf("message %s follows %s", m.ID, before.ID)
			}
			told[delivery] = m
			count++
		})
		read(r, customers.Statuses, func(delivery string, s customers.Status) { statuses[delivery] = s })
	})
	same := 0
	for delivery, s := range statuses {
		if told[delivery].Phase == s.Phase {
			same++
		}
	}
	t.Logf("%d messages; the last is that of the status for %d of %d deliveries", count, same, len(statuses))
	if count < messages || same < len(statuses)*8/10 {
		t.Errorf("%d messages; the last is that of the status for %d of %d deliveries", count, same, len(statuses))
	}
}
