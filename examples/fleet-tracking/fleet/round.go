package fleet

import (
	"cmp"
	"slices"
)

// A round is a trip without planned times: that of a freight vehicle. It may come to its stops in any order, to several at once, and
// to one again. So each stop has a stay of its own, and what counts is the radius around its point:
//
//   - the first fix within the radius that stands is the arrival (halt);
//   - so is, on the line, that the vehicle reaches the place of the stop (pass), unless it drove around a delivery, off the line;
//   - so is, off the line, the first of two consecutive fixes within the radius (radius).
//
// The vehicle leaves with the last fix that stands there. If it stayed for less than a minute, it may come again: the later visit
// counts if it lasts a minute, or if the vehicle only drove past before.

// isRound reports whether the trip has neither times nor a line: it is followed from stop to stop only.
func (v *visiting) isRound() bool {
	return v.plan.trip.Untimed && len(v.plan.trip.Shape) == 0 && len(v.stops()) > 0
}

// takeUntimed takes in a fix of a trip without planned times, if it counts for the run.
func (v *visiting) takeUntimed(fix Position, counts func(spot) bool) {
	here := spot{point: fix.Point()}
	var after placing
	distance := 0.0
	if !v.isRound() {
		var near []foot
		near, distance = v.line.approaches(fix.Point(), onLine)
		after, here.along, here.onLine = v.Placing.next(fix.Instant, near, v.plan)
	}
	if !counts(here) {
		return
	}
	v.Stays = slices.DeleteFunc(slices.Clone(v.Stays), func(c call) bool { return c.Index >= len(v.stops()) }) // of an earlier plan
	latest, earlier := Instant(0), v.Earlier
	stands, known := v.stands(fix)
	stood, undecided := false, v.Undecided
	if v.Odometer.begun() {
		latest, stood = v.Odometer.latest(), v.Odometer.standsUntil(fix)
	}
	v.goOut(distance)
	v.Odometer = v.Odometer.add(fix, v.Latest.At)
	v.Earlier, v.Undecided = latest, !known

	if undecided { // the pair from the latest fix to this one decides
		for i := range v.Stays {
			v.note(&v.Stays[i], earlier, latest, stood)
		}
	}
	v.stay(here, latest, fix.Instant)
	if here.onLine {
		first := v.Latest.At == 0
		if first {
			v.Began = placed{fix.Instant, here.along}
		}
		v.Placing, v.Before, v.Latest = after, placed{v.Latest.At, v.Reached}, placed{fix.Instant, here.along}
		v.Reached = max(v.Reached, here.along)
		v.passStops(first, stands)
	}
	if known {
		for i := range v.Stays {
			v.note(&v.Stays[i], latest, fix.Instant, stands)
		}
	}
	v.stray(fix.Instant, distance, here)
}

// stay begins and ends the stays at stops whose radius the vehicle has entered or left.
func (v *visiting) stay(here spot, latest, now Instant) {
	var stays []call
	for i, stop := range v.stops() {
		at := slices.IndexFunc(v.Stays, func(c call) bool { return c.Index == i })
		switch holds := stop.holds(here.point); {
		case holds && at < 0:
			if !v.Done.Has(i) && v.mayCall(i) {
				stays = append(stays, call{Index: i, Low: latest, High: now})
			}
		case holds:
			c := v.Stays[at]
			if stop.OffLine && c.How == "" && !v.Met.Has(i) {
				v.reach(&c, ByRadius, c.Low, c.High, c.High)
			}
			stays = append(stays, c)
		case at >= 0:
			c := v.Stays[at]
			v.note(&c, latest, now, false)
			v.depart(c)
		}
	}
	v.Stays = stays
}

// mayCall reports whether a vehicle near a stop calls there. A depot is where the round begins or ends, so it counts as the first stop
// until the vehicle has come to another, and as the last from then on.
func (v *visiting) mayCall(i int) bool {
	if v.stops()[i].Promise != nil {
		return true
	}
	elsewhere := false
	for other := range v.stops() {
		elsewhere = elsewhere || other > 0 && other != i && v.Met.Has(other)
	}
	return elsewhere == (i > 0)
}

