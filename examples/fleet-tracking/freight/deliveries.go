package freight

import (
	"math"
	"time"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// deliveryColumns are the columns of deliveries. Of from, to and time, which is one promised time, some are needed; of route and
// vehicle one. Radius is in metres, min_dwell in seconds. Without an order, deliveries of a trip are in the order of their windows.
var deliveryColumns = []column{
	{[]string{"id", "delivery", "entrega", "delivery_id", "pedido"}, true},
	{[]string{"customer", "cliente"}, false},
	{[]string{"lat", "latitude"}, true},
	{[]string{"lon", "longitude", "lng", "long"}, true},
	{[]string{"radius", "raio"}, false},
	{[]string{"from", "de", "inicio", "window_start"}, false},
	{[]string{"to", "ate", "fim", "window_end"}, false},
	{[]string{"time", "hora", "horario", "promised", "prometido"}, false},
	{[]string{"date", "data", "dia"}, false},
	{[]string{"zone", "fuso"}, false},
	{[]string{"route", "rota", "linha", "route_id"}, false},
	{[]string{"vehicle", "veiculo", "placa", "vehicle_id"}, false},
	{[]string{"order", "ordem", "sequence", "sequencia"}, false},
	{[]string{"min_dwell", "permanencia"}, false},
}

// delivery is a row of the file of deliveries.
type delivery struct {
	place
	id, customer, route, vehicle string
	point                        orb.Point
	radius, minDwell             float64
	from, to                     time.Time
	order                        int
	ordered                      bool // whether an order is given
}

func readDeliveries(m *mistakes, file string, content []byte, zone *time.Location) []delivery {
	var all []delivery
	known := map[string]place{}
	eachRow(m, file, content, deliveryColumns, func(t *table) {
		d := delivery{
			place: t.place(), id: t.need("id"), customer: t.text("customer"), route: t.text("route"), vehicle: t.text("vehicle"),
			point: t.point(), radius: t.number("radius", metres, 1, 100_000), minDwell: t.number("min_dwell", seconds, 1, 86400),
			order: int(t.number("order", rank, 0, math.MaxInt32)), ordered: t.text("order") != "",
		}
		if before, twice := known[d.id]; twice && d.id != "" {
			t.at(t.place(), "%s %q is that of %v, too", t.name("id"), d.id, before)
		}
		known[d.id] = d.place
		if d.route == "" && d.vehicle == "" {
			t.at(t.place(), "neither a route nor a vehicle is named")
		}
		var ok bool
		if d.from, d.to, ok = t.promise(zone); ok {
			all = append(all, d)
		}
	})
	return all
}

// promise returns the promised window of a delivery. One time is a window without length.
func (t *table) promise(zone *time.Location) (from, to time.Time, ok bool) {
	switch {
	case t.text("from") != "" && t.text("to") != "":
		return t.span("from", "to", zone)
	case t.text("time") != "":
		return t.span("time", "time", zone)
	case t.text("from") != "":
		return t.span("from", "from", zone)
	case t.text("to") != "":
		return t.span("to", "to", zone)
	}
	t.at(t.place(), "no promised window: columns from and to, or time, are empty")
	return time.Time{}, time.Time{}, false
}

// value is the delivery as the n-th stop of a trip.
func (d delivery) value(trip, day string, n int) fleet.Delivery {
	return fleet.Delivery{
		ID: d.id, Customer: d.customer, Trip: trip, Day: day, Order: n, Lat: d.point.Lat(), Lon: d.point.Lon(),
		Radius: d.radius, MinDwell: d.minDwell, From: fleet.InstantOf(d.from), To: fleet.InstantOf(d.to),
	}
}
