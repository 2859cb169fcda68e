package main

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
	"github.com/rio-streams/rio/examples/fleet-tracking/simulation"
)

// input is where positions come from: always the same ones in the same order, so that a start can go on where another ended.
type input struct {
	name  string // tells inputs apart
	group string // notes how many positions have been sent
	feed  *gtfs.Feed
	plan  plan                     // of a simulated freight day, beside the feed
	next  func() (incoming, error) // io.EOF at the end
	truth *simulation.Truth        // of simulated buses: what happened
	drove *simulation.FreightTruth // of a simulated freight day, likewise
	first fleet.Instant            // of a simulation: when its first position was taken
	last  fleet.Instant            // of a simulated freight day: when the latest message arrived
	due   func(fleet.Position) fleet.Instant
}

// incoming is what comes in: a row of positions or, if record is set, what a driver notes about a delivery.
type incoming struct {
	recording.Row
	record *fleet.DeliveryRecord
}

func newInput(o options) (*input, error) {
	if o.recorded() {
		return recorded(o)
	}
	if o.freight {
		return freightDay(o)
	}
	var truth simulation.Truth
	buses := simulation.New(simulation.Config{Vehicles: o.vehicles, Seed: o.seed, Eventful: true, Truth: &truth})
	name := fmt.Sprintf("eventful simulation vehicles=%d seed=%d", o.vehicles, o.seed)
	if o.days > 0 {
		name += fmt.Sprintf(" days=%v", o.days)
	}
	in := &input{
		name:  name,
		group: inputGroup,
		feed:  buses.Network(),
		truth: &truth,
		due:   arrival,
	}
	in.next = func() (incoming, error) {
		p, arrived := buses.Next()
		if in.first == 0 {
			in.first = p.Instant
		}
		if o.days > 0 && fleet.InstantOf(arrived).Since(in.first) >= o.days*24*3600 {
			return incoming{}, io.EOF
		}
		return incoming{Row: recording.Row{Position: p}}, nil
	}
	return in, nil
}

// recorded reads a whole recording, because it may have to be sorted.
func recorded(o options) (*input, error) {
	feed, err := timetable(o)
	if err != nil {
		return nil, err
	}
	file, err := os.Open(o.positions)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	digest := sha256.New()
	rows, err := recording.ReadAll(o.positions, io.TeeReader(file, digest), o.format)
	if err != nil {
		return nil, err
	}
	records, err := recordsBeside(o.records, digest)
	if err != nil {
		return nil, err
	}
	due, order := arrival, "arrival"
	if !o.arrivalOrder {
		due, order = taken, "event"
		slices.SortStableFunc(rows, func(a, b recording.Row) int { return cmp.Compare(a.Instant, b.Instant) })
	}
	all := merged(rows, due, records)
	next := 0
	sum := digest.Sum(nil)
	return &input{
		name:  fmt.Sprintf("%s sha256=%x order=%s", filepath.Base(o.positions), sum, order),
		group: fmt.Sprintf("%s-%x", inputGroup, sum[:8]),
		feed:  feed,
		due:   due,
		next: func() (incoming, error) {
			if next == len(all) {
				return incoming{}, io.EOF
			}
			next++
			return all[next-1], nil
		},
	}, nil
}

// timetable reads the feed; without one there is no deviation and no delay, but there are speeds.
func timetable(o options) (*gtfs.Feed, error) {
	if o.gtfs == "" {
		return &gtfs.Feed{}, nil
	}
	return gtfs.Load(o.gtfs)
}

func taken(p fleet.Position) fleet.Instant { return p.Instant }

// arrival returns when the position arrived; if nobody noted it, when it was taken.
func arrival(p fleet.Position) fleet.Instant {
	if p.Arrival == 0 {
		return p.Instant
	}
	return p.Arrival
}
