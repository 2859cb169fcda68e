package simulation

import (
	"container/heap"
	"math"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// How bad GPS and radio are.
const (
	gpsNoise     = 4.0 // metres, standard deviation in each direction
	dropOut      = 0.01
	noSpeed      = 0.01
	repeatChance = 0.04
	lateChance   = 0.02
	latest       = 90 // seconds that a late fix is held back at most
)

// radio carries positions from the vehicles to the recorder. It is a heap of those under way, the first to arrive on top.
type radio struct {
	underWay []fleet.Position
	sent     []int64 // tells positions apart that arrive together, in the order in which they were sent
	next     int64
	count    int64 // arrived
	truth    *Truth
}

// send gives the position of a vehicle on its way, perhaps twice.
func (r *radio) send(v *vehicle, now fleet.Instant) {
	p := v.fix(now)
	held := 300 + fleet.Instant(v.random.Int64N(2500))
	late := v.random.Float64() < lateChance
	if late {
		held = fleet.Seconds(20 + v.random.Int64N(latest-20))
	}
	p.Arrival = now + held
	heap.Push(r, p)
	twice := v.random.Float64() < repeatChance
	if twice {
		p.Arrival += fleet.Seconds(3 + v.random.Int64N(10))
		heap.Push(r, p)
	}
	r.truth.note(p.Fault() == "", twice, late)
}

func (t *Truth) note(valid, twice, late bool) {
	switch {
	case t == nil:
		return
	case !valid:
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

// fix is what the vehicle knows of itself.
func (v *vehicle) fix(now fleet.Instant) fleet.Position {
	p := fleet.Position{Vehicle: v.name, Instant: now}
	if v.onTrip(now) {
		p.Trip, p.Route, p.Day = v.reported, v.trip.Route, v.serviceDay()
	}
	east, north := v.random.NormFloat64()*gpsNoise, v.random.NormFloat64()*gpsNoise
	if v.random.Float64() >= dropOut {
		at := shifted(v.at, east, north)
		p.Lon, p.Lat = new(rounded(at.Lon(), 1e6)), new(rounded(at.Lat(), 1e6))
	}
	if v.random.Float64() >= noSpeed {
		p.Speed = new(rounded(max(0, v.speed), 10))
	}
	p.Bearing, p.Odometer = new(rounded(v.bearing, 1)), new(rounded(v.odometer, 1))
	return p
}

func rounded(x, parts float64) float64 { return math.Round(x*parts) / parts }

// arrived reports whether a position has reached the recorder by now.
func (r *radio) arrived(now fleet.Instant) bool {
	return len(r.underWay) > 0 && r.underWay[0].Arrival <= now
}

func (r *radio) Len() int { return len(r.underWay) }

func (r *radio) Less(i, j int) bool {
	if r.underWay[i].Arrival != r.underWay[j].Arrival {
		return r.underWay[i].Arrival < r.underWay[j].Arrival
	}
	return r.sent[i] < r.sent[j]
}

func (r *radio) Swap(i, j int) {
	r.underWay[i], r.underWay[j] = r.underWay[j], r.underWay[i]
	r.sent[i], r.sent[j] = r.sent[j], r.sent[i]
}

// Push is for package heap.
func (r *radio) Push(p any) {
	r.underWay = append(r.underWay, p.(fleet.Position))
	r.sent = append(r.sent, r.next)
	r.next++
}

// Pop is for package heap.
func (r *radio) Pop() any {
	last := len(r.underWay) - 1
	p := r.underWay[last]
	r.underWay, r.sent = r.underWay[:last], r.sent[:last]
	return p
}
