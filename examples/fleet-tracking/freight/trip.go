package freight

import (
	"cmp"
	"slices"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

const (
	corridor   = 250.0     // metres from the line within which a freight vehicle is on its route
	yardRadius = 200.0     // metres around a depot that count as being there
	stopRadius = 50.0      // metres around a customer, likewise
	farAway    = 100_000.0 // metres from the line at which a delivery cannot be
)

// trip makes the trip of a round: the depot and the deliveries in order, along the line of the route.
func (p *planner) trip(r *round) (*fleet.Trip, []fleet.Delivery) {
	p.sort(r)
	trip := &fleet.Trip{ID: r.id(), Route: r.route, Zone: r.zone, Untimed: true, Corridor: cmp.Or(p.files.Corridor, corridor)}
	if p.routes != nil {
		if line, ok := p.routes.lines[r.route]; ok {
			trip.Shape, trip.Corridor = line.shape, cmp.Or(line.corridor, trip.Corridor)
		}
	}
	if depot, ok := p.depot(r.route, trip.Shape); ok {
		trip.Stops = append(trip.Stops, fleet.Stop{
			ID: cmp.Or(depot.name, "depot"), Name: depot.name, Lat: depot.point.Lat(), Lon: depot.point.Lon(),
			Radius: cmp.Or(depot.radius, yardRadius),
		})
	}
	var deliveries []fleet.Delivery
	for i, d := range r.deliveries {
		value := d.value(trip.ID, r.day, i+1)
		promise := value.Promise()
		deliveries = append(deliveries, value)
		trip.Stops = append(trip.Stops, fleet.Stop{
			Sequence: value.Order, ID: value.ID, Name: value.Customer, Lat: value.Lat, Lon: value.Lon,
			Radius: value.Radius, Promise: &promise,
		})
		if off, ok := trip.Shape.Deviation(d.point); ok && off > farAway {
			p.at(d.place, "%v, %v is %.0f km from route %q: are latitude and longitude swapped?", value.Lat, value.Lon, off/1000, r.route)
		}
	}
	layOut(trip)
	if p.routes != nil {
		for _, s := range p.routes.sites {
			if s.route == "" || s.route == r.route {
				trip.Yards = append(trip.Yards, s.point)
			}
		}
	}
	return trip, deliveries
}

// sort puts the deliveries of a round in order.
func (p *planner) sort(r *round) {
	for _, d := range r.deliveries {
		for _, other := range r.deliveries {
			if d.ordered && other.line < d.line && other.ordered && other.order == d.order {
				p.at(d.place, "order %d of %s is that of line %d, too", d.order, r.id(), other.line)
			}
		}
		if first := r.deliveries[0]; d.ordered != first.ordered {
			p.at(d.place, "order: of the deliveries of %s, all or none must have one (see line %d)", r.id(), first.line)
		}
	}
	slices.SortStableFunc(r.deliveries, func(a, b delivery) int {
		if a.ordered {
			return cmp.Compare(a.order, b.order)
		}
		return cmp.Or(a.from.Compare(b.from), a.to.Compare(b.to))
	})
}

// depot is where the trips of a route begin: the depot that names the route, else one where its line begins. Without a line it is the only
// one there is.
func (p *planner) depot(route string, line fleet.Shape) (site, bool) {
	if p.routes == nil {
		return site{}, false
	}
	var common []site
	for _, s := range p.routes.sites {
		switch {
		case !s.depot:
		case s.route == "" && len(line) == 0:
			common = append(common, s)
		case s.route == "":
			if fleet.Haversine(s.point, line[0].Point()) <= cmp.Or(s.radius, yardRadius) {
				common = append(common, s)
			}
		case s.route == route:
			return s, true
		}
	}
	if len(common) == 0 || len(line) == 0 && len(common) > 1 {
		return site{}, false
	}
	return common[0], true
}

// layOut sets the stops down along the line or, without one, along straight lines from each to the next.
func layOut(trip *fleet.Trip) {
	points := make([]orb.Point, len(trip.Stops))
	for i, stop := range trip.Stops {
		points[i] = stop.Point()
	}
	places := fleet.Joined(points)
	if len(trip.Shape) > 0 {
		places = trip.Shape.InOrder(points)
	}
	for i := range trip.Stops {
		stop := &trip.Stops[i]
		off, ok := trip.Shape.Deviation(stop.Point())
		stop.Along, stop.OffLine = places[i], !ok || off > cmp.Or(stop.Radius, stopRadius)
	}
}
