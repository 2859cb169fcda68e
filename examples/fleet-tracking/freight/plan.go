package freight

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

const (
	longDrive = 24 * time.Hour // a longer drive has a trip on each day with deliveries, not one for all
	waitsFor  = 4 * time.Hour  // how long after its promised window a delivery may still come
)

// planner makes a plan of the rows of the files.
type planner struct {
	*mistakes
	files      Files
	routes     *routes // nil: no file
	deliveries []delivery
	drives     []drive
	rounds     map[roundKey]*round
	sorted     []*round // by id
}

// roundKey names a round. Vehicle is given if the deliveries of the route name several, and for a round without a route.
type roundKey struct {
	route, vehicle string
	day            string // YYYYMMDD
}

// round is what becomes a trip.
type round struct {
	roundKey
	place
	vehicle    string // that the deliveries name
	zone       string
	deliveries []delivery
	assigned   map[string]bool // vehicles
}

// id is the id of the trip.
func (r *round) id() string {
	switch {
	case r.route == "":
		return r.roundKey.vehicle + "@" + r.day
	case r.roundKey.vehicle != "":
		return r.route + "@" + r.day + "/" + r.roundKey.vehicle
	}
	return r.route + "@" + r.day
}

// last is the end of the last promised window.
func (r *round) last() time.Time {
	var last time.Time
	for _, d := range r.deliveries {
		if d.to.After(last) {
			last = d.to
		}
	}
	return last
}

func (p *planner) plan() Plan {
	p.rounds = map[roundKey]*round{}
	p.checkRoutes()
	p.share()
	for _, d := range p.drives {
		if d.route != "" && d.to.Sub(d.from) <= longDrive {
			p.roundOf(d.place, d.route, d.vehicle, d.from)
		}
	}
	p.sorted = slices.SortedFunc(maps.Values(p.rounds), func(a, b *round) int {
		return cmp.Or(cmp.Compare(a.id(), b.id()), cmp.Compare(a.route, b.route))
	})
	plan := Plan{Assignments: p.assign()}
	ids := map[string]*round{}
	for _, r := range p.sorted {
		if other := ids[r.id()]; other != nil {
			p.at(r.place, "%q is both a route and a vehicle", cmp.Or(r.route, r.roundKey.vehicle))
		}
		ids[r.id()] = r
		trip, deliveries := p.trip(r)
		plan.Trips = append(plan.Trips, Trip{trip, r.day})
		plan.Deliveries = append(plan.Deliveries, deliveries...)
		if len(r.assigned) == 0 {
			plan.Idle = append(plan.Idle, r.id())
		}
	}
	return plan
}

// checkRoutes tells of routes that the file of routes lacks.
func (p *planner) checkRoutes() {
	if p.routes == nil {
		return
	}
	check := func(at place, id string) {
		if _, ok := p.routes.lines[id]; id != "" && !ok {
			p.at(at, "route %q is not in %s", id, p.files.Routes)
		}
	}
	for _, d := range p.deliveries {
		check(d.place, d.route)
	}
	for _, d := range p.drives {
		check(d.place, d.route)
	}
	for _, s := range p.routes.sites {
		check(s.place, s.route)
	}
}

// share gives each delivery to its round.
func (p *planner) share() {
	type routeDay struct{ route, day string }
	named := map[routeDay]map[string]bool{}      // vehicles that deliveries name
	homes := make([]roundKey, len(p.deliveries)) // the vehicle is not yet settled
	zones := make([]string, len(p.deliveries))
	for i, d := range p.deliveries {
		begin := d.from
		home := roundKey{route: d.route, vehicle: d.vehicle}
		if drive, ok := p.driveOf(d); ok {
			home.route = cmp.Or(d.route, drive.route)
			if drive.to.Sub(drive.from) <= longDrive {
				begin = drive.from
			}
		}
		home.day, zones[i] = p.dayOf(d.place, begin)
		homes[i] = home
		key := routeDay{home.route, home.day}
		if home.route != "" && d.vehicle != "" {
			if named[key] == nil {
				named[key] = map[string]bool{}
			}
			named[key][d.vehicle] = true
		}
	}
	for i, d := range p.deliveries {
		key, vehicles := homes[i], named[routeDay{homes[i].route, homes[i].day}]
		vehicle := d.vehicle
		switch {
		case key.route == "":
		case len(vehicles) > 1:
			if vehicle == "" {
				p.at(d.place, "route %q has several vehicles on %s: name that of the delivery", key.route, key.day)
			}
		default:
			key.vehicle = ""
			for only := range vehicles {
				vehicle = only
			}
		}
		r := p.round(d.place, key, zones[i])
		r.vehicle = vehicle
		r.deliveries = append(r.deliveries, d)
	}
}

// driveOf finds the drive that a delivery belongs to: one that meets its promised window, best at the window's beginning; of several, the
// one that begins last.
func (p *planner) driveOf(d delivery) (drive, bool) {
	var best drive
	found, bestAtStart := false, false
	for _, one := range p.drives {
		sameVehicle := one.vehicle == d.vehicle
		fits := d.route != "" && one.route == d.route && (d.vehicle == "" || sameVehicle) ||
			sameVehicle && (d.route == "" || one.route == "")
		if !fits || !one.meets(d.from, d.to) {
			continue
		}
		atStart := one.meets(d.from, d.from)
		if !found || atStart && !bestAtStart || atStart == bestAtStart && one.from.After(best.from) {
			best, found, bestAtStart = one, true, atStart
		}
	}
	return best, found
}