// note notes whether the vehicle stood at a fix of a stay; before is the fix before that.
func (v *visiting) note(c *call, before, at Instant, stands bool) {
	switch {
	case stands && at >= c.High:
		if c.How == "" {
			v.reach(c, ByHalt, before, at, at)
		}
		c.Stood, c.Moved, c.Left = at, false, 0
		c.Driven = v.Odometer.at(at)
		if c.Again && c.lasted() >= minDwell {
			c.Again = false
			v.tell(*c)
			v.tellLeg(*c)
		}
		if !c.Again {
			v.Halted = v.Halted.With(c.Index)
		}
	case !stands && c.Stood != 0 && !c.Moved:
		c.Moved = true
		if at.Since(before) <= bracket {
			c.Left = c.Stood
		}
		if c.Left != 0 && !c.Again {
			v.tell(*c)
		}
	}
}

// lasted is how long the vehicle stood, as far as its fixes show, in seconds.
func (c *call) lasted() float64 { return max(0, c.Stood.Since(cmp.Or(c.Arrived, c.High))) }

// reach times the arrival at a stop.
func (v *visiting) reach(c *call, how How, low, high, at Instant) {
	c.How, c.Low, c.High, c.Arrived = how, low, high, 0
	switch {
	case low == 0:
		c.How = ThereAtFirstFix
	case high.Since(low) > bracket:
		c.How = Gap
	default:
		c.Arrived = at
		c.Driven = v.Odometer.at(at)
	}
	if how != ByHalt {
		c.Left = c.Arrived // if it does not stand there yet
	}
	if c.Again = v.Halted.Has(c.Index); c.Again {
		return
	}
	v.Met = v.Met.With(c.Index)
	if v.isRound() {
		v.Reached = max(v.Reached, v.stops()[c.Index].Along)
	}
	v.tell(*c)
	v.tellLeg(*c)
}

// depart ends a stay. One that is no arrival, or too short to replace an earlier one, leaves nothing behind.
func (v *visiting) depart(c call) {
	if c.How == "" || c.Again {
		return
	}
	if v.stops()[c.Index].Promise == nil || c.lasted() >= minDwell {
		v.Done = v.Done.With(c.Index)
	}
	if c.Left == 0 {
		return
	}
	v.Left = &left{Index: c.Index, At: c.Left, Driven: c.Driven}
	if c.Arrived != 0 {
		dwell := c.Left.Since(c.Arrived)
		v.Left.Dwell = &dwell
	}
}

// wasOff reports whether there were fixes off the line between the two latest with a place on it.
func (v *visiting) wasOff() bool { return v.Before.At < v.Earlier }

// passStops notes the stops on the line whose place the vehicle has reached. Those behind the first fix nobody has seen, nor the
// deliveries that it drove around, off the line and outside their radius.
func (v *visiting) passStops(first, stands bool) {
	for ; v.Next < len(v.stops()) && v.Reached >= v.stops()[v.Next].Along-shortOfStop; v.Next++ {
		i := v.Next
		at := slices.IndexFunc(v.Stays, func(c call) bool { return c.Index == i })
		switch stop := v.stops()[i]; {
		case stop.OffLine || v.Met.Has(i):
		case first || stop.Promise != nil && at < 0 && v.wasOff():
			v.tell(call{Index: i, How: NotSeen, High: v.Latest.At})
		case at >= 0:
			how := ByPass
			if stands {
				how = ByHalt
			}
			v.reach(&v.Stays[at], how, v.Before.At, v.Latest.At, v.timeAt(min(stop.Along, v.Latest.Along), ByPass))
		default:
			c := call{Index: i}
			v.reach(&c, ByPass, v.Before.At, v.Latest.At, v.timeAt(min(stop.Along, v.Latest.Along), ByPass))
			v.depart(c)
		}
	}
}

// roundProgress is how far the vehicle is on a round without a line: at the farthest stop that it has come to. Ahead lies the first stop
// that it has not come to, in a straight line.
func (v *visiting) roundProgress(fix Position) *Progress {
	p := &Progress{
		Vehicle: v.run.Vehicle, Route: v.run.Route, Trip: v.run.Trip, Day: v.run.Day, Instant: fix.Instant,
		Along: v.Reached, Length: millimetres(v.line.Length()),
	}
	for i, stop := range v.stops() {
		if stop.Promise != nil && !v.Met.Has(i) {
			p.Next = &NextStop{
				Sequence: stop.Sequence, Stop: stop.ID, Name: stop.Name, Ahead: millimetres(Haversine(fix.Point(), stop.Point())),
			}
			break
		}
	}
	return p
}
