package freight

import (
	"cmp"
	"math"
	"slices"

	"github.com/paulmach/orb"
)

// pointColumns are the columns of routes given as points in order. A row with a kind is a depot or fuel station beside the line.
var pointColumns = []column{
	{[]string{"route", "rota", "linha", "route_id"}, true},
	{[]string{"order", "ordem", "sequence", "sequencia", "seq"}, false},
	{[]string{"lat", "latitude"}, true},
	{[]string{"lon", "longitude", "lng", "long"}, true},
	{[]string{"name", "nome"}, false},
	{[]string{"kind", "tipo"}, false},
	{[]string{"radius", "raio"}, false},
	{[]string{"corridor", "corredor"}, false},
}

// readPoints reads a CSV file. Points without an order are in that of the rows.
func (r *routes) readPoints(content []byte) {
	type ordered struct {
		place
		point   orb.Point
		order   int
		ordered bool
	}
	var ids []string
	points := map[string][]ordered{}
	corridors := map[string]float64{}
	eachRow(r.mistakes, r.file, content, pointColumns, func(t *table) {
		id, p := t.text("route"), t.point()
		if kind := t.text("kind"); kind != "" {
			r.addSite(t.place(), kind, site{name: t.text("name"), route: id, point: p, radius: t.number("radius", metres, 1, 100_000)})
			return
		}
		if t.need("route") == "" {
			return
		}
		if points[id] == nil {
			ids = append(ids, id)
		}
		corridors[id] = max(corridors[id], t.number("corridor", metres, 1, 100_000))
		o := ordered{t.place(), p, int(t.number("order", rank, 0, math.MaxInt32)), t.text("order") != ""}
		for _, before := range points[id] {
			if o.ordered && before.ordered && o.order == before.order {
				t.at(t.place(), "%s %d of route %q is in %v, too", t.name("order"), o.order, id, before.place)
			}
		}
		points[id] = append(points[id], o)
	})
	for _, id := range ids {
		slices.SortStableFunc(points[id], func(a, b ordered) int { return cmp.Compare(a.order, b.order) })
		one := route{id: id, corridor: corridors[id]}
		for _, p := range points[id] {
			one.line = append(one.line, p.point)
		}
		r.addLine(points[id][0].place, one)
	}
}