// roundOf returns the round that a vehicle drives on a route.
func (p *planner) roundOf(at place, route, vehicle string, begin time.Time) *round {
	day, zone := p.dayOf(at, begin)
	for key := range p.rounds {
		if key.route == route && key.day == day && key.vehicle != "" {
			return p.round(at, roundKey{route, vehicle, day}, zone) // each vehicle has its own
		}
	}
	return p.round(at, roundKey{route: route, day: day}, zone)
}

// round returns a round, a new one if there is none of that key.
func (p *planner) round(at place, key roundKey, zone string) *round {
	r := p.rounds[key]
	if r == nil {
		r = &round{roundKey: key, place: at, zone: zone, vehicle: key.vehicle, assigned: map[string]bool{}}
		p.rounds[key] = r
	}
	return r
}

// dayOf is the service day that begins a round at a moment, and the time zone of the day.
func (p *planner) dayOf(at place, begin time.Time) (day, zone string) {
	in := p.files.Zone
	if in == nil {
		in = begin.Location()
	}
	if name := in.String(); name == "" || name == "Local" || name == "UTC" {
		_, offset := begin.Zone()
		in, zone = time.FixedZone("", offset), "UTC"
		switch {
		case p.files.Zone != nil:
			in = p.files.Zone
		case offset%3600 != 0 || offset < -12*3600 || offset > 14*3600:
			p.at(at, "the offset of %s is no whole number of hours: give a time zone for all", begin.Format(time.RFC3339))
		case offset != 0:
			zone = fmt.Sprintf("Etc/GMT%+d", -offset/3600) // POSIX: west of Greenwich is positive
		}
	} else {
		zone = name
	}
	return begin.In(in).Format("20060102"), zone
}

// assignments are those of a vehicle while they are gathered.
type assignments map[string][]fleet.Assignment

func (a assignments) add(vehicle, driver string, r *round, from, to time.Time) {
	one := fleet.Assignment{Driver: driver, From: fleet.InstantOf(from), To: fleet.InstantOf(to)}
	if r != nil {
		one.Trip, one.Day = r.id(), r.day
		r.assigned[vehicle] = true
	}
	a[vehicle] = append(a[vehicle], one)
}

// assign says what each vehicle drives when.
func (p *planner) assign() map[string]fleet.Assignments {
	all := assignments{}
	for _, d := range p.drives {
		p.assignDrive(all, d)
	}
	type vehicleDay struct{ vehicle, day string }
	busy := map[vehicleDay]*round{}
	for _, r := range p.sorted {
		key := vehicleDay{r.vehicle, r.day}
		switch other := busy[key]; {
		case r.vehicle == "" || r.assigned[r.vehicle]:
		case other != nil:
			p.at(r.place, "%q has deliveries of %s and %s: say in a file of drivers when it drives which", r.vehicle, other.id(), r.id())
		default:
			from, to := r.span()
			all.add(r.vehicle, "", r, from, to)
		}
		busy[key] = r
	}
	ends := map[string]time.Time{}
	for _, r := range p.rounds {
		if last := r.last(); !last.IsZero() {
			ends[r.id()] = last.Add(waitsFor)
		}
	}
	result := map[string]fleet.Assignments{}
	for vehicle, drives := range all {
		slices.SortStableFunc(drives, func(a, b fleet.Assignment) int { return cmp.Compare(a.From, b.From) })
		for i := range drives {
			prolong(drives, i, ends[drives[i].Trip])
		}
		result[vehicle] = fleet.Assignments{Drives: drives}
	}
	return result
}

// prolong lets an assignment last until a moment, or until the next begins.
func prolong(drives []fleet.Assignment, i int, until time.Time) {
	if until.IsZero() {
		return
	}
	end := fleet.InstantOf(until)
	for _, next := range drives {
		if next.From >= drives[i].To {
			end = min(end, next.From)
		}
	}
	drives[i].To = max(drives[i].To, end)
}

// assignDrive assigns the driver and, where it is known, the trip.
func (p *planner) assignDrive(all assignments, d drive) {
	long := d.to.Sub(d.from) > longDrive
	if d.route != "" && !long {
		all.add(d.vehicle, d.driver, p.roundOf(d.place, d.route, d.vehicle, d.from), d.from, d.to)
		return
	}
	var fitting []*round
	for _, r := range p.sorted {
		mine := d.route == "" && r.vehicle == d.vehicle ||
			d.route != "" && d.route == r.route && (r.roundKey.vehicle == "" || r.roundKey.vehicle == d.vehicle)
		if mine && slices.ContainsFunc(r.deliveries, func(one delivery) bool { return d.meets(one.from, one.to) }) {
			fitting = append(fitting, r)
		}
	}
	switch {
	case long:
		all.add(d.vehicle, d.driver, nil, d.from, d.to)
		for _, r := range fitting {
			from, to := r.span()
			if from.Before(d.from) {
				from = d.from
			}
			if to.After(d.to) {
				to = d.to
			}
			all.add(d.vehicle, d.driver, r, from, to)
		}
	case len(fitting) > 1:
		for _, r := range fitting {
			r.assigned[d.vehicle] = true
		}
		p.at(d.place, "%q has deliveries of %s and %s in this time: name the route of each drive", d.vehicle, fitting[0].id(), fitting[1].id())
	case len(fitting) == 1:
		all.add(d.vehicle, d.driver, fitting[0], d.from, d.to)
	default:
		all.add(d.vehicle, d.driver, nil, d.from, d.to)
	}
}

// span is the service day of the round, from midnight to midnight.
func (r *round) span() (from, to time.Time) {
	zone, err := time.LoadLocation(r.zone)
	if err != nil {
		zone = time.UTC
	}
	from, _ = time.ParseInLocation("20060102", r.day, zone)
	return from, from.AddDate(0, 0, 1)
}
