package simulation

import (
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// FreightTruth is told what really happens on a simulated freight day. It grows as long as the simulation runs.
type FreightTruth struct {
	Calls   []Call   // of each delivery of the trips that have begun, in the order of their beginning
	Detours []Detour // farther than 250 m from the line
	Drivers map[DriverDay]*DriverTruth
	Gaps    []Silence       // times without GPS
	Clock   map[string]bool // vehicles whose clock is ahead by more than five minutes: their fixes do not count
	Ahead   int             // fixes of them that have arrived with a position, repeats included
	Hidden  int             // of those, the ones that were held back for so long that their time looks right

	Fixes    int // sent with a position, repeats not counted
	Repeats  int
	DropOuts int // sent without a position, or at latitude and longitude 0
	Late     int // fixes held back, so that later ones overtake them, or without radio

	calls map[string]int // index in Calls by delivery
}

// Outcome is what becomes of a delivery.
type Outcome string

// Outcomes.
const (
	Missed    Outcome = "missed"    // nobody comes
	Delivered Outcome = "delivered" // the vehicle was there for a minute or more, or the driver notes so
	Visited   Outcome = "visited"   // the vehicle was there too briefly, and the driver notes nothing
	Failed    Outcome = "failed"    // the driver notes so, with a reason
)

// Call is what really happened with a delivery.
type Call struct {
	Delivery, Customer string
	Vehicle, Trip, Day string
	Driver             string        // who came
	From, To           fleet.Instant // promised
	Arrived, Left      fleet.Instant // 0 while nobody has come, or has left
	Outcome            Outcome
	Reason             string
	Noted              bool // the driver made a record
	Unseen             bool // the vehicle's clock is wrong: only records tell
}

// Off is how many seconds after the window the vehicle came; negative before it, 0 within.
func (c Call) Off() float64 {
	switch {
	case c.Arrived < c.From:
		return c.Arrived.Since(c.From)
	case c.Arrived > c.To:
		return c.Arrived.Since(c.To)
	}
	return 0
}

// Detour is a time in which a vehicle was outside the corridor of its line.
type Detour struct {
	Vehicle, Trip, Day string
	From, To           fleet.Instant
	Max                float64 // metres
	Open               bool    // the vehicle is not back yet
}

// DriverDay is a driver on a service day.
type DriverDay struct{ Driver, Day string }

// DriverTruth is how a driver drove on a day.
type DriverTruth struct {
	Metres       float64
	Moving       int           // seconds
	Starts       int           // times it began to move
	Idle         int           // seconds standing with the engine on, on a trip or in the minute before it
	Over         int           // seconds faster than 65 km/h: a limit of 60 km/h, and a tolerance
	OverEpisodes int           // times it was so fast
	HardBrakes   int           // manoeuvres
	HardSeconds  int           // seconds in which it became slower by 2.5 m/s or more
	Silent       int           // seconds of a trip without GPS
	Every        float64       // seconds between the fixes of its vehicle
	Calls        int           // customers reached
	InTime       int           // of them
	Failed       int           // of them, with a record
	Unseen       bool          // the clock of its vehicle is wrong: no fix counts
	Until        fleet.Instant // the latest second of a trip
}

// Silence is a time in which a vehicle had no GPS.
type Silence struct {
	Vehicle  string
	From, To fleet.Instant
}

func (t *FreightTruth) begin() {
	t.Drivers, t.Clock, t.calls = map[DriverDay]*DriverTruth{}, map[string]bool{}, map[string]int{}
}

// promise notes the deliveries of a trip that begins.
func (t *FreightTruth) promise(tour *tour, vehicle string, unseen bool) {
	if unseen {
		t.Clock[vehicle] = true
	}
	for _, d := range tour.deliveries {
		t.calls[d.ID] = len(t.Calls)
		t.Calls = append(t.Calls, Call{
			Delivery: d.ID, Customer: d.Customer, Vehicle: vehicle, Trip: d.Trip, Day: d.Day, From: d.From, To: d.To,
			Outcome: Missed, Unseen: unseen,
		})
	}
}

func (t *FreightTruth) driver(name, day string) *DriverTruth {
	key := DriverDay{name, day}
	if t.Drivers[key] == nil {
		t.Drivers[key] = &DriverTruth{}
	}
	return t.Drivers[key]
}

// arrived counts a fix of a vehicle whose clock is ahead.
func (t *FreightTruth) arrived(p fleet.Position) {
	if !t.Clock[p.Vehicle] || p.Fault() == fleet.NoPosition || p.Fault() == fleet.ZeroPosition {
		return
	}
	t.Ahead++
	if p.Fault() != fleet.ClockAhead {
		t.Hidden++
	}
}

func (t *FreightTruth) sent(p fleet.Position, twice, late bool) {
	if p.Fault() == fleet.NoPosition || p.Fault() == fleet.ZeroPosition {
		t.DropOuts++
		return
	}
	t.Fixes++
	if twice {
		t.Repeats++
	}
	if late {
		t.Late++
	}
}
