package simulation

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Plan is what a freight company plans: where its vehicles drive, what its customers are promised, and who drives.
type Plan struct {
	Trips       []*fleet.Trip                // one for each vehicle, shift and day: depot, deliveries in order, depot
	Deliveries  []fleet.Delivery             // in the order of trips
	Assignments map[string]fleet.Assignments // by vehicle
	Depots      []Depot
}

// Depot is where trips begin and end.
type Depot struct {
	ID, Name string
	Point    orb.Point // longitude and latitude
}

// Depots of the simulated company.
var depots = []Depot{
	{"deposito-1", "Depósito Distrito Industrial", orb.Point{-37.0880, -10.9420}},
	{"deposito-2", "Depósito Aeroporto", orb.Point{-37.0720, -10.9830}},
}

// How trips are planned.
const (
	tourSpeed    = 7.5      // m/s between deliveries
	tourDwell    = 300      // seconds at a delivery
	firstLoading = 25       // minutes in which the vehicles of a depot leave
	afternoon    = 4 * 3600 // seconds after the start of work
	waySpacing   = 400.0    // metres between the points that a line goes through
)

// tour is a planned trip of one vehicle, and who drives it.
type tour struct {
	trip       *fleet.Trip
	day        string
	began      fleet.Instant // start of the service day
	morning    fleet.Instant // start of work on it
	deliveries []fleet.Delivery
	drives     []fleet.Assignment
	opening    *incident // what it shows at the start of the first day; nil for most
}

func (t *tour) departure() fleet.Instant { return t.at(t.trip.Stops[0].Leaves) }

func (t *tour) at(second int) fleet.Instant { return t.began + fleet.Seconds(int64(second)) }

// newTour plans the morning or the afternoon of a vehicle: from its depot round a loop of customers and back.
func newTour(random *rand.Rand, vehicle, shift int, morning fleet.Instant, opens bool) *tour {
	zone := aracaju()
	local := morning.Time().In(zone)
	t := &tour{
		day:     local.Format("20060102"),
		began:   fleet.InstantOf(time.Date(local.Year(), local.Month(), local.Day(), 12, 0, 0, 0, zone).Add(-12 * time.Hour)),
		morning: morning,
	}
	if opens && vehicle < len(incidents) {
		t.opening = &incidents[vehicle]
	}
	route := fmt.Sprintf("R%03d%c", vehicle+1, 'A'+rune(shift))
	t.trip = &fleet.Trip{ID: t.day + "-" + route, Route: route, Zone: Zone}
	t.call(random, depots[vehicle%len(depots)], int(morning.Since(t.began))+t.departs(random, shift))
	t.assign(vehicle, shift)
	return t
}

// call plans the stops of the trip: the depot, which the vehicle leaves at a second of the day, the customers, the depot again.
func (t *tour) call(random *rand.Rand, depot Depot, leaves int) {
	through, customers := loop(random, depot.Point, t.opening)
	shape, places := curveThrough(through)
	t.trip.Shape = shape
	stop := fleet.Stop{
		Sequence: 1, ID: depot.ID, Name: depot.Name, Lat: degrees(depot.Point.Lat()), Lon: degrees(depot.Point.Lon()),
		Due: leaves, Leaves: leaves,
	}
	t.trip.Stops = append(t.trip.Stops, stop)
	for i, c := range customers {
		along := places[c]
		due := leaves + minutes(along/tourSpeed) + i*tourDwell
		door := beside(shape, along, (5+15*random.Float64())*side(random))
		d := fleet.Delivery{
			ID:       fmt.Sprintf("E%s-%s-%02d", t.day[4:], t.trip.Route[1:], i+1),
			Customer: fmt.Sprintf("Cliente %d", 1+random.IntN(900)),
			Trip:     t.trip.ID, Day: t.day, Order: i + 1,
			Lat: degrees(door.Lat()), Lon: degrees(door.Lon()),
		}
		d.From, d.To = t.promise(random, due)
		if i == 0 && t.opening != nil && t.opening.early > 0 { // it is late at once
			d.From, d.To = t.at(leaves-1800), t.at(leaves+120)
		}
		t.deliveries = append(t.deliveries, d)
		t.trip.Stops = append(t.trip.Stops, fleet.Stop{
			Sequence: i + 2, ID: d.ID, Name: d.Customer, Lat: d.Lat, Lon: d.Lon, Along: along, Due: due, Leaves: due + tourDwell,
		})
	}
	back := leaves + minutes(shape.Length()/tourSpeed) + len(customers)*tourDwell
	stop.Sequence, stop.Along, stop.Due, stop.Leaves = len(customers)+2, shape.Length(), back, back
	t.trip.Stops = append(t.trip.Stops, stop)
}

// departs is when the vehicle is to leave, in seconds after the start of work. At the beginning of the first day one is late
// already, and others leave at once, so that there is something to see.
func (t *tour) departs(random *rand.Rand, shift int) int {
	if t.opening != nil {
		return -t.opening.early
	}
	at := 60 * (1 + random.IntN(firstLoading))
	if shift == 1 {
		at += afternoon
	}
	return at
}

// promise is the window that a customer is promised, around the time at which the vehicle is due.
func (t *tour) promise(random *rand.Rand, due int) (from, to fleet.Instant) {
	width := []int{15, 30, 30, 60, 60, 120}[random.IntN(6)] * 60
	before := int(float64(width) * (0.3 + 0.4*random.Float64()))
	first := (due - before) / 300 * 300
	return t.at(first), t.at(first + width)
}

// assign says who drives. A third of the drivers drive all day; one vehicle in ten changes drivers in the middle of a trip.
func (t *tour) assign(vehicle, shift int) {
	driver := 2 * vehicle
	if vehicle%3 != 0 {
		driver += shift
	}
	from, to := t.morning-fleet.Seconds(1800), t.morning+fleet.Seconds(afternoon-600)
	if shift == 1 {
		from, to = to, t.morning+fleet.Seconds(int64(workDay.Seconds()))
	}
	drive := fleet.Assignment{Trip: t.trip.ID, Day: t.day, Driver: driverName(driver), From: from, To: to}
	if vehicle%10 == 7 {
		middle := t.trip.Stops[len(t.trip.Stops)/2]
		second := drive
		drive.To = t.at(middle.Due)
		second.From, second.Driver = drive.To, driverName(driver+1000)
		t.drives = []fleet.Assignment{drive, second}
		return
	}
	t.drives = []fleet.Assignment{drive}
}

func driverName(i int) string { return fmt.Sprintf("motorista-%03d", i+1) }

// add takes in the tours of a vehicle.
func (p *Plan) add(vehicle string, tours []*tour) {
	p.Depots = depots
	var drives []fleet.Assignment
	for _, t := range tours {
		p.Trips = append(p.Trips, t.trip)
		p.Deliveries = append(p.Deliveries, t.deliveries...)
		drives = append(drives, t.drives...)
	}
	slices.SortFunc(drives, func(a, b fleet.Assignment) int { return cmp.Compare(a.From, b.From) })
	p.Assignments[vehicle] = fleet.Assignments{Drives: drives}
}

func aracaju() *time.Location {
	zone, err := time.LoadLocation(Zone)
	if err != nil {
		panic(err) // package fleet embeds the time zones
	}
	return zone
}

// minutes is a number of seconds, rounded up to whole minutes.
func minutes(seconds float64) int { return int(math.Ceil(seconds/60)) * 60 }

func degrees(x float64) float64 { return rounded(x, 1e6) }

func side(random *rand.Rand) float64 {
	if random.IntN(2) == 0 {
		return -1
	}
	return 1
}
