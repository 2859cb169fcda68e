package simulation

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
)

// Config says what to simulate. The zero value is a fleet of 30 in Aracaju from 7:00 on 16 January 2026.
type Config struct {
	Vehicles int           // default 30
	Seed     uint64        // another seed, another day
	Start    time.Time     // default 2026-01-16 07:00 in Aracaju
	Every    time.Duration // between two fixes of a vehicle; default 10 s, at least 1 s
	City     *City         // default Aracaju
	Truth    *Truth        // told what really happens; nil: nobody is told
	Eventful bool          // send nothing until a bus is off its route and another is late, at most for a day
}

// Fleet drives its vehicles and tells what they send.
type Fleet struct {
	every    int64 // seconds
	truth    *Truth
	feed     *gtfs.Feed
	vehicles []*vehicle
	now      fleet.Instant
	seconds  int64 // since the start
	radio    radio
}

// New puts a fleet on the road.
func New(config Config) *Fleet {
	if config.Vehicles <= 0 {
		config.Vehicles = 30
	}
	if config.Start.IsZero() {
		config.Start = time.Date(2026, time.January, 16, 10, 0, 0, 0, time.UTC)
	}
	if config.Every == 0 {
		config.Every = 10 * time.Second
	}
	if config.City == nil {
		config.City = Aracaju
	}
	feed, duties := config.City.network(config.Vehicles)
	f := &Fleet{
		every: max(1, int64(config.Every/time.Second)),
		truth: config.Truth,
		feed:  feed,
		now:   fleet.InstantOf(config.Start.Truncate(time.Second)),
	}
	byID := trips(feed)
	for i := range config.Vehicles {
		var duty []*fleet.Trip
		for _, id := range duties[i%len(duties)] {
			duty = append(duty, byID[id])
		}
		random := rand.New(rand.NewPCG(config.Seed, uint64(i)))
		f.vehicles = append(f.vehicles, newVehicle(fmt.Sprintf("onibus-%03d", i+1), random, duty, config.Truth, config.City.location(), f.now))
	}
	f.radio.truth = config.Truth
	for range 24 * 3600 {
		if !config.Eventful || f.eventful() {
			break
		}
		f.move()
	}
	return f
}

// eventful reports whether a bus has just left its route and another was late at its last stop.
func (f *Fleet) eventful() bool {
	var off, late bool
	for _, v := range f.vehicles {
		switch {
		case v.onDetour():
			off = off || v.leaving() && v.metresAside() > offRoute
		case v.onTrip(f.now):
			late = late || v.late > lateEnough
		}
	}
	return off && late
}

// Network is the plan that the fleet drives by.
func (f *Fleet) Network() *gtfs.Feed { return f.feed }

// Next is the next position that reaches the recorder, and when it does. Times of arrival never run backwards. It never ends.
func (f *Fleet) Next() (fleet.Position, time.Time) {
	for !f.radio.arrived(f.now) {
		f.step()
	}
	p := heap.Pop(&f.radio).(fleet.Position)
	f.radio.count++
	p.Seq = f.radio.count
	return p, p.Arrival.Time()
}

// move moves every vehicle by a second.
func (f *Fleet) move() {
	f.now += fleet.Seconds(1)
	for _, v := range f.vehicles {
		v.step(f.now)
	}
}

// step moves every vehicle by a second, and lets those whose turn it is send their position.
func (f *Fleet) step() {
	f.now += fleet.Seconds(1)
	f.seconds++
	for i, v := range f.vehicles {
		v.step(f.now)
		every := f.every
		if !v.onTrip(f.now) {
			every *= 6
		}
		if (f.seconds+int64(i))%every == 0 {
			f.radio.send(v, f.now)
		}
	}
}
