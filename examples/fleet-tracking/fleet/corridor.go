package fleet

import (
	"math"
	"slices"
)

const (
	detourLasts = 30.0  // seconds between the first and the last of the fixes outside the corridor that make a detour
	insideAgain = 0.8   // part of the corridor within which a detour ends
	yardRadius  = 200.0 // metres around a depot or fuel station in which a vehicle may go where it has to
)

// edge is the last fix inside the corridor, and how far the vehicle had come.
type edge struct {
	LinePlace
	driven
}

// outing is a row of fixes outside the corridor.
type outing struct {
	First Instant `json:"inicio"`
	Last  Instant `json:"fim"`
	Fixes int     `json:"posicoes"`
	Max   float64 `json:"maxima"`
}

func (o *outing) isDetour() bool { return o != nil && o.Last.Since(o.First) >= detourLasts }

// goOut notes the last fix inside the corridor when the vehicle leaves it, before the odometer forgets how far it had come then.
func (v *visiting) goOut(distance float64) {
	if distance > v.plan.trip.corridor() && v.Edge == nil && v.Latest.At != 0 {
		v.Edge = &edge{LinePlace{v.Latest.At, v.Latest.Along}, v.Odometer.at(v.Latest.At)}
	}
}

// stray follows the vehicle out of the corridor of its line and back.
func (v *visiting) stray(at Instant, distance float64, here spot) {
	corridor := v.plan.trip.corridor()
	switch {
	case len(v.plan.trip.Shape) == 0: // nobody drives along the straight lines between stops
	case distance > corridor:
		v.outside(at, distance, here)
	case v.Out.isDetour() && distance > insideAgain*corridor: // it may go out again at once
	case v.Out == nil && here.onLine: // as almost always
		v.Edge = nil // it is Latest
	default:
		v.inside(at, here)
	}
}

func (v *visiting) outside(at Instant, distance float64, here spot) {
	if v.Edge == nil || v.ended() || v.inYard(here) {
		if !v.Out.isDetour() {
			v.Out = nil
		}
		return
	}
	out := outing{First: at}
	if v.Out != nil {
		out = *v.Out
	}
	out.Last, out.Max = at, max(out.Max, distance)
	out.Fixes++
	v.Out = &out
	if v.Out.isDetour() {
		v.told.Detour = v.detour()
	}
}

func (v *visiting) inside(at Instant, here spot) {
	now := edge{LinePlace{at, v.nearestPlace(here)}, v.Odometer.at(at)}
	if v.Out.isDetour() {
		d := v.detour()
		d.Back = &now.LinePlace
		if now.Broken == v.Edge.Broken {
			way := millimetres(now.Metres - v.Edge.Metres)
			extra := millimetres(max(0, way-math.Abs(now.Along-v.Edge.Along)))
			d.Driven, d.Extra = &way, &extra
		}
		v.told.Detour = d
	}
	v.Out, v.Edge = nil, &now
	if here.onLine {
		v.Edge = nil // it is Latest
	}
}

// detour is the detour as far as it has gone.
func (v *visiting) detour() *Detour {
	return &Detour{
		Path: v.plan.trip.Path,
		Run:  v.run, First: v.Out.First, Last: v.Out.Last, Fixes: v.Out.Fixes, Max: v.Out.Max, Left: v.Edge.LinePlace,
	}
}

// ended reports whether the vehicle has arrived at the last stop.
func (v *visiting) ended() bool {
	last := len(v.stops()) - 1
	if v.plan.trip.Untimed {
		return last >= 0 && v.Met.Has(last)
	}
	return last >= 0 && v.Next > last
}

// inYard reports whether a fix lies at a depot or fuel station, or at a customer of a freight trip, who may live off the line.
func (v *visiting) inYard(here spot) bool {
	if v.plan.trip.Untimed && slices.ContainsFunc(v.stops(), func(s Stop) bool { return s.holds(here.point) }) {
		return true
	}
	for _, yard := range v.plan.trip.Yards {
		if Haversine(here.point, yard) <= yardRadius {
			return true
		}
	}
	return false
}

// nearestPlace is the place on the line of a fix inside the corridor: its own or, where it is too far from the line to have one, of
// the nearest the one that is nearest to the greatest place so far.
func (v *visiting) nearestPlace(here spot) float64 {
	if here.onLine {
		return here.along
	}
	near, distance := v.line.approaches(here.point, v.plan.trip.corridor())
	place, apart := v.Reached, math.Inf(1)
	for _, f := range near {
		if d := math.Abs(f.along - v.Reached); f.off <= distance+samePlace && d < apart {
			place, apart = f.along, d
		}
	}
	return place
}
