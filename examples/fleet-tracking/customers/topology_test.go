package customers

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

func atendimento(t *testing.T) *topology.Topology {
	t.Helper()
	top, err := New()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func TestTopology(t *testing.T) {
	topologytest.Run(t, "testdata/atendimento", atendimento(t), topologytest.Config{})
}

// TestSameMessages sends the day of some vehicles through the topology. The messages and the last statuses are the same whatever the number
// of partitions, and whatever happens on the way; no message comes twice.
func TestSameMessages(t *testing.T) {
	first := workDay(t, topologytest.Config{}, nil)
	if len(first) < 30 {
		t.Fatalf("only %d deliveries and messages", len(first))
	}
	crash := func(d *topologytest.Driver) error { return d.Crash() }
	restart := func(d *topologytest.Driver) error { return d.Restart() }
	for name, other := range map[string]map[string]string{
		"4 partitions": workDay(t, topologytest.Config{Partitions: 4}, nil),
		"crashes":      workDay(t, topologytest.Config{Partitions: 4, CommitEvery: 7}, crash),
		"restarts":     workDay(t, topologytest.Config{Batch: 1}, restart),
		"again":        workDay(t, topologytest.Config{}, nil),
	} {
		t.Run(name, func(t *testing.T) {
			for _, key := range slices.Sorted(maps.Keys(first)) {
				if other[key] != first[key] {
					t.Errorf("%s: %s, want %s", key, other[key], first[key])
				}
			}
			if len(other) != len(first) {
				t.Errorf("%d deliveries and messages, want %d", len(other), len(first))
			}
		})
	}
}

// workDay sends a day through the topology and returns the last status of each delivery, and each message, by their ids.
func workDay(t *testing.T, cfg topologytest.Config, happens func(*topologytest.Driver) error) map[string]string {
	t.Helper()
	d, err := topologytest.New(atendimento(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for v := range vehicles {
		for i := range stops {
			id := deliveryOf(v, i)
			send(t, d, tracking.Deliveries, id, fleet.Delivery{
				ID: id, Customer: "Cliente " + id, Trip: runOf(v).Trip, Day: runOf(v).Day, Order: i + 1,
				From: clockTime(t, "8:00") + fleet.Instant(i)*20*minute, To: clockTime(t, "8:30") + fleet.Instant(i)*20*minute,
			}, 0)
		}
	}
	for m := range fleet.Instant(150) {
		at := clockTime(t, "8:00") + m*minute
		for v := range vehicles {
			drive(t, d, v, at, m)
		}
		if happens != nil && m%40 == 25 {
			if err := happens(d); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	return learned(t, d)
}

const (
	vehicles = 5
	stops    = 4
)

// drive is a minute of a vehicle, of which each has its own troubles: it takes 20 minutes for each leg and more the higher its number, 3
// minutes of which it stays. Vehicle 2 passes by its second delivery, vehicle 3 has no signal for half an hour, and vehicle 4 has bad news.
func drive(t *testing.T, d *topologytest.Driver, v int, at, minutes fleet.Instant) {
	run, leg := runOf(v), fleet.Instant(20+2*v)
	if v == 3 && minutes > 30 && minutes < 60 {
		return
	}
	lat, lon := 1.0, 1.0
	fix := fleet.Position{Vehicle: run.Vehicle, Lat: &lat, Lon: &lon, Instant: at}
	send(t, d, tracking.Positions, run.Vehicle, fix, at)
	next := int(minutes / leg)
	if minutes%leg == 0 && next > 0 && next <= stops && !(v == 2 && next == 2) {
		send(t, d, tracking.Visits, run.Vehicle, visitAt(run, next, deliveryOf(v, next-1), at, 0), at)
	}
	if left := int((minutes - 3) / leg); (minutes-3)%leg == 0 && left >= 0 && left <= stops && !(v == 2 && left == 2) {
		stop := "D"
		if left > 0 {
			stop = deliveryOf(v, left-1)
		}
		send(t, d, tracking.Visits, run.Vehicle, visitAt(run, left, stop, at-3*minute, at-minute), at)
	}
	if v == 4 && minutes == 50 {
		id := deliveryOf(v, 0)
		send(t, d, tracking.DeliveryRecords, id, fleet.DeliveryRecord{ID: id, Failed: true, Reason: "recusada", Instant: at}, at)
	}
	if next < stops {
		f := fleet.Forecast{Run: run, Instant: at}
		for i := next; i < stops; i++ {
			arrives := at + fleet.Instant(i+1)*leg*minute - minutes*minute
			f.Stops = append(f.Stops, fleet.Expected{
				Sequence: i + 1, Stop: deliveryOf(v, i), Arrives: arrives, Low: arrives - minute, High: arrives + minute, Delivery: true,
			})
		}
		send(t, d, tracking.Forecasts, run.Vehicle, f.Record(), at)
	}
}

func runOf(v int) fleet.Run {
	return fleet.Run{Vehicle: fmt.Sprintf("V%d", v), Trip: fmt.Sprintf("T%d", v), Day: "20260105"}
}

func deliveryOf(v, i int) string { return fmt.Sprintf("E%d%d", v, i+1) }

func visitAt(run fleet.Run, sequence int, stop string, arrived, left fleet.Instant) fleet.Visit {
	visit := fleet.Visit{Run: run, Sequence: sequence, Stop: stop, How: fleet.ByHalt, Low: arrived, High: arrived, Arrived: arrived, Left: left}
	if sequence > 0 {
		visit.Promise = &fleet.Promise{}
	}
	return visit
}

func send[V any](t *testing.T, d *topologytest.Driver, topic topology.Topic[string, V], key string, value V, at fleet.Instant) {
	t.Helper()
	if err := topologytest.Send(d, topic, processor.Record[string, V]{Key: key, Value: value, Timestamp: int64(at)}); err != nil {
		t.Fatal(err)
	}
}

// learned is what customers have learned: the last status of each delivery, and each message. It fails if one comes twice.
func learned(t *testing.T, d *topologytest.Driver) map[string]string {
	t.Helper()
	all := map[string]string{}
	statuses, err := topologytest.Read(d, Statuses)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range statuses {
		all[r.Key] = fmt.Sprintf("%+v", r.Value)
	}
	messages, err := topologytest.Read(d, Messages)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range messages {
		if all[r.Value.ID] != "" {
			t.Errorf("message %s comes twice", r.Value.ID)
		}
		all[r.Value.ID] = r.Value.At.Time().Format("15:04:05 ") + r.Value.English
	}
	return all
}
