package fleet

import (
	"math"

	"github.com/paulmach/orb"
)

// Vertex is a point of a shape: longitude, latitude (WGS84 degrees) and the distance along the shape, in metres. As an array
// it is as short in JSON as it can be.
type Vertex [3]float64

// Point is where the vertex lies.
func (v Vertex) Point() orb.Point { return orb.Point{v[0], v[1]} }

// Along is the distance from the start of the shape, in metres.
func (v Vertex) Along() float64 { return v[2] }

// Shape is the path of a trip over ground: a polyline whose distances never decrease. It may be empty, may have a single
// point and may cross itself or run along the same street twice.
type Shape []Vertex

// Length is the distance from the first to the last vertex, in metres.
func (s Shape) Length() float64 {
	if len(s) == 0 {
		return 0
	}
	return s[len(s)-1].Along() - s[0].Along()
}

// Deviation is the shortest distance from a point to the shape, in metres; false for a shape without points. It is measured in
// the equirectangular projection centred on the point, to every segment.
func (s Shape) Deviation(p orb.Point) (float64, bool) {
	nearest := math.Inf(1)
	s.eachFoot(p, func(f foot) { nearest = min(nearest, f.off) })
	return millimetres(nearest), len(s) > 0
}

// foot is the point of a segment that is nearest to a fix.
type foot struct {
	along float64 // metres along the shape
	off   float64 // metres from the fix
	part  float64 // of the segment: 0 at its start, 1 at its end
}

// eachFoot calls visit with the foot of p on every segment, in their order. Segments without length count only if there is no
// other; then, and for a single point, the point is the foot.
func (s Shape) eachFoot(p orb.Point, visit func(foot)) {
	if len(s) == 0 {
		return
	}
	around := planeAt(p)
	x0, y0 := around.project(s[0][0], s[0][1])
	isPoint := true
	for i := 1; i < len(s); i++ {
		x1, y1 := around.project(s[i][0], s[i][1])
		if x0 == x1 && y0 == y1 {
			continue
		}
		part := nearestPart(x0, y0, x1, y1)
		x, y := x0+part*(x1-x0), y0+part*(y1-y0)
		from, to := s[i-1].Along(), s[i].Along()
		visit(foot{along: from + part*(to-from), off: math.Sqrt(x*x + y*y), part: part})
		x0, y0, isPoint = x1, y1, false
	}
	if isPoint {
		visit(foot{along: s[0].Along(), off: math.Sqrt(x0*x0 + y0*y0)})
	}
}

// nearestPart is how far along a segment, from 0 to 1, its point nearest to the origin lies.
func nearestPart(x0, y0, x1, y1 float64) float64 {
	dx, dy := x1-x0, y1-y0
	return min(1, max(0, -(x0*dx+y0*dy)/(dx*dx+dy*dy)))
}

// samePlace is how far apart along the shape, in metres, two approaches are still one: a curve drawn with corners has several.
const samePlace = 20

// approaches returns the places, at most reach metres from p, where the distance from the shape to p has a local minimum. A
// street that the shape uses twice has two. It also returns the shortest distance to the shape.
func (s Shape) approaches(p orb.Point, reach float64) (places []foot, nearest float64) {
	nearest = math.Inf(1)
	add := func(f foot) {
		last := len(places) - 1
		switch {
		case f.off > reach:
		case last < 0 || f.along-places[last].along > samePlace:
			places = append(places, f)
		case f.off < places[last].off:
			places[last] = f
		}
	}
	before := foot{part: 1} // as if the shape came straight to its first point
	s.eachFoot(p, func(f foot) {
		nearest = min(nearest, f.off)
		inside, corner := f.part > 0 && f.part < 1, f.part == 0 && before.part == 1
		if inside || corner {
			add(f)
		}
		before = f
	})
	if before.part == 1 && len(s) > 1 {
		add(before) // the last point
	}
	for i := range places {
		places[i].along = millimetres(places[i].along)
	}
	return places, millimetres(nearest)
}
