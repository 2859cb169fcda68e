package main

import (
	"fmt"
	"math"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
)

// accuracy compares results with what happened in the simulation since its first position, in a sentence. It leaves out what fixes
// cannot have shown: what happened in the first and the last minute, and detours shorter than half a minute.
func accuracy(results report.Report, truth *simulation.Truth, first fleet.Instant) string {
	type stop struct {
		vehicle, trip, day string
		sequence           int
	}
	arrived := map[stop]fleet.Instant{}
	var latest fleet.Instant
	for v := range results.Visits() {
		if v.Arrived != 0 {
			arrived[stop{v.Vehicle, v.Trip, v.Day, v.Sequence}] = v.Arrived
			latest = max(latest, v.Arrived)
		}
	}
	from, to := first+fleet.Seconds(60), latest-fleet.Seconds(60)

	var apart []float64
	happened := 0
	for _, a := range truth.Arrivals {
		if a.At < from || a.At > to {
			continue
		}
		happened++
		if at, ok := arrived[stop{a.Vehicle, a.Trip, a.Day, a.Sequence}]; ok {
			apart = append(apart, math.Abs(at.Since(a.At)))
		}
	}
	if happened == 0 {
		return ""
	}
	episodes := slices.Collect(results.Episodes())
	detours, found := 0, 0
	for _, e := range truth.Excursions {
		if seen := min(e.To, to).Since(max(e.From, from)); seen < 30 {
			continue
		}
		detours++
		same := func(o report.OffRoute) bool {
			return o.Vehicle == e.Vehicle && o.Trip == e.Trip && o.Day == e.Day && o.First <= e.To && o.Last >= e.From
		}
		if slices.ContainsFunc(episodes, same) {
			found++
		}
	}
	text := fmt.Sprintf("Compared with what happened: %d of %d arrivals were reported", len(apart), happened)
	if len(apart) > 0 {
		slices.Sort(apart)
		text += fmt.Sprintf(", half of them within %.0f s, 95 %% within %.0f s", math.Ceil(apart[len(apart)/2]), math.Ceil(apart[len(apart)*95/100]))
	}
	return fmt.Sprintf("%s; %d of %d detours.", text, found, detours)
}
