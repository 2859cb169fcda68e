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
	name string // tells inputs apart
	feed *gtfs.Feed
	next func() (fleet.Position, error) // io.EOF at the end
	due  func(fleet.Position) fleet.Instant
}

func newInput(o options) (*input, error) {
	if o.recorded() {
		return recorded(o)
	}
	buses := simulation.New(simulation.Config{Vehicles: o.vehicles, Seed: o.seed, Eventful: true})
	return &input{
		name: fmt.Sprintf("eventful simulation vehicles=%d seed=%d", o.vehicles, o.seed),
		feed: buses.Network(),
		next: func() (fleet.Position, error) {
			p, _ := buses.Next()
			return p, nil
		},
		due: arrival,
	}, nil
}

// recorded reads a whole recording, because it may have to be sorted.
func recorded(o options) (*input, error) {
	feed, err := gtfs.Read(os.DirFS(o.gtfs))
	if err != nil {
		return nil, err
	}
	file, err := os.Open(o.positions)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	digest := sha256.New()
	positions, err := recording.ReadAll(o.positions, io.TeeReader(file, digest))
	if err != nil {
		return nil, err
	}
	due, order := arrival, "arrival"
	if !o.arrivalOrder {
		due, order = taken, "event"
		slices.SortStableFunc(positions, func(a, b fleet.Position) int { return cmp.Compare(a.Instant, b.Instant) })
	}
	next := 0
	return &input{
		name: fmt.Sprintf("%s sha256=%x order=%s", filepath.Base(o.positions), digest.Sum(nil), order),
		feed: feed,
		due:  due,
		next: func() (fleet.Position, error) {
			if next == len(positions) {
				return fleet.Position{}, io.EOF
			}
			next++
			return positions[next-1], nil
		},
	}, nil
}

func arrival(p fleet.Position) fleet.Instant { return p.Arrival }
func taken(p fleet.Position) fleet.Instant   { return p.Instant }
