package simulation

import (
	"math"
	"math/rand/v2"
	"time"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

const (
	freeSpeed     = 11.0 // m/s between stops in light traffic
	signOn        = 120  // seconds before departure at which a bus says which trip it will drive
	detourChance  = 0.12 // per trip
	jamChance     = 0.15 // per trip
	replanChance  = 0.05 // per trip: the bus reports another block than the timetable
	offRoute      = 100.0
	detourNearest = 800.0 // metres from either end of the trip
	lateEnough    = 240.0 // seconds behind the timetable at a stop that make a bus late in an eventful fleet
)

// vehicle is a bus. It moves in steps of one second.
type vehicle struct {
	name   string
	random *rand.Rand
	duty   []*fleet.Trip
	truth  *Truth

	day      time.Time     // noon of the service day
	turn     int           // index of the trip in the duty
	trip     *fleet.Trip   // duty[turn]
	reported string        // the id under which it drives the trip
	began    fleet.Instant // start of the service day
	leaves   fleet.Instant // departure
	place    float64       // metres along the shape
	next     int           // stop ahead
	halt     fleet.Instant // when the vehicle, which stands, drives on
	late     float64       // seconds behind the timetable at the last stop
	traffic  float64       // factor on the free speed of this trip
	jam      stretch       // where it crawls
	detour   stretch       // where it leaves the route
	aside    float64       // how far it leaves it, metres to the right; negative to the left

	at        orb.Point
	speed     float64 // m/s over ground
	bearing   float64
	odometer  float64
	excursion int // 1 + index in truth.Excursions, while on one
}

// stretch is a part of a shape, from and to metres along it.
type stretch struct{ from, to float64 }

func (s stretch) holds(along float64) bool { return along > s.from && along < s.to }

func newVehicle(name string, random *rand.Rand, duty []*fleet.Trip, truth *Truth, zone *time.Location, now fleet.Instant) *vehicle {
	v := &vehicle{name: name, random: random, duty: duty, truth: truth, odometer: math.Round(random.Float64() * 3e5)}
	local := now.Time().In(zone)
	v.day = time.Date(local.Year(), local.Month(), local.Day()-1, 12, 0, 0, 0, zone)
	v.turn = -1
	for v.trip == nil || v.dueAtEnd() <= now {
		v.turnTo(now)
	}
	v.skipTo(now)
	v.at = v.location()
	return v
}

// dueAtEnd is when the timetable has the bus at the last stop.
func (v *vehicle) dueAtEnd() fleet.Instant {
	return v.began + fleet.Seconds(int64(v.trip.Stops[len(v.trip.Stops)-1].Due))
}

// turnTo takes up the next trip of the duty.
func (v *vehicle) turnTo(now fleet.Instant) {
	v.turn++
	if v.turn == len(v.duty) {
		v.turn = 0
		v.day = v.day.AddDate(0, 0, 1)
	}
	v.trip = v.duty[v.turn]
	v.began = fleet.InstantOf(v.day.Add(-12 * time.Hour))
	v.leaves = v.began + fleet.Seconds(int64(v.trip.Stops[0].Leaves))
	if driving := v.at != (orb.Point{}); driving {
		v.leaves = max(v.leaves, now+fleet.Seconds(60)) // it may have come in late
	}
	v.reported = v.trip.ID
	if v.random.Float64() < replanChance {
		v.reported = fleet.FamilyOf(v.trip.ID) + ":9" + v.name[len(v.name)-2:]
	}
	v.place, v.next, v.halt, v.late = 0, 1, 0, 0
	v.traffic = 0.7 + 0.4*v.random.Float64()
	v.jam = v.stretchBy(jamChance, 150, 350)
	v.detour = v.stretchBy(detourChance, 900, 1800)
	v.aside = 200 + 300*v.random.Float64()
	if v.random.IntN(2) == 0 {
		v.aside = -v.aside
	}
}

// stretchBy is, by chance, a stretch of some length away from the ends of the trip.
func (v *vehicle) stretchBy(chance, shortest, longest float64) stretch {
	happens := v.random.Float64() < chance
	length := shortest + (longest-shortest)*v.random.Float64()
	from := detourNearest + v.random.Float64()*(v.trip.Shape.Length()-2*detourNearest-length)
	if !happens {
		return stretch{}
	}
	return stretch{from, from + length}
}

// skipTo sets a bus that should be under way to where the timetable has it.
func (v *vehicle) skipTo(now fleet.Instant) {
	due := now.Since(v.began)
	stops := v.trip.Stops
	for v.next < len(stops)-1 && float64(stops[v.next].Due) <= due {
		v.next++
	}
	if due < float64(stops[0].Leaves) {
		v.next = 1
		return
	}
	v.place = stops[v.next-1].Along + 1
	v.detour = stretch{}
}

// onTrip reports whether the bus says that it is on its trip.
func (v *vehicle) onTrip(now fleet.Instant) bool { return now >= v.leaves-fleet.Seconds(signOn) }

// step moves the bus to where it is a second later.
func (v *vehicle) step(now fleet.Instant) {
	before := v.at
	standing := now <= v.leaves || now <= v.halt
	if v.arrived() && !standing {
		v.closeExcursion()
		v.turnTo(now)
	} else if !standing {
		v.drive(now)
	}
	v.at = v.location()
	east, north := offset(before, v.at)
	v.speed = math.Hypot(east, north)
	v.odometer += v.speed
	if v.speed > 0.5 {
		v.bearing = math.Mod(math.Atan2(east, north)*180/math.Pi+360, 360)
	}
	v.watch(now)
}

// arrived reports whether the bus is at the end of its trip.
func (v *vehicle) arrived() bool { return v.place >= v.trip.Shape.Length() }

// drive goes on for a second, at most to the stop ahead.
func (v *vehicle) drive(now fleet.Instant) {
	pace := freeSpeed * v.traffic * (0.8 + 0.4*v.random.Float64())
	if v.jam.holds(v.place) {
		pace = 1.2
	}
	stop := v.trip.Stops[v.next]
	if v.place+pace < stop.Along {
		v.place += pace
		return
	}
	reached := now - fleet.Seconds(1) + fleet.Instant(1000*(stop.Along-v.place)/pace)
	v.place = stop.Along
	if v.truth != nil {
		v.truth.Arrivals = append(v.truth.Arrivals, Arrival{v.name, v.reported, v.serviceDay(), stop.Sequence, reached, reached.Since(v.began) - float64(stop.Due)})
	}
	v.late = reached.Since(v.began) - float64(stop.Due)
	due := v.began + fleet.Seconds(int64(stop.Leaves))
	v.halt = max(now+fleet.Seconds(8+v.random.Int64N(15)), due)
	if v.next < len(v.trip.Stops)-1 {
		v.next++
	}
}

func (v *vehicle) onDetour() bool { return v.detour.holds(v.place) }

// leaving reports whether a bus on a detour is still on the first third of it.
func (v *vehicle) leaving() bool { return v.place < v.detour.from+(v.detour.to-v.detour.from)/3 }

// metresAside is how far a bus on a detour is from its route, to either side.
func (v *vehicle) metresAside() float64 { return math.Abs(v.asideNow()) }

// asideNow is how far the bus is to the right of its route, in metres; negative to the left.
func (v *vehicle) asideNow() float64 {
	if !v.onDetour() {
		return 0
	}
	part := (v.place - v.detour.from) / (v.detour.to - v.detour.from)
	return v.aside * math.Pow(math.Sin(part*math.Pi), 2)
}

// location is where the bus is: on its route, or beside it on a detour.
func (v *vehicle) location() orb.Point { return beside(v.trip.Shape, v.place, v.asideNow()) }

// watch keeps the truth about excursions.
func (v *vehicle) watch(now fleet.Instant) {
	if v.truth == nil || v.excursion == 0 && !v.onDetour() {
		return
	}
	metres := distanceTo(v.trip.Shape, v.at)
	if metres <= offRoute {
		v.closeExcursion()
		return
	}
	if v.excursion == 0 {
		v.truth.Excursions = append(v.truth.Excursions, Excursion{
			Vehicle: v.name, Trip: v.reported, Day: v.serviceDay(), From: now, Open: true,
		})
		v.excursion = len(v.truth.Excursions)
	}
	e := &v.truth.Excursions[v.excursion-1]
	e.To, e.Max = now, max(e.Max, metres)
}

func (v *vehicle) closeExcursion() {
	if v.excursion > 0 {
		v.truth.Excursions[v.excursion-1].Open = false
		v.excursion = 0
	}
}

func (v *vehicle) serviceDay() string { return v.day.Format("20060102") }
