package simulation

import (
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Plan is what a freight company plans: its routes, what its customers are promised, and who drives. Package freight makes trips of the
// files that Write writes.
type Plan struct {
	Zone       *time.Location // of the times in files
	Routes     []Route        // sorted by id
	Depots     []Depot
	Deliveries []fleet.Delivery // in the order of days, routes and orders; the id of a trip is the route, an @ and the day
	Drives     []Drive          // likewise
}

// Route is a round trip from a depot, by the same vehicle on each day.
type Route struct {
	ID   string
	Line fleet.Shape
}

// Drive says who drives a vehicle on a route, from one moment up to another.
type Drive struct {
	Driver, Vehicle, Route string
	From, To               fleet.Instant // To is exclusive
}

// Depot is where trips begin and end.
type Depot struct {
	ID, Name string
	Point    orb.Point // longitude and latitude
}

// How trips are planned.
const (
	tourSpeed    = 7.5      // m/s between deliveries
	tourDwell    = 300      // seconds at a delivery
	firstLoading = 25       // minutes in which the vehicles of a depot leave
	afternoon    = 4 * 3600 // seconds after the start of work
	waySpacing   = 400.0    // metres between the points that a line goes through
)

// round is a route and the customers along it.
type round struct {
	Route
	depot     Depot
	customers []customer
	opening   *incident // what the vehicle shows at the start of the first day; nil for most
}

// customer is one who gets a delivery each day.
type customer struct {
	name  string
	door  orb.Point
	along float64 // metres along the line of the route
}

// newRound lays out the morning's or the afternoon's route of a vehicle.
func newRound(random *rand.Rand, depots []Depot, vehicle, shift int) *round {
	r := &round{Route: Route{ID: fmt.Sprintf("R%03d%c", vehicle+1, 'A'+rune(shift))}, depot: depots[vehicle%len(depots)]}
	if shift == 0 && vehicle < len(incidents) {
		r.opening = &incidents[vehicle]
	}
	through, customers := loop(random, r.depot.Point, r.opening)
	line, places := curveThrough(through)
	r.Line = line
	for _, c := range customers {
		door := beside(line, places[c], (5+15*random.Float64())*side(random))
		r.customers = append(r.customers, customer{
			name: fmt.Sprintf("Cliente %d", 1+random.IntN(900)), door: orb.Point{degrees(door.Lon()), degrees(door.Lat())}, along: places[c],
		})
	}
	return r
}

// tour is what a vehicle is to drive in one shift of a day, and who drives it.
type tour struct {
	*round
	id, day    string
	work       fleet.Instant // when work begins on the day
	leaves     fleet.Instant // the depot, as planned
	deliveries []fleet.Delivery
	drives     []Drive
	opening    *incident // nil on later days
}

// newTour plans a day of a route.
func newTour(random *rand.Rand, r *round, vehicle, shift int, work fleet.Instant, zone *time.Location, opens bool) *tour {
	day := work.Time().In(zone).Format("20060102")
	t := &tour{round: r, id: r.ID + "@" + day, day: day, work: work}
	if opens {
		t.opening = r.opening
	}
	t.leaves = work + fleet.Seconds(t.departs(random, shift))
	for i, c := range r.customers {
		due := t.due(i)
		d := fleet.Delivery{
			ID: fmt.Sprintf("E%s-%s-%02d", day[4:], r.ID[1:], i+1), Customer: c.name, Trip: t.id, Day: day, Order: i + 1,
			Lat: c.door.Lat(), Lon: c.door.Lon(),
		}
		d.From, d.To = promise(random, due)
		if i == 0 && t.opening != nil && t.opening.early > 0 { // it is late at once
			d.From, d.To = due-fleet.Seconds(1800), t.leaves+fleet.Seconds(120)
		}
		t.deliveries = append(t.deliveries, d)
	}
	t.assign(vehicle, shift)
	return t
}

// due is when the vehicle is planned to be at a customer.
func (t *tour) due(i int) fleet.Instant {
	return t.leaves + fleet.Seconds(minutes(t.customers[i].along/tourSpeed)+int64(i)*tourDwell)
}

// departs is when the vehicle is to leave, in seconds after the start of work. At the beginning of the first day one is late
// already, and others leave at once, so that there is something to see.
func (t *tour) departs(random *rand.Rand, shift int) int64 {
	if t.opening != nil {
		return -t.opening.early
	}
	at := 60 * (1 + random.Int64N(firstLoading))
	if shift == 1 {
		at += afternoon
	}
	return at
}

// promise is the window that a customer is promised, around the time at which the vehicle is due.
func promise(random *rand.Rand, due fleet.Instant) (from, to fleet.Instant) {
	width := []int64{15, 30, 30, 60, 60, 120}[random.IntN(6)] * 60
	before := int64(float64(width) * (0.3 + 0.4*random.Float64()))
	const steps = 300 * 1000
	from = (due - fleet.Seconds(before)) / steps * steps
	return from, from + fleet.Seconds(width)
}

// assign says who drives. A third of the drivers drive all day; one vehicle in ten changes drivers in the middle of a trip.
func (t *tour) assign(vehicle, shift int) {
	driver := 2 * vehicle
	if vehicle%3 != 0 {
		driver += shift
	}
	from, to := t.work-fleet.Seconds(1800), t.work+fleet.Seconds(afternoon-600)
	if shift == 1 {
		from, to = to, t.work+fleet.Seconds(int64(workDay.Seconds()))
	}
	drive := Drive{Driver: driverName(driver), Vehicle: vehicleName(vehicle), Route: t.ID, From: from, To: to}
	if vehicle%10 != 7 {
		t.drives = []Drive{drive}
		return
	}
	second := drive
	drive.To = t.due(len(t.customers) / 2)
	second.From, second.Driver = drive.To, driverName(driver+1000)
	t.drives = []Drive{drive, second}
}

// driverAt is who is to drive at a moment.
func (t *tour) driverAt(moment fleet.Instant) string {
	for _, d := range t.drives[1:] {
		if moment >= d.From {
			return d.Driver
		}
	}
	return t.drives[0].Driver
}

func driverName(i int) string { return fmt.Sprintf("motorista-%03d", i+1) }

// add takes in the tour of a vehicle.
func (p *Plan) add(t *tour) {
	p.Deliveries = append(p.Deliveries, t.deliveries...)
	p.Drives = append(p.Drives, t.drives...)
}

// minutes is a number of seconds, rounded up to whole minutes.
func minutes(seconds float64) int64 { return int64(math.Ceil(seconds/60)) * 60 }

func degrees(x float64) float64 { return rounded(x, 1e6) }

func side(random *rand.Rand) float64 {
	if random.IntN(2) == 0 {
		return -1
	}
	return 1
}
