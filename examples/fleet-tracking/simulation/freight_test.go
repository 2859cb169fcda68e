package simulation_test

import (
	"math"
	"reflect"
	"testing"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
)

func TestSameSeedSameFreightDay(t *testing.T) {
	one := simulation.NewFreight(simulation.FreightConfig{Vehicles: 7, Seed: 3})
	same := simulation.NewFreight(simulation.FreightConfig{Vehicles: 7, Seed: 3, Truth: &simulation.FreightTruth{}})
	other := simulation.NewFreight(simulation.FreightConfig{Vehicles: 7, Seed: 4})
	if !reflect.DeepEqual(one.Plan(), same.Plan()) || reflect.DeepEqual(one.Plan(), other.Plan()) {
		t.Error("the plan is not a function of the seed")
	}
	differs := false
	for range 5000 {
		m, ok := one.Next()
		n, okSame := same.Next()
		if !ok || !okSame || !reflect.DeepEqual(m, n) {
			t.Fatalf("seed 3 sends %+v, then %+v", m, n)
		}
		o, _ := other.Next()
		differs = differs || !reflect.DeepEqual(m, o)
	}
	if !differs {
		t.Error("seed 4 sends what seed 3 sends")
	}
}

// TestFreightDay follows a fleet through two days. All that can go wrong must be there for the example to cope with, and nothing
// may happen that cannot.
func TestFreightDay(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const days, trucks = 2, 8
	var truth simulation.FreightTruth
	start := time.Date(2026, 3, 2, 11, 0, 0, 0, time.UTC)
	freight := simulation.NewFreight(simulation.FreightConfig{Vehicles: trucks, Seed: 5, Start: start, Days: days, Truth: &truth})
	var last fleet.Instant
	var positions, records, often, speeds, ahead int
	latest := map[string]fleet.Position{}
	for {
		m, ok := freight.Next()
		if !ok {
			break
		}
		if m.Arrival < last {
			t.Fatalf("%+v arrives after a message of %v", m, last.Time())
		}
		last = m.Arrival
		if m.Record != nil {
			records++
			continue
		}
		p := *m.Position
		positions++
		if p.OnTrip() || p.Seq != int64(positions) {
			t.Fatalf("position %d is %+v", positions, p)
		}
		if p.HasSpeed() {
			speeds++
		}
		if p.Fault() == fleet.ClockAhead {
			ahead++
		}
		before := latest[p.Vehicle]
		if p.Instant-before.Instant == 1000 {
			often++
		}
		if p.Fault() == "" && before.Lat != nil && p.Instant > before.Instant && before.Fault() == "" {
			if speed := fleet.Haversine(before.Point(), p.Point()) / p.Instant.Since(before.Instant); speed > 30 {
				t.Fatalf("%s drives %.0f m/s at %v", p.Vehicle, speed, p.Instant.Time())
			}
		}
		latest[p.Vehicle] = p
	}
	between(t, "positions", positions, 30_000, 90_000)
	between(t, "fixes every second", often, 10_000, 60_000)
	between(t, "fixes with a speed", speeds, often, 3*often)
	between(t, "fixes of a clock ahead", ahead, 2_000, 10_000)
	between(t, "repeats, in 1000", truth.Repeats*1000/truth.Fixes, 20, 50)
	between(t, "late fixes, in 1000", truth.Late*1000/truth.Fixes, 15, 80)
	between(t, "drop-outs, in 1000", truth.DropOuts*1000/truth.Fixes, 5, 20)
	between(t, "times without GPS", len(truth.Gaps), 3, 60)
	between(t, "detours", len(truth.Detours), 8, 60)

	if n := len(freight.Plan().Deliveries); len(truth.Calls) != n || n < days*trucks*2*10 {
		t.Fatalf("%d calls of %d deliveries", len(truth.Calls), n)
	}
	count := map[simulation.Outcome]int{}
	var early, late, noted int
	for _, c := range truth.Calls {
		count[c.Outcome]++
		if c.Noted {
			noted++
		}
		if (c.Outcome == simulation.Missed) != (c.Arrived == 0) || (c.Arrived == 0) != (c.Left == 0) || c.Left < c.Arrived {
			t.Errorf("%+v", c)
		}
		switch off := c.Off(); {
		case c.Arrived == 0:
		case off < 0:
			early++
		case off > 0:
			late++
		}
	}
	n := len(truth.Calls)
	if noted != records {
		t.Errorf("%d records arrive, drivers make %d", records, noted)
	}
	between(t, "delivered, in 1000", 1000*count[simulation.Delivered]/n, 800, 930)
	between(t, "failed, in 1000", 1000*count[simulation.Failed]/n, 30, 120)
	between(t, "visited briefly, in 1000", 1000*count[simulation.Visited]/n, 10, 70)
	between(t, "missed, in 1000", 1000*count[simulation.Missed]/n, 5, 70)
	between(t, "early, in 1000", 1000*early/n, 20, 200)
	between(t, "late, in 1000", 1000*late/n, 40, 250)

	var sum simulation.DriverTruth
	for _, d := range truth.Drivers {
		sum.Metres += d.Metres
		sum.Moving += d.Moving
		sum.Idle += d.Idle
		sum.Over += d.Over
		sum.HardBrakes += d.HardBrakes
	}
	between(t, "drivers and days", len(truth.Drivers), days*trucks, days*trucks*3)
	between(t, "mean speed, m/s", int(sum.Metres)/sum.Moving, 6, 12)
	between(t, "seconds too fast", sum.Over, 100, 5000)
	between(t, "hard brakings", sum.HardBrakes, 10, 500)
	between(t, "minutes idling", sum.Idle/60, 100, 3000)
}

// What a freight day is for can be seen in its first minutes: a detour, a late delivery, a failed one and a slow leg.
func TestFreightOpens(t *testing.T) {
	for seed := range uint64(10) {
		var truth simulation.FreightTruth
		freight := simulation.NewFreight(simulation.FreightConfig{Seed: seed, Truth: &truth})
		start, _ := freight.Next()
		for m := start; m.Arrival.Since(start.Arrival) < 200; m, _ = freight.Next() {
		}
		arrived := func(c simulation.Call) float64 { return c.Arrived.Since(start.Arrival) }
		detour := math.Inf(1)
		for _, d := range truth.Detours {
			detour = min(detour, d.From.Since(start.Arrival))
		}
		late, failed := math.Inf(1), math.Inf(1)
		for _, c := range truth.Calls {
			if c.Arrived == 0 {
				continue
			}
			if c.Off() > 120 {
				late = min(late, arrived(c))
			}
			if c.Outcome == simulation.Failed {
				failed = min(failed, arrived(c))
			}
		}
		t.Logf("seed %d: detour after %.0f s, late after %.0f s, failed after %.0f s", seed, detour, late, failed)
		if detour > 120 || late > 150 || failed > 200 {
			t.Errorf("seed %d: detour after %.0f s, late after %.0f s, failed after %.0f s", seed, detour, late, failed)
		}
	}
}
