package main

import (
	"cmp"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/freight"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
)

// TestDriversFigures computes the figures of a simulated fleet's drivers from its fixes alone, and compares them with how they drove.
func TestDriversFigures(t *testing.T) {
	t.Parallel()
	var truth simulation.FreightTruth
	day := simulation.NewFreight(simulation.FreightConfig{Vehicles: 8, Seed: 2, Truth: &truth})
	dir := t.TempDir()
	if err := day.Plan().Write(dir); err != nil {
		t.Fatal(err)
	}
	plan, err := freight.Load(freight.Files{
		Deliveries: filepath.Join(dir, simulation.DeliveriesFile), Drivers: filepath.Join(dir, simulation.DriversFile), Routes: filepath.Join(dir, simulation.RoutesFile),
	})
	if err != nil {
		t.Fatal(err)
	}
	fixes := map[string][]conduct.Point{}
	var last fleet.Instant
	for m, ok := day.Next(); ok; m, ok = day.Next() {
		last = m.Arrival
		if p := m.Position; p != nil && p.Fault() == "" {
			drive, _ := plan.Assignments[p.Vehicle].At(p.Instant)
			fixes[p.Vehicle] = append(fixes[p.Vehicle], conduct.Point{
				Fix: p.Fix(), Ignition: p.Ignition, Limit: 65 / 3.6, Sheet: conduct.SheetOf(drive.Driver, p.Vehicle, "20260116"),
			})
		}
	}
	days := map[conduct.Sheet]conduct.Day{}
	for vehicle, all := range fixes {
		slices.SortStableFunc(all, func(a, b conduct.Point) int { return cmp.Compare(a.Instant, b.Instant) })
		all = slices.CompactFunc(all, func(a, b conduct.Point) bool { return a.Instant == b.Instant })
		_, sums := conduct.Tally(all...)
		for sheet, figures := range sums {
			d := days[sheet]
			d.Sheet, d.Figures, d.Vehicles = sheet, d.Figures.Plus(figures), append(d.Vehicles, vehicle)
			days[sheet] = d
		}
	}
	a := newDriversAccuracy(days, &truth, last)
	t.Log(a)
	for _, f := range a.figures[:6] { // the others need visits
		if f.drivers == 0 || f.truth == 0 {
			t.Errorf("%s: there is nothing to compare", f.name)
		}
		if len(f.off) > 0 {
			t.Errorf("%s of %d of %d drivers: %s", f.name, len(f.off), f.drivers, strings.Join(f.off, "; "))
		}
	}
}
