package customers

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/freight"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestFreightDay simulates a day of delivery vehicles, lets the tracking follow their positions and customer service what it makes of them,
// and compares what customers are told with what really happened.
func TestFreightDay(t *testing.T) {
	if testing.Short() {
		t.Skip("computes for seconds")
	}
	for name, day := range map[string]simulation.FreightConfig{
		"Aracaju": {Vehicles: 2},
		// One shift before midnight, and one after it until clocks go forward.
		"Helsinki": {Vehicles: 1, City: simulation.Helsinki, Start: time.Date(2026, 3, 28, 18, 30, 0, 0, time.UTC)},
	} {
		t.Run(name, func(t *testing.T) { checkFreightDay(t, day) })
	}
}

func checkFreightDay(t *testing.T, day simulation.FreightConfig) {
	var truth simulation.FreightTruth
	day.Truth = &truth
	statuses, messages := freightDay(t, day, topologytest.Config{Partitions: 2})
	seen, timed, near := 0, 0, 0
	for _, call := range truth.Calls {
		s := statuses[call.Delivery]
		untimed := s.Phase == Arrived && s.Arrived == 0 // its fixes there are too far apart
		want, reason := phaseOf(call)
		if s.Phase != want && !untimed || want == Failed && !strings.Contains(reason, s.Reason) {
			t.Errorf("%s is %s %q, want %s %q; it was %+v", call.Delivery, s.Phase, s.Reason, want, reason, call)
		}
		if call.Arrived == 0 || call.Unseen {
			continue
		}
		seen++
		if s.Arrived == 0 {
			continue
		}
		timed++
		if math.Abs(s.Arrived.Since(call.Arrived)) <= 30 {
			near++
		}
		if off := call.Off(); s.Late != (off > 0) && math.Abs(off) > 30 {
			t.Errorf("%s came %.0f s after its window; late: %v", call.Delivery, off, s.Late)
		}
	}
	t.Logf("%d deliveries; of %d arrivals %d have a time, %d within 30 s; %d messages", len(truth.Calls), seen, timed, near, len(messages))
	if timed < seen*90/100 || near < timed*95/100 {
		t.Errorf("of %d arrivals %d have a time, %d within 30 s", seen, timed, near)
	}
	checkMessages(t, messages)
	checkForecasts(t, truth.Calls, messages)
}

// checkForecasts compares the arrivals that customers are told half an hour before, or later, with the real ones.
func checkForecasts(t *testing.T, calls []simulation.Call, messages []Message) {
	t.Helper()
	arrived := map[string]fleet.Instant{}
	for _, call := range calls {
		arrived[call.Delivery] = call.Arrived
	}
	var off []float64 // seconds
	for _, m := range messages {
		if at := arrived[m.Delivery]; m.Expected != 0 && m.At < at && at-m.At <= 30*minute {
			off = append(off, math.Abs(at.Since(m.Expected)))
		}
	}
	slices.Sort(off)
	if len(off) < 50 || off[len(off)/2] > 360 {
		t.Fatalf("of %d forecasts half are within %.0f s", len(off), off[len(off)/2])
	}
	t.Logf("of %d forecasts half are within %.0f s, nine of ten within %.0f s", len(off), off[len(off)/2], off[len(off)*9/10])
}

// phaseOf is what positions and records can tell of a delivery, and the reasons for which it may fail.
func phaseOf(call simulation.Call) (phase Phase, reasons string) {
	switch call.Outcome {
	case simulation.Delivered:
		return Served, ""
	case simulation.Failed:
		return Failed, call.Reason
	case simulation.Missed:
		return Failed, fleet.ReasonSkipped + " " + fleet.ReasonTooLate
	}
	return Visited, ""
}

// checkMessages fails if the messages of a delivery are not numbered one by one, come too often, or say the same twice.
func checkMessages(t *testing.T, messages []Message) {
	t.Helper()
	before := map[string]Message{}
	for _, m := range messages {
		last := before[m.Delivery]
		before[m.Delivery] = m
		if m.Number != last.Number+1 || m.ID != fmt.Sprintf("%s-%d", m.Delivery, m.Number) {
			t.Errorf("%s follows %s", m.ID, last.ID)
		}
		ends := m.Phase == Failed || !m.Phase.ahead() && last.Phase.ahead()
		if last.Number > 0 && m.At.Since(last.At) < quiet && !ends {
			t.Errorf("%s comes %.0f s after %s", m.ID, m.At.Since(last.At), last.ID)
		}
		if m.Phase == last.Phase && m.Expected == last.Expected && (m.LateBy > 0) == (last.LateBy > 0) && m.NoSignal == last.NoSignal {
			t.Errorf("%s says again: %s", m.ID, m.English)
		}
	}
}

