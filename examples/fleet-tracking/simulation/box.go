package simulation

import (
	"container/heap"
	"math"
	"math/rand/v2"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// How good the boxes in trucks are. Errors of a GPS receiver drift: those of neighbouring fixes are nearly the same.
const (
	driftError   = 4.0     // metres, standard deviation in each direction
	driftTime    = 300.0   // seconds in which the error becomes another
	jitter       = 0.15    // metres
	speedJitter  = 0.1     // m/s
	oftenEvery   = 10      // of so many vehicles one has a box that takes a fix each second and sends speed and ignition
	seldom       = 10      // seconds between the fixes of others
	parkedEvery  = 300     // seconds between fixes at the depot
	zeroPlace    = 0.003   // chance of a fix at latitude and longitude 0
	holeChance   = 0.00025 // per second on a trip
	clockAhead   = 420     // seconds
	clockVehicle = 6       // index of the vehicle whose clock is ahead
)

// box takes the fixes of a truck and sends them.
type box struct {
	random      *rand.Rand
	every       int64 // seconds
	phase       int64
	clock       int64         // seconds ahead
	east, north float64       // error now, metres
	hole        fleet.Instant // until when nothing can be sent
	sent        fleet.Instant // when the latest fix arrives that is not held back
	stores      bool          // in a hole it keeps fixes and sends them later; otherwise it has no GPS there
}

func newBox(index int, random *rand.Rand) box {
	b := box{random: rand.New(rand.NewPCG(random.Uint64(), uint64(index))), every: seldom}
	if index%oftenEvery == 4 {
		b.every = 1
	}
	b.phase = b.random.Int64N(parkedEvery)
	if index == clockVehicle {
		b.clock = clockAhead
	}
	b.east, b.north = driftError*b.random.NormFloat64(), driftError*b.random.NormFloat64()
	return b
}

// wrongClock reports whether the clock is so far ahead that the fixes do not count.
func (b *box) wrongClock() bool { return float64(b.clock) > fleet.MaxAhead.Seconds() }

// hasSpeed reports whether the box sends the speed that its receiver measures, and the ignition.
func (b *box) hasSpeed() bool { return b.every == 1 }

// send sends the position of the truck, if it is time for that.
func (t *truck) send(radio *radio, now fleet.Instant) {
	b := &t.box
	second := int64(now/1000) + b.phase
	if !t.onDuty(now) {
		if second%parkedEvery == 0 {
			p := t.fix(now)
			radio.carry(p, now+fleet.Seconds(1))
			t.truth.sent(p, false, false)
		}
		return
	}
	b.drift()
	b.enterHole(t, now)
	if second%b.every != 0 || b.silent(now) {
		return
	}
	p := t.fix(now)
	arrival := max(b.sent+1, now+300+fleet.Instant(b.random.Int64N(2500)))
	late, twice := b.random.Float64() < lateChance, b.random.Float64() < repeatChance
	switch {
	case now < b.hole:
		late, arrival = true, max(arrival, b.hole)
		b.sent = arrival
	case late: // others overtake it
		arrival = now + fleet.Seconds(20+b.random.Int64N(latest-20))
	default:
		b.sent = arrival
	}
	radio.carry(p, arrival)
	if twice {
		radio.carry(p, arrival+fleet.Seconds(3+b.random.Int64N(10)))
	}
	t.truth.sent(p, twice, late)
}

// silent reports whether the box has no GPS.
func (b *box) silent(now fleet.Instant) bool { return now < b.hole && !b.stores }

// drift changes the error of the receiver as a second does.
func (b *box) drift() {
	const keep = 1 - 1/driftTime
	fresh := driftError * math.Sqrt(1-keep*keep)
	b.east = keep*b.east + fresh*b.random.NormFloat64()
	b.north = keep*b.north + fresh*b.random.NormFloat64()
}

// enterHole begins, by chance, a time without GPS or without radio.
func (b *box) enterHole(t *truck, now fleet.Instant) {
	if now < b.hole || b.random.Float64() >= holeChance || t.parked || t.tour().opening != nil {
		return
	}
	b.hole = now + fleet.Seconds(120+b.random.Int64N(360))
	b.stores = b.random.IntN(2) == 0
	if !b.stores {
		t.truth.Gaps = append(t.truth.Gaps, Silence{t.name, now, b.hole})
	}
}

// fix is what the box knows: latitude, longitude and time, and with some speed and ignition.
func (t *truck) fix(now fleet.Instant) fleet.Position {
	b := &t.box
	p := fleet.Position{Vehicle: t.name, Instant: now + fleet.Seconds(b.clock)}
	east, north := b.east+jitter*b.random.NormFloat64(), b.north+jitter*b.random.NormFloat64()
	dropped, zero, speed := b.random.Float64() < dropOut, b.random.Float64() < zeroPlace, t.speed+speedJitter*b.random.NormFloat64()
	if t.speed == 0 {
		speed = 0 // receivers say so when they stand
	}
	switch at := shifted(t.at, east, north); {
	case dropped:
	case zero:
		p.Lon, p.Lat = new(float64), new(float64)
	default:
		p.Lon, p.Lat = new(degrees(at.Lon())), new(degrees(at.Lat()))
	}
	if b.hasSpeed() {
		p.Speed = new(rounded(max(0, speed), 100))
		p.Ignition = new(t.engineOn(now))
	}
	return p
}

// carry gives a position on its way.
func (r *radio) carry(p fleet.Position, arrival fleet.Instant) {
	p.Arrival = arrival
	heap.Push(r, p)
}
