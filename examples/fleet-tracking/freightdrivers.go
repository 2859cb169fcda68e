package main

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
)

// driversAccuracy compares drivers' figures with how they drove.
type driversAccuracy struct {
	days    int // of drivers
	figures []figure
	phantom int // days of drivers who have figures, though the clock of their vehicle is wrong
}

// figure is a number of all drivers: what the results and what the truth says.
type figure struct {
	name, unit string
	got, truth float64
	drivers    int      // who have it
	off        []string // of them, whose own number is farther from the truth than their fixes explain
}

// settled is how long before the latest position a driver must have ended a trip: until then fixes may be held back.
const settled = 600 // seconds

// How far figures may be from the truth, besides what happens between two fixes.
const (
	curves      = 0.03 // of the distance, by curves that are cut short
	driftMetres = 0.5  // for each fix of a vehicle that stands, as errors drift in a second; like a random walk in more
	jitterTime  = 0.06 // of the standing: by errors of positions a second apart, a vehicle that stands seems to move at times
	lostFixes   = 0.05 // of the seconds of an event that have no fix
	topSpeed    = 20.0 // m/s
)

// newDriversAccuracy compares the days of drivers who had ended their trip some time before a moment.
func newDriversAccuracy(days map[conduct.Sheet]conduct.Day, truth *simulation.FreightTruth, now fleet.Instant) driversAccuracy {
	distance, moving := figure{name: "distance", unit: "km"}, figure{name: "moving", unit: "min"}
	reported, derived := figure{name: "too fast as reported", unit: "s"}, figure{name: "too fast by positions", unit: "s"}
	idle, harsh := figure{name: "idling", unit: "s"}, figure{name: "harsh braking", unit: "s"}
	calls, punctual := figure{name: "arrivals", unit: ""}, figure{name: "in time", unit: ""}
	var a driversAccuracy
	byDriver := func(a, b simulation.DriverDay) int {
		return cmp.Or(cmp.Compare(a.Driver, b.Driver), cmp.Compare(a.Day, b.Day))
	}
	for _, who := range slices.SortedFunc(maps.Keys(truth.Drivers), byDriver) {
		drove := truth.Drivers[who]
		d, known := days[conduct.Sheet{Driver: who.Driver, Day: who.Day}]
		switch {
		case drove.Unseen:
			if known {
				a.phantom++
			}
			continue
		case now.Since(drove.Until) < settled:
			continue
		}
		a.days++
		between, silent := 2*drove.Every, float64(drove.Silent) // two fixes time the begin and the end of what happens
		drift := d.Standing().Seconds() / drove.Every * driftMetres * math.Sqrt(drove.Every)
		distance.add(who, d.Distance.Metres()/1000, drove.Metres/1000, (curves*drove.Metres+drift+topSpeed*silent)/1000)
		jitter := jitterTime * d.Standing().Seconds() / drove.Every
		moving.add(who, d.Moving.Seconds()/60, float64(drove.Moving)/60, (between*float64(drove.Starts)+jitter+silent)/60)
		missed := float64(drove.Calls) - float64(d.Timepoints) // without a time
		calls.add(who, float64(d.Timepoints), float64(drove.Calls), 1+float64(drove.Calls)/10)
		punctual.add(who, float64(d.OnTime), float64(drove.InTime), missed+1)
		if drove.Every > 1 {
			derived.add(who, d.OverTime.Seconds(), float64(drove.Over), between*float64(1+drove.OverEpisodes)+silent)
			continue
		}
		reported.add(who, float64(d.OverFixes), float64(drove.Over), lostFixes*float64(drove.Over)+between+silent)
		idle.add(who, d.Idle.Seconds(), float64(drove.Idle), jitterTime*float64(drove.Idle)+between+silent)
		harsh.add(who, float64(d.Brakings), float64(drove.HardSeconds), lostFixes*float64(drove.HardSeconds)+between+silent)
	}
	a.figures = []figure{distance, moving, derived, reported, idle, harsh, calls, punctual}
	return a
}

func (f *figure) add(who simulation.DriverDay, got, truth, tolerance float64) {
	f.drivers++
	f.got, f.truth = f.got+got, f.truth+truth
	if math.Abs(got-truth) > tolerance {
		f.off = append(f.off, fmt.Sprintf("%s of %s on %s: %.1f, want %.1f ± %.1f", f.name, who.Driver, who.Day, got, truth, tolerance))
	}
}

// String is the comparison in words.
func (a driversAccuracy) String() string {
	var texts []string
	all, near := 0, 0
	for _, f := range a.figures {
		all, near = all+f.drivers, near+f.drivers-len(f.off)
		if f.drivers > 0 {
			texts = append(texts, strings.TrimSpace(fmt.Sprintf("%s %.0f of %.0f %s", f.name, f.got, f.truth, f.unit)))
		}
	}
	return fmt.Sprintf("%d days of drivers: %s; %d of %d figures are as near as fixes allow.", a.days, strings.Join(texts, ", "), near, all)
}
