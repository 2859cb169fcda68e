package simulation

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// FreightConfig says which freight day to simulate. The zero value is a fleet of 30 on 16 January 2026.
type FreightConfig struct {
	Vehicles int           // default 30
	Seed     uint64        // another seed, another day
	Start    time.Time     // when work begins on the first day; default 2026-01-16 08:00 in Aracaju
	Days     int           // one after the other; default 1
	City     *City         // default Aracaju
	Truth    *FreightTruth // told what really happens; nil: nobody is told
}

// Freight drives a fleet of delivery vehicles for a day or more and tells what they send.
type Freight struct {
	plan   Plan
	truth  *FreightTruth
	trucks []*truck
	now    fleet.Instant
	end    fleet.Instant
	radio  radio
	notes  []Message // records of drivers under way, the first to arrive last
}

// Message is what reaches the recorder: a position, or what a driver notes about a delivery.
type Message struct {
	Arrival  fleet.Instant
	Position *fleet.Position
	Record   *fleet.DeliveryRecord
}

const workDay = 14 * time.Hour // from the start of work until the last vehicle is silent

// NewFreight plans the days and puts the fleet into its depots.
func NewFreight(config FreightConfig) *Freight {
	if config.Vehicles <= 0 {
		config.Vehicles = 30
	}
	if config.Start.IsZero() {
		config.Start = time.Date(2026, time.January, 16, 11, 0, 0, 0, time.UTC)
	}
	config.Days = max(1, config.Days)
	if config.City == nil {
		config.City = Aracaju
	}
	zone := config.City.location()
	start := config.Start.In(zone).Truncate(time.Second)
	f := &Freight{
		plan: Plan{Zone: zone, Depots: config.City.depots},
		now:  fleet.InstantOf(start),
		end:  fleet.InstantOf(start.AddDate(0, 0, config.Days-1).Add(workDay)),
	}
	truth := config.Truth
	if truth == nil {
		truth = &FreightTruth{}
	}
	truth.begin()
	f.truth = truth
	rounds := make([][2]*round, config.Vehicles)
	for i := range rounds {
		for shift := range rounds[i] {
			rounds[i][shift] = newRound(freightRandom(config.Seed, routeStream+shift, i), config.City.depots, i, shift)
			f.plan.Routes = append(f.plan.Routes, rounds[i][shift].Route)
		}
	}
	tours := make([][]*tour, config.Vehicles)
	for day := range config.Days {
		work := fleet.InstantOf(start.AddDate(0, 0, day))
		for i := range tours {
			for shift, r := range rounds[i] {
				t := newTour(freightRandom(config.Seed, dayStream+2*day+shift, i), r, i, shift, work, zone, day == 0)
				tours[i] = append(tours[i], t)
				f.plan.add(t)
			}
		}
	}
	for i := range tours {
		f.trucks = append(f.trucks, newTruck(i, freightRandom(config.Seed, driveStream, i), tours[i], truth, f.note))
	}
	for _, t := range f.trucks {
		t.turnTo(0)
	}
	return f
}

// note gives a record on its way.
func (f *Freight) note(m Message) {
	i := len(f.notes)
	for i > 0 && f.notes[i-1].Arrival <= m.Arrival {
		i--
	}
	f.notes = slices.Insert(f.notes, i, m)
}

// Streams of random numbers of each vehicle, so that its days do not depend on how it drives.
const (
	driveStream = 1 << 8
	routeStream = 2 << 8
	dayStream   = 3 << 8
)

func freightRandom(seed uint64, stream, vehicle int) *rand.Rand {
	return rand.New(rand.NewPCG(seed, uint64(stream)<<32|uint64(vehicle)))
}

// Plan is what the fleet is to do.
func (f *Freight) Plan() Plan { return f.plan }

// Next is the next message that reaches the recorder; false when the last day is over. Times of arrival never run backwards.
func (f *Freight) Next() (Message, bool) {
	for {
		note := len(f.notes) > 0 && f.notes[len(f.notes)-1].Arrival <= f.now
		position := f.radio.arrived(f.now)
		switch {
		case note && (!position || f.notes[len(f.notes)-1].Arrival <= f.radio.underWay[0].Arrival):
			m := f.notes[len(f.notes)-1]
			f.notes = f.notes[:len(f.notes)-1]
			return m, true
		case position:
			p := heap.Pop(&f.radio).(fleet.Position)
			f.radio.count++
			p.Seq = f.radio.count
			f.truth.arrived(p)
			return Message{Arrival: p.Arrival, Position: &p}, true
		case f.now >= f.end && len(f.notes) == 0 && len(f.radio.underWay) == 0:
			return Message{}, false
		}
		f.step()
	}
}

// step moves every truck by a second, and lets those whose turn it is send their position. After the end only what is under way
// arrives.
func (f *Freight) step() {
	f.now += fleet.Seconds(1)
	if f.now > f.end {
		return
	}
	for _, t := range f.trucks {
		t.step(f.now)
		t.send(&f.radio, f.now)
	}
}

func vehicleName(i int) string { return fmt.Sprintf("caminhao-%03d", i+1) }
