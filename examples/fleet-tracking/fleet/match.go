package fleet

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// A fix lies near several places of a shape that crosses itself, or that goes out and back along one street. Which one the
// vehicle is at only its further way can tell. So a match keeps the few places that are still likely, each with a cost, as a
// Viterbi search does, and takes the cheapest for the truth. Costs are in units of −log probability, up to a constant:
//
//   - off the line: half the square of the distance to the shape over gpsNoise;
//   - along the line: how much the way along the shape differs from the way over ground, over wayNoise;
//   - a place that continues no earlier one: newRun, and how far from the timetable it is.
const (
	onRoute   = 100.0 // metres: farther away a fix has no place along the shape
	gpsNoise  = 15.0  // metres
	wayNoise  = 40.0  // metres
	standing  = 60.0  // metres that a place may fall back and still count as the same
	newRun    = 12.0  // cost of a place that continues no earlier one
	planNoise = 240.0 // seconds off the timetable that cost 1
	planLimit = 6.0   // the most that the timetable costs
	hopeless  = 25.0  // cost above the cheapest at which a place is given up
	maxPlaces = 4     // places kept
)

// Place is one place along the shape where the vehicle may be.
type Place struct {
	Along float64 `json:"m"` // the farthest reached, metres along the shape
	Cost  float64 `json:"c"` // above the cost of the cheapest place
}

// match is the memory of the map matching: the latest fix that had a place, and the likely places, cheapest first.
type match struct {
	Instant Instant   `json:"instante"`
	Point   orb.Point `json:"ponto"`
	Places  []Place   `json:"lugares"`
}

// move is what one fix says about the way along the shape. It continues an earlier place, or it does not and From is To.
type move struct {
	From, To  float64 // metres along the shape
	Continues bool
}

// next takes in a fix, given where the shape approaches it, and returns the likeliest move; false when the fix has no place.
func (m match) next(fix Position, near []foot, trip *Trip, dayStart Instant) (match, move, bool) {
	if len(near) == 0 {
		return m, move{}, false
	}
	type option struct {
		Place
		move
	}
	options := make([]option, 0, 8)
	for _, f := range near {
		from, cost := m.cheapest(fix, f.along, trip, dayStart)
		cost += f.off * f.off / (2 * gpsNoise * gpsNoise)
		step := move{From: f.along, To: f.along}
		if from >= 0 {
			before := m.Places[from].Along
			step = move{From: before, To: max(before, f.along), Continues: true}
		}
		options = append(options, option{Place{step.To, cost}, step})
	}
	slices.SortStableFunc(options, func(a, b option) int { return cmp.Compare(a.Cost, b.Cost) })
	best := options[0]

	places := make([]Place, 0, maxPlaces)
	for _, o := range options {
		above := o.Cost - best.Cost
		known := slices.ContainsFunc(places, func(p Place) bool { return p.Along == o.Along })
		if above > hopeless || len(places) == maxPlaces {
			break
		}
		if !known {
			places = append(places, Place{Along: o.Along, Cost: math.Round(above*100) / 100})
		}
	}
	return match{Instant: fix.Instant, Point: fix.Point(), Places: places}, best.move, true
}

// cheapest is the earlier place from which a vehicle most likely came to a place along the shape, and what that costs; -1 when
// it is likelier that it came from none.
func (m match) cheapest(fix Position, along float64, trip *Trip, dayStart Instant) (from int, cost float64) {
	from, cost = -1, newRun+offPlan(fix, along, trip, dayStart)
	seconds := fix.Instant.Since(m.Instant)
	ground := 0.0
	if len(m.Places) > 0 {
		ground = Haversine(m.Point, fix.Point())
	}
	for i, p := range m.Places {
		way := along - p.Along
		if way < -standing || way > topSpeed*seconds+standing {
			continue
		}
		c := p.Cost
		if seconds <= longestGap {
			c += math.Abs(max(0, way)-ground) / wayNoise
		} else {
			c += offPlan(fix, along, trip, dayStart)
		}
		if c < cost {
			from, cost = i, c
		}
	}
	return from, cost
}

// offPlan is what it costs that the timetable has a vehicle elsewhere at this time.
func offPlan(fix Position, along float64, trip *Trip, dayStart Instant) float64 {
	from, to, ok := trip.scheduled(along)
	if !ok {
		return 0
	}
	now := fix.Instant.Since(dayStart)
	off := max(0, from-now, now-to)
	return min(planLimit, off/planNoise)
}
