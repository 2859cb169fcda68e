package fleet

import (
	"cmp"
	"math"
	"slices"
)

// A fix may lie near several places of a line that crosses itself, or that goes out and back along one street. Placing keeps the few
// places that are still likely, each with the cost of the cheapest sequence of places that ends there, as a Viterbi search
// does. The cheapest of them is where the vehicle is taken to be; a later fix does not revise it.
//
// Costs are squares, so many small errors are likelier than a large one.
const (
	onLine     = 60.0   // metres: farther away a fix has no place on the line
	offScale   = 15.0   // metres off the line that cost 1
	backFree   = 20.0   // metres that a place may fall back at no cost
	backScale  = 20.0   // metres back beyond that which cost 1
	fastest    = 30.0   // m/s that cost nothing
	fastScale  = 50.0   // metres beyond that which cost 1
	earlyFree  = 300.0  // seconds ahead of the plan that cost nothing
	earlyScale = 120.0  // seconds beyond that which cost 1
	lateFree   = 1800.0 // seconds behind the plan that cost nothing
	lateScale  = 600.0  // seconds beyond that which cost 1
	movedScale = 2000.0 // metres moved that cost 1: of two equal ways the shorter one
	tooDear    = 100.0  // cost above the cheapest at which a place is given up
	mostPlaces = 8      // places kept
)

const (
	tooEarly    = 900.0 // seconds ahead of the plan at which a place is not believed
	startOfLine = 100.0 // metres from the start of the line within which a vehicle may wait for its plan, however long
)

// Candidate is one place on the line where a vehicle may be. Cost is that of the cheapest sequence of places that ends here,
// above that of the cheapest candidate.
type Candidate struct {
	Along float64 `json:"m"` // metres from the start of the line
	Cost  float64 `json:"c"`
}

// plan is when a vehicle on time is where on its trip. Origin is the moment from which the times of the trip count.
type plan struct {
	trip   *Trip
	origin Instant
}

// at is a time of the timetable.
func (p plan) at(second int) Instant { return p.origin + Seconds(int64(second)) }

// due is when a stop is to be reached, 0 for a trip without times.
func (p plan) due(stop Stop) Instant {
	if p.trip.Untimed {
		return 0
	}
	return p.at(stop.Due)
}

// leaves is when a stop is to be left, 0 for a trip without times.
func (p plan) leaves(stop Stop) Instant {
	if p.trip.Untimed {
		return 0
	}
	return p.at(stop.Leaves)
}

// off is how far a vehicle at a place is ahead of the plan and behind it, in seconds; both are 0 without a plan.
func (p plan) off(now Instant, along float64) (early, late float64) {
	from, to, ok := p.trip.scheduled(along)
	if !ok {
		return 0, 0
	}
	second := now.Since(p.origin)
	return max(0, from-second), max(0, second-to)
}

func offPlanCost(early, late float64) float64 {
	return square(max(0, early-earlyFree)/earlyScale) + square(max(0, late-lateFree)/lateScale)
}

// step is the cost of a move along the line in so many seconds.
func step(from, to, seconds float64) float64 {
	moved := to - from
	back, fast := max(0, -moved-backFree), max(0, moved-fastest*seconds)
	return square(back/backScale) + square(fast/fastScale) + math.Abs(moved)/movedScale
}

func square(x float64) float64 { return x * x }

// rounded makes two costs equal that differ in the last bits only: then the place nearer to the plan counts.
func rounded(cost float64) float64 { return math.Round(cost*1e4) / 1e4 }

// placing is the memory of where a vehicle may be.
type placing struct {
	At         Instant     `json:"instante"` // of the latest fix with a place
	Candidates []Candidate `json:"lugares"`
}

// next places a fix, given where the line passes it; false when the fix has no plausible place.
func (p placing) next(now Instant, near []foot, plan plan) (_ placing, along float64, ok bool) {
	type option struct {
		Candidate
		offPlan float64 // seconds
	}
	var options []option
	if len(p.Candidates) == 0 && plan.trip.Untimed {
		near = beginning(near)
	}
	for _, f := range near {
		early, late := plan.off(now, f.along)
		if early > tooEarly && f.along > startOfLine || p.tooFar(now, f.along) {
			continue
		}
		cost := square(f.off/offScale) + offPlanCost(early, late) + p.reach(now, f.along)
		if len(p.Candidates) == 0 && plan.trip.Untimed { // without a plan a round that ends where it starts would begin at either
			cost += f.along / movedScale
		}
		o := option{Candidate{f.along, rounded(cost)}, early + late}
		if len(p.Candidates) == 0 && f.along <= startOfLine {
			o.offPlan = 0 // where a round ends as it starts, a run begins at its start, however late
		}
		options = append(options, o)
	}
	if len(options) == 0 {
		return p, 0, false
	}
	slices.SortStableFunc(options, func(a, b option) int {
		return cmp.Or(cmp.Compare(a.Cost, b.Cost), cmp.Compare(a.offPlan, b.offPlan))
	})
	var kept []Candidate
	for _, o := range options[:min(len(options), mostPlaces)] {
		if cost := rounded(o.Cost - options[0].Cost); cost <= tooDear {
			kept = append(kept, Candidate{o.Along, cost})
		}
	}
	return placing{now, kept}, kept[0].Along, true
}

// beginning are the places at the start of the line, if there are any. Without a plan a round that ends where it starts begins there: its
// end must not be kept, because at rest each fix would add to the cost of the start if the receiver errs towards the end.
func beginning(near []foot) []foot {
	start := slices.DeleteFunc(slices.Clone(near), func(f foot) bool { return f.along > startOfLine })
	if len(start) == 0 {
		return near
	}
	return start
}

// tooFar reports whether a vehicle cannot have come to a place by now from any where it may have been. Beside the line, on a detour,
// it may be near another part of the line only, and that is not where it is.
func (p placing) tooFar(now Instant, along float64) bool {
	limit := topSpeed*now.Since(p.At) + onLine
	return len(p.Candidates) > 0 && !slices.ContainsFunc(p.Candidates, func(c Candidate) bool { return along-c.Along <= limit })
}

// reach is the least cost of coming to a place from where the vehicle may have been.
func (p placing) reach(now Instant, along float64) float64 {
	if len(p.Candidates) == 0 {
		return 0
	}
	least, seconds := math.Inf(1), now.Since(p.At)
	for _, c := range p.Candidates {
		least = min(least, c.Cost+step(c.Along, along, seconds))
	}
	return least
}