// freightDay returns the last status of each delivery, and all messages in their order.
func freightDay(t *testing.T, day simulation.FreightConfig, cfg topologytest.Config) (map[string]Status, []Message) {
	t.Helper()
	sim := simulation.NewFreight(day)
	dir := t.TempDir()
	if err := sim.Plan().Write(dir); err != nil {
		t.Fatal(err)
	}
	plan, err := freight.Load(freight.Files{
		Routes:     filepath.Join(dir, simulation.RoutesFile),
		Deliveries: filepath.Join(dir, simulation.DeliveriesFile),
		Drivers:    filepath.Join(dir, simulation.DriversFile),
	})
	if err != nil {
		t.Fatal(err)
	}
	tracker, err := tracking.New(tracking.Config{})
	if err != nil {
		t.Fatal(err)
	}
	upstream, err := topologytest.New(tracker, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer upstream.Close()
	downstream, err := topologytest.New(atendimento(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer downstream.Close()
	timetables := plan.Timetables()
	sendAll(t, upstream, tracking.Trips, timetables.Timetables)
	sendAll(t, upstream, tracking.Paths, timetables.Paths)
	sendAll(t, upstream, tracking.Assignments, plan.Assignments)
	for _, d := range plan.Deliveries {
		send(t, downstream, tracking.Deliveries, d.ID, d, 0)
	}
	var positions []processor.Record[string, fleet.Position]
	var records []processor.Record[string, fleet.DeliveryRecord]
	for m, ok := sim.Next(); ok; m, ok = sim.Next() {
		if m.Record != nil {
			records = append(records, processor.Record[string, fleet.DeliveryRecord]{Key: m.Record.ID, Value: *m.Record, Timestamp: int64(m.Arrival)})
			continue
		}
		r := processor.Record[string, fleet.Position]{Key: m.Position.Vehicle, Value: *m.Position, Timestamp: int64(m.Arrival)}
		positions = append(positions, r)
	}
	if err := topologytest.Send(upstream, tracking.Positions, positions...); err != nil {
		t.Fatal(err)
	}
	visits, forecasts := sentTo(t, upstream, tracking.Visits), sentTo(t, upstream, tracking.Forecasts)
	for until := positions[0].Timestamp; len(positions) > 0; until += int64(10 * minute) {
		visits = sendUntil(t, downstream, tracking.Visits, visits, until)
		forecasts = sendUntil(t, downstream, tracking.Forecasts, forecasts, until)
		records = sendUntil(t, downstream, tracking.DeliveryRecords, records, until)
		positions = sendUntil(t, downstream, tracking.Positions, positions, until)
	}
	last := map[string]Status{}
	statuses, err := topologytest.Read(downstream, Statuses)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range statuses {
		last[r.Key] = r.Value
	}
	told, err := topologytest.Read(downstream, Messages)
	if err != nil {
		t.Fatal(err)
	}
	var messages []Message
	for _, r := range told {
		messages = append(messages, r.Value)
	}
	return last, messages
}

func sendAll[V any](t *testing.T, d *topologytest.Driver, topic topology.Topic[string, V], values map[string]V) {
	t.Helper()
	for _, key := range slices.Sorted(maps.Keys(values)) {
		send(t, d, topic, key, values[key], 0)
	}
}

// sentTo is what a topic has, in the order of time.
func sentTo[V any](t *testing.T, d *topologytest.Driver, topic topology.Topic[string, V]) []processor.Record[string, V] {
	t.Helper()
	all, err := topologytest.Read(d, topic)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortStableFunc(all, func(a, b processor.Record[string, V]) int { return cmp.Compare(a.Timestamp, b.Timestamp) })
	return all
}

// sendUntil sends what is not later than a time, and returns the rest.
func sendUntil[V any](
	t *testing.T, d *topologytest.Driver, topic topology.Topic[string, V], all []processor.Record[string, V], until int64,
) []processor.Record[string, V] {
	t.Helper()
	n := 0
	for n < len(all) && all[n].Timestamp <= until {
		n++
	}
	if err := topologytest.Send(d, topic, all[:n]...); err != nil {
		t.Fatal(err)
	}
	return all[n:]
}
