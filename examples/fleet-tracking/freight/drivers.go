package freight

import "time"

// driverColumns are the columns of drivers: who drives which vehicle, from one moment up to another, and on which route. Without
// a route it is that of the vehicle's deliveries.
var driverColumns = []column{
	{[]string{"driver", "motorista", "driver_id"}, true},
	{[]string{"vehicle", "veiculo", "placa", "vehicle_id"}, true},
	{[]string{"route", "rota", "linha", "route_id"}, false},
	{[]string{"from", "de", "inicio"}, true},
	{[]string{"to", "ate", "fim"}, true},
	{[]string{"date", "data", "dia"}, false},
	{[]string{"zone", "fuso"}, false},
}

// drive is a row of the file of drivers.
type drive struct {
	place
	driver, vehicle, route string
	from, to               time.Time // to is exclusive
}

// meets reports whether the drive has a moment in common with a span of time, its ends included.
func (d drive) meets(from, to time.Time) bool { return !from.After(d.to) && !to.Before(d.from) }

func readDrivers(m *mistakes, file string, content []byte, zone *time.Location) []drive {
	type start struct {
		vehicle string
		at      int64
	}
	var all []drive
	known := map[start]place{}
	eachRow(m, file, content, driverColumns, func(t *table) {
		d := drive{place: t.place(), driver: t.need("driver"), vehicle: t.need("vehicle"), route: t.text("route")}
		if t.need("from") == "" || t.need("to") == "" {
			return
		}
		var ok bool
		if d.from, d.to, ok = t.span("from", "to", zone); !ok {
			return
		}
		if !d.from.Before(d.to) {
			t.at(t.place(), "%s %q is not after %s", t.name("to"), t.text("to"), t.name("from"))
			return
		}
		key := start{d.vehicle, d.from.UnixMilli()}
		if before, twice := known[key]; twice {
			t.at(t.place(), "%s %q begins another drive at that time in %v", t.name("vehicle"), d.vehicle, before)
		}
		known[key] = d.place
		all = append(all, d)
	})
	return all
}
