package simulation

import (
	"cmp"
	"math/rand/v2"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// What happens on a trip.
const (
	detourTrip   = 0.4 // chance of a detour on a trip
	detourAside  = 550.0
	detourLong   = 900.0 // metres along the line, at least
	jamLeg       = 0.10  // chance of slow traffic between two stops
	redLight     = 0.4   // chance of a red light in 500 m
	lightsApart  = 500.0 // metres
	lightsAway   = 130.0 // metres from a customer
	failedCall   = 0.06  // chance that a delivery fails, with a record of the driver
	briefCall    = 0.04  // chance that the vehicle leaves a customer at once
	skippedCall  = 0.03  // chance that it passes a customer on another street
	skipAside    = 190.0 // metres
	skipLong     = 450.0 // metres before and behind the customer
	cutTrip      = 0.08  // chance that a trip ends before its last customers
	idleCall     = 0.30  // chance that the engine stays on at a customer
	idleOften    = 0.80  // the same chance for a driver who seldom turns it off
	scareApart   = 1500.0
	lateNote     = 0.10 // chance that a record reaches the recorder later
	parkedOff    = 20.0 // metres that a truck may halt before or behind the customer's place
	stopsAtLeast = 2    // customers before a trip can be cut
)

// incident happens to a vehicle when the first day begins, so that those who watch see it at once.
type incident struct {
	early   int64   // seconds before work begins at which the vehicle was to leave
	metres  float64 // about, to its first customer
	happens func(*errand, *rand.Rand)
}

var incidents = []incident{
	{early: 600, metres: 700, happens: func(*errand, *rand.Rand) {}}, // late
	{metres: 3200, happens: func(e *errand, random *rand.Rand) {
		e.detours = asides{{from: 220, to: 1500, aside: 600}} // outwards
	}},
	{metres: 500, happens: func(e *errand, random *rand.Rand) {
		e.halts[0] = e.halts[0].failed(random)
		e.halts[0].seconds = 60
	}},
	{metres: 1500, happens: func(e *errand, random *rand.Rand) {
		e.jams = append(e.jams, stretch{200, 800})
	}},
}

const openingDelay = 5 // seconds after which such a vehicle leaves

// errand is what happens on a trip, decided at its start.
type errand struct {
	leaves  fleet.Instant
	path    fleet.Shape // where the truck drives
	halts   []halt      // still ahead; the last is at the end
	end     float64     // metres along the path
	cut     float64     // from there the path is not that of the trip; the end, if it is
	detours asides      // also around customers who are passed by
	jams    []stretch
	fast    []stretch // where one can drive too fast
	scares  []float64 // where a driver brakes hard
}

// halt is a place where the truck stands: at a red light, at a customer, at the end.
type halt struct {
	at      float64
	seconds int64
	idles   bool
	call    *call
}

// call is a halt at a customer.
type call struct {
	delivery fleet.Delivery
	outcome  Outcome
	reason   string
}

// asides are the stretches on which a truck drives beside its line.
type asides []asideStretch

type asideStretch struct {
	from, to float64
	aside    float64 // metres to the right at the most; negative to the left
}

func (a asideStretch) holds(place float64) bool { return place > a.from && place < a.to }

// free is the speed on a free street at a place, or in the traffic there.
func (e *errand) free(place float64, hurried bool) float64 {
	holds := func(s stretch) bool { return s.holds(place) }
	switch {
	case slices.ContainsFunc(e.jams, holds):
		return jamSpeed
	case hurried && slices.ContainsFunc(e.fast, holds):
		return hurriedSpeed
	}
	return steadySpeed
}

// newErrand decides what happens on the trip that the truck takes up.
func newErrand(t *truck) errand {
	tour, random := t.tour(), t.random
	delay := random.Int64N(240) - 30
	e := errand{leaves: tour.leaves + fleet.Seconds(delay), path: tour.Line, end: tour.Line.Length(), cut: tour.Line.Length()}
	if tour.opening != nil {
		e.leaves = tour.work + fleet.Seconds(openingDelay)
	}
	last := e.cutShort(random, tour)
	slow := 0.6 + 0.7*random.Float64()
	for i, d := range tour.deliveries {
		along := tour.customers[i].along
		h := halt{at: along + parkedOff*(2*random.Float64()-1), call: &call{delivery: d}}
		h = h.serve(random, t.habits[tour.driverAt(tour.due(i))])
		h.seconds = int64(float64(h.seconds) * slow)
		if i > last || e.skip(random, tour, i) {
			continue
		}
		e.halts = append(e.halts, h)
	}
	if tour.opening != nil {
		tour.opening.happens(&e, random)
	} else {
		e.detour(random, tour)
	}
	e.traffic(random, tour)
	e.halts = append(e.halts, halt{at: e.end})
	slices.SortStableFunc(e.halts, func(a, b halt) int { return cmp.Compare(a.at, b.at) })
	return e
}

// skip passes a customer by on another street, by chance.
func (e *errand) skip(random *rand.Rand, tour *tour, i int) bool {
	skip, right := random.Float64() < skippedCall && tour.opening == nil, side(random)
	from, to := tour.leg(i)
	after, next := tour.leg(i + 1)
	apart := min(to-from, next-after)
	if !skip || apart < 500 {
		return false
	}
	long := min(skipLong, apart-50)
	e.detours = append(e.detours, asideStretch{to - long, to + long, skipAside * right})
	return true
}

// leg is the part of the line up to a customer from the one before, or from the depot; the last is that back to the depot.
func (r *round) leg(i int) (from, to float64) {
	to = r.Line.Length()
	if i > 0 {
		from = r.customers[i-1].along
	}
	if i < len(r.customers) {
		to = r.customers[i].along
	}
	return from, to
}

// serve says what happens at the customer.
func (h halt) serve(random *rand.Rand, driver habits) halt {
	h.seconds = 120 + random.Int64N(480)
	h.call.outcome = Delivered
	chance := idleCall
	if driver.idles {
		chance = idleOften
	}
	h.idles = random.Float64() < chance
	switch what := random.Float64(); {
	case what < failedCall:
		return h.failed(random)
	case what < failedCall+briefCall:
		h.seconds, h.call.outcome = 15+random.Int64N(26), Visited
	case what < failedCall+2*briefCall && driver.notes: // a handover at the door, which the driver notes
		h.seconds = 30 + random.Int64N(15)
	}
	return h
}

var reasons = []string{"ausente", "recusada", "endereço não encontrado", "avaria"}

// failed makes a halt at a customer one that the driver notes as failed.
func (h halt) failed(random *rand.Rand) halt {
	h.seconds = 90 + random.Int64N(180)
	h.call.outcome, h.call.reason = Failed, reasons[random.IntN(len(reasons))]
	return h
}

// cutShort returns the index of the last customer that the truck drives to. By chance the last ones of a trip see nobody: the truck
// goes home across country.
func (e *errand) cutShort(random *rand.Rand, tour *tour) int {
	last := len(tour.customers) - 1
	if random.Float64() >= cutTrip {
		return last
	}
	last = max(stopsAtLeast, last-1-random.IntN(2))
	turns := tour.customers[last].along + parkedOff + 2*vertexSpacing
	home := tour.depot.Point
	var path fleet.Shape
	for _, v := range tour.Line {
		if v.Along() < turns {
			path = append(path, v)
		}
	}
	from := path[len(path)-1]
	path = append(path, fleet.Vertex{home.Lon(), home.Lat(), from.Along() + fleet.Haversine(from.Point(), home)})
	e.path, e.end, e.cut = path, path.Length(), from.Along()
	return last
}

// detour leaves the line on the way to a customer, by chance.
func (e *errand) detour(random *rand.Rand, tour *tour) {
	happens, first := random.Float64() < detourTrip, random.IntN(len(tour.customers))
	aside, where := (detourAside+250*random.Float64())*side(random), random.Float64()
	long := detourLong + 300*where
	for i := range tour.customers {
		leg := (first + i) % len(tour.customers)
		from, to := tour.leg(leg)
		from, to = from+80, to-80
		if leg == 0 {
			from += depotArea
		}
		taken := slices.ContainsFunc(e.detours, func(d asideStretch) bool { return d.from < to && d.to > from })
		if to-from < long || to > e.cut || taken {
			continue
		}
		from += where * (to - from - long)
		if happens {
			e.detours = append(e.detours, asideStretch{from, from + long, aside})
		}
		return
	}
}

// traffic spreads slow traffic, red lights, free streets and scares over the path.
func (e *errand) traffic(random *rand.Rand, tour *tour) {
	for i := range len(tour.customers) + 1 {
		from, to := tour.leg(i)
		jam, part := random.Float64() < jamLeg, 0.3+0.5*random.Float64()
		if opening := i == 0 && tour.opening != nil; jam && to < e.cut && !opening {
			e.jams = append(e.jams, stretch{from + 50, from + 50 + part*(to-from-100)})
		}
		if to-from > 600 {
			e.fast = append(e.fast, stretch{from + 100, to - 150})
		}
	}
	for at := lightsApart; at < e.end-lightsApart; at += lightsApart {
		place, red, seconds := at+200*random.Float64(), random.Float64() < redLight, 15+random.Int64N(40)
		near := slices.ContainsFunc(tour.customers, func(c customer) bool { return place > c.along-lightsAway && place < c.along+lightsAway })
		if opening := tour.opening != nil && place < tour.customers[0].along; red && !near && !opening {
			e.halts = append(e.halts, halt{at: place, seconds: seconds})
		}
	}
	for at := 300.0; at < e.end; at += scareApart {
		e.scares = append(e.scares, at+scareApart*random.Float64())
	}
}

// habits are those of a driver.
type habits struct {
	notes   bool // notes each delivery
	idles   bool // seldom turns the engine off
	hurried bool // drives too fast
	hard    bool // brakes hard
}

func newHabits(random *rand.Rand) habits {
	chance := func(p float64) bool { return random.Float64() < p }
	return habits{notes: chance(0.6), idles: chance(0.2), hurried: chance(0.2), hard: chance(0.5)}
}
