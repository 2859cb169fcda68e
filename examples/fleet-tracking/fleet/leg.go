package fleet

import (
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// The history of legs counts no leg for longer than so many times its planned time, and seconds.
const (
	longestDrive = 4.0
	longestHold  = 300.0
)

// tellLeg tells of the way from the stop before, if both ends are timed.
func (v *visiting) tellLeg(c call) {
	if c.Arrived == 0 || v.Left == nil || v.Left.Index != c.Index-1 {
		return
	}
	from, to := v.stops()[c.Index-1], v.stops()[c.Index]
	leg := Leg{
		Run: v.run, FromSequence: from.Sequence, ToSequence: to.Sequence, From: from.ID, To: to.ID,
		Left: v.Left.At, Arrived: c.Arrived, Hour: v.plan.trip.hour(v.Left.At),
		Planned: float64(to.Due - from.Leaves), Untimed: v.plan.trip.Untimed, Driven: c.Arrived.Since(v.Left.At),
		PlannedMetres: millimetres(to.Along - from.Along), Dwell: v.Left.Dwell,
		Counted: v.counted(c),
	}
	if driven, ok := v.Odometer.since(v.Left.Driven, c.Arrived); ok {
		leg.DrivenMetres = &driven
	}
	v.told.Legs = append(v.told.Legs, leg)
}

// counted is how long the leg to a stop took, for the history of legs. Times much longer than planned tell nothing of other runs.
func (v *visiting) counted(c call) *float64 {
	since := v.Left.At
	if c.Index > 1 { // at the first stop runs wait for their start
		if v.Left.Dwell == nil {
			return nil
		}
		since -= Instant(math.Round(*v.Left.Dwell * 1000))
	}
	counted := c.Arrived.Since(since)
	if !v.plan.trip.Untimed {
		from, to := v.stops()[c.Index-1], v.stops()[c.Index]
		planned := max(shortestLeg, seconds(float64(to.Due-from.Due))).Seconds()
		counted = min(counted, longestDrive*planned+longestHold)
	}
	return &counted
}

// Counts is the leg as the history of its path counts it; false if it does not, because the arrival at the stop before is not known.
func (l Leg) Counts() (LegTime, bool) {
	if l.Counted == nil {
		return LegTime{}, false
	}
	return LegTime{l.ToSequence, l.Arrived, seconds(*l.Counted)}, true
}

// odometer counts the clean distance of a run. It knows how far the vehicle had come at any moment since the fix before the
// latest that has a place; within a pair of fixes the vehicle is taken to move evenly.
type odometer struct {
	Knots []knot    `json:"nos"`   // oldest first; the last is the latest fix
	From  orb.Point `json:"ponto"` // the latest fix
}

// knot is a fix: how far the vehicle had come, and how many pairs until then are not clean.
type knot struct {
	At Instant `json:"t"`
	driven
}

type driven struct {
	Metres float64 `json:"m"`
	Broken int     `json:"falhas,omitempty"`
}

func (o odometer) begun() bool     { return len(o.Knots) > 0 }
func (o odometer) latest() Instant { return o.Knots[len(o.Knots)-1].At }

// add takes in a fix and forgets what was before since.
func (o odometer) add(fix Position, since Instant) odometer {
	if !o.begun() {
		return odometer{[]knot{{At: fix.Instant}}, fix.Point()}
	}
	last := o.Knots[len(o.Knots)-1]
	next := knot{fix.Instant, last.driven}
	if m := o.pair(fix); m.Pairs > 0 {
		next.Metres = millimetres(next.Metres + m.Distance.Metres())
	} else {
		next.Broken++
	}
	since = max(since, last.At-Seconds(bracket))
	first := 0
	for first+1 < len(o.Knots) && o.Knots[first+1].At <= since {
		first++
	}
	return odometer{append(slices.Clone(o.Knots[first:]), next), fix.Point()}
}

// standsUntil reports whether the vehicle stands between the latest fix and the next.
func (o odometer) standsUntil(next Position) bool {
	m := o.pair(next)
	return m.Pairs > 0 && m.Moving == 0
}

// pair is the motion from the latest fix to the next.
func (o odometer) pair(next Position) Motion {
	return Pair(Fix{Instant: o.latest(), Point: o.From}, next.Fix())
}

// at is how far the vehicle had come at a moment, and how many pairs that ended by then are not clean.
func (o odometer) at(t Instant) driven {
	for i := len(o.Knots) - 1; i > 0; i-- {
		from, to := o.Knots[i-1], o.Knots[i]
		if t >= to.At {
			return to.driven
		}
		if t >= from.At {
			part := t.Since(from.At) / to.At.Since(from.At)
			return driven{from.Metres + part*(to.Metres-from.Metres), from.Broken}
		}
	}
	return o.Knots[0].driven
}

// since is how many metres the vehicle drove from an earlier moment to a later one; false if a pair between is not clean, so
// that nobody knows.
func (o odometer) since(from driven, to Instant) (float64, bool) {
	i := slices.IndexFunc(o.Knots, func(k knot) bool { return k.At >= to })
	return millimetres(o.at(to).Metres - from.Metres), i >= 0 && o.Knots[i].Broken == from.Broken
}
