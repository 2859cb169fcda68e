package simulation

import "github.com/rio-streams/rio/examples/fleet-tracking/fleet"

// Truth is told what really happens in a simulation. It grows as long as the simulation runs.
type Truth struct {
	Excursions []Excursion
	Arrivals   []Arrival
	Fixes      int // sent with a position, repeats not counted
	Repeats    int
	DropOuts   int // sent without a position
	Late       int // fixes held back, so that later ones overtake them
}

// Excursion is a time in which a vehicle was farther than 100 m from the path of its trip.
type Excursion struct {
	Vehicle, Trip, Day string
	From, To           fleet.Instant
	Max                float64 // metres
	Open               bool    // the vehicle is not back yet
}

// Arrival is the moment at which a vehicle reached a stop.
type Arrival struct {
	Vehicle, Trip, Day string
	Sequence           int
	At                 fleet.Instant
	Delay              float64 // seconds behind the timetable
}
