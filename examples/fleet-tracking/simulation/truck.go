package simulation

import (
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// How trucks drive.
const (
	speedUp      = 1.0      // m/s²
	slowDown     = 1.0      // m/s²
	brakeHard    = 4.0      // m/s²
	hardFrom     = 10.0     // m/s: slower, nobody brakes hard
	steadySpeed  = 11.0     // m/s on a free street
	hurriedSpeed = 20.0     // m/s on a free street of a driver who drives too fast
	jamSpeed     = 2.5      // m/s
	tooFast      = 65 / 3.6 // m/s: a limit of 60 km/h, and a tolerance
	harsh        = 2.5      // m/s²
	warmUp       = 60       // seconds before departure at which the engine starts
	turnaround   = 900      // seconds at the depot between two trips
	corridor     = 250.0    // metres from the line
	depotArea    = 200.0    // metres around a depot within which no vehicle is on a detour
)

// truck is a delivery vehicle. It moves in steps of one second.
type truck struct {
	name   string
	random *rand.Rand
	truth  *FreightTruth
	note   func(Message) // carries what the driver notes
	box    box
	habits map[string]habits // by driver

	tours  []*tour
	turn   int
	doing  errand        // what happens on tours[turn]
	place  float64       // metres along doing.path
	halt   fleet.Instant // it stands until then
	idles  bool          // with the engine on
	parked bool          // at the depot, before its trip
	braked bool          // hard, in the second before

	at      orb.Point
	speed   float64 // m/s over ground
	outside int     // 1 + index in truth.Detours, while outside the corridor
	calling int     // 1 + index in truth.Calls, while at a customer
}

func newTruck(index int, random *rand.Rand, tours []*tour, truth *FreightTruth, note func(Message)) *truck {
	t := &truck{
		name: vehicleName(index), random: random, truth: truth, note: note, box: newBox(index, random),
		tours: tours, habits: map[string]habits{},
	}
	for _, tour := range tours {
		for _, drive := range tour.drives {
			if _, known := t.habits[drive.Driver]; !known {
				t.habits[drive.Driver] = newHabits(random)
			}
		}
	}
	return t
}

func (t *truck) tour() *tour { return t.tours[t.turn] }

// driven is what the truth knows of who drives now.
func (t *truck) driven(now fleet.Instant) *DriverTruth {
	return t.truth.driver(t.tour().driverAt(now), t.tour().day)
}

// turnTo takes up a trip.
func (t *truck) turnTo(turn int) {
	t.turn, t.place, t.parked = turn, 0, true
	t.doing = newErrand(t)
	t.truth.promise(t.tour(), t.name, t.box.wrongClock())
	t.at = t.location()
}

// step moves the truck to where it is a second later.
func (t *truck) step(now fleet.Instant) {
	before := t.at
	switch {
	case t.home():
		if t.turn+1 < len(t.tours) && now > t.halt+fleet.Seconds(turnaround) {
			t.turnTo(t.turn + 1)
			before = t.at
		}
	case t.parked && now <= t.doing.leaves:
	case now <= t.halt:
	default:
		t.parked = false
		t.leave(now - fleet.Seconds(1))
		t.drive(now)
		t.at = t.location()
	}
	east, north := offset(before, t.at)
	last := t.speed
	t.speed = math.Hypot(east, north)
	t.watch(now, last)
}

// home reports whether the truck is back from its trip.
func (t *truck) home() bool { return t.place >= t.doing.end }

// onDuty reports whether the truck is on its trip, or about to leave.
func (t *truck) onDuty(now fleet.Instant) bool {
	return !t.home() && now >= t.doing.leaves-fleet.Seconds(warmUp)
}

// drive goes on for a second, at most to where the truck halts next.
func (t *truck) drive(now fleet.Instant) {
	goal := t.doing.halts[0]
	ahead := goal.at - t.place
	way := t.pace(ahead, now) / t.stretch()
	if way < ahead {
		t.place += way
		return
	}
	reached := now - fleet.Seconds(1) + fleet.Instant(1000*max(0, ahead)/way)
	t.place = max(t.place, goal.at)
	t.doing.halts = t.doing.halts[1:]
	t.halt, t.idles = now+fleet.Seconds(goal.seconds), goal.idles
	if goal.call != nil {
		t.arrive(goal.call, reached)
	}
}

// pace is the speed over ground of this second, m/s.
func (t *truck) pace(ahead float64, now fleet.Instant) float64 {
	driver := t.habits[t.tour().driverAt(now)]
	if t.braked = t.brakes(driver.hard, now); t.braked {
		return max(2, t.speed-brakeHard)
	}
	free := t.doing.free(t.place, driver.hurried)
	pace := max(min(t.speed+speedUp, free), t.speed-slowDown)
	return max(1, min(pace, math.Sqrt(2*slowDown*max(0, ahead))))
}

// brakes reports whether the driver brakes hard in this second.
func (t *truck) brakes(hard bool, now fleet.Instant) bool {
	if t.braked {
		return t.speed > 2+brakeHard/2
	}
	for len(t.doing.scares) > 0 && t.doing.scares[0] <= t.place {
		t.doing.scares = t.doing.scares[1:]
		if hard && t.speed >= hardFrom {
			t.driven(now).HardBrakes++
			return true
		}
	}
	return false
}

// stretch is how many metres over ground a metre along the path is: beside the path the way is longer.
func (t *truck) stretch() float64 {
	const step = 5
	from, to := t.aside(t.place), t.aside(t.place+step)
	if from == 0 && to == 0 {
		return 1
	}
	return max(0.2, fleet.Haversine(beside(t.doing.path, t.place, from), beside(t.doing.path, t.place+step, to))/step)
}

// aside is how far the truck is to the right of its path at a place, in metres; negative to the left.
func (t *truck) aside(place float64) float64 {
	for _, d := range t.doing.detours {
		if d.holds(place) {
			part := (place - d.from) / (d.to - d.from)
			return d.aside * math.Pow(math.Sin(part*math.Pi), 2)
		}
	}
	return 0
}

func (t *truck) location() orb.Point { return beside(t.doing.path, t.place, t.aside(t.place)) }

// arrive notes that the truck is at a customer.
func (t *truck) arrive(call *call, reached fleet.Instant) {
	i := t.truth.calls[call.delivery.ID]
	t.calling = i + 1
	c := &t.truth.Calls[i]
	c.Driver, c.Arrived, c.Outcome, c.Reason = t.tour().driverAt(reached), reached, call.outcome, call.reason
	driver := t.driven(reached)
	driver.Calls++
	if c.Off() == 0 {
		driver.InTime++
	}
}

// leave ends the stay at a customer. Of some deliveries the driver makes a record.
func (t *truck) leave(now fleet.Instant) {
	if t.calling == 0 {
		return
	}
	c := &t.truth.Calls[t.calling-1]
	t.calling = 0
	c.Left = now
	failed := c.Outcome == Failed
	if failed {
		t.driven(now).Failed++
	}
	if c.Noted = failed || c.Outcome == Delivered && t.habits[c.Driver].notes; !c.Noted {
		return
	}
	arrival := now + fleet.Seconds(1)
	if t.random.Float64() < lateNote {
		arrival += fleet.Seconds(60 + t.random.Int64N(600))
	}
	t.note(Message{Arrival: arrival, Record: &fleet.DeliveryRecord{
		ID: c.Delivery, Driver: c.Driver, Failed: failed, Reason: c.Reason, Instant: now,
	}})
}

// watch keeps the truth about the driver and about detours. last is the speed of the second before.
func (t *truck) watch(now fleet.Instant, last float64) {
	if t.onDuty(now) {
		t.watchDriver(now, last)
	}
	off := t.offLine()
	if off <= corridor {
		if t.outside > 0 {
			t.truth.Detours[t.outside-1].Open = false
		}
		t.outside = 0
		return
	}
	if t.outside == 0 {
		t.truth.Detours = append(t.truth.Detours, Detour{
			Vehicle: t.name, Trip: t.tour().id, Day: t.tour().day, From: now, Open: true,
		})
		t.outside = len(t.truth.Detours)
	}
	d := &t.truth.Detours[t.outside-1]
	d.To, d.Max = now, max(d.Max, off)
}

// offLine is how far the truck is from its line, in metres; 0 while it is surely inside the corridor, or at a depot.
func (t *truck) offLine() float64 {
	beside := math.Abs(t.aside(t.place)) > corridor
	if !beside && t.place <= t.doing.cut || fleet.Haversine(t.tour().depot.Point, t.at) <= depotArea {
		return 0
	}
	return distanceTo(t.tour().Line, t.at)
}

func (t *truck) watchDriver(now fleet.Instant, last float64) {
	driver := t.driven(now)
	driver.Every, driver.Unseen = float64(t.box.every), t.box.wrongClock()
	driver.Until = now
	driver.Metres += t.speed
	switch {
	case t.speed > 0:
		driver.Moving++
		if last == 0 {
			driver.Starts++
		}
	case t.engineOn(now):
		driver.Idle++
	}
	if t.speed > tooFast {
		driver.Over++
		if last <= tooFast {
			driver.OverEpisodes++
		}
	}
	if last-t.speed >= harsh {
		driver.HardSeconds++
	}
	if t.box.silent(now) {
		driver.Silent++
	}
}

// engineOn reports whether the engine runs: from a minute before the trip to its end, except while the driver turns it off at a customer.
func (t *truck) engineOn(now fleet.Instant) bool {
	return t.onDuty(now) && (t.calling == 0 || t.idles || t.speed > 0)
}
