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
	return nearest, len(s) > 0
}

// foot is the point of a segment that is nearest to a fix.
type foot struct {
	along float64 // metres along the shape
	off   float64 // metres from the fix
}

// eachFoot calls visit with the foot of p on every segment, in their order.
func (s Shape) eachFoot(p orb.Point, visit func(foot)) {
	if len(s) == 0 {
		return
	}
	around := planeAt(p)
	x0, y0 := around.project(s[0][0], s[0][1])
	if len(s) == 1 {
		visit(foot{along: s[0].Along(), off: math.Sqrt(x0*x0 + y0*y0)})
		return
	}
	for i := 1; i < len(s); i++ {
		x1, y1 := around.project(s[i][0], s[i][1])
		part := nearestPart(x0, y0, x1, y1)
		x, y := x0+part*(x1-x0), y0+part*(y1-y0)
		from, to := s[i-1].Along(), s[i].Along()
		visit(foot{along: from + part*(to-from), off: math.Sqrt(x*x + y*y)})
		x0, y0 = x1, y1
	}
}

// nearestPart is how far along a segment, from 0 to 1, its point nearest to the origin lies.
func nearestPart(x0, y0, x1, y1 float64) float64 {
	dx, dy := x1-x0, y1-y0
	square := dx*dx + dy*dy
	if square == 0 {
		return 0
	}
	return min(1, max(0, -(x0*dx+y0*dy)/square))
}

// approaches are the places where the shape passes p: the feet that are nearer than those of the segments before and after
// them, as far as they are within reach metres. A street that the shape uses twice has two.
func (s Shape) approaches(p orb.Point, reach float64) (places []foot, nearest float64) {
	nearest = math.Inf(1)
	var last foot
	var pending, began bool // pending: last is nearer than what came before it
	settle := func() {
		if pending && last.off <= reach {
			places = append(places, last)
		}
	}
	s.eachFoot(p, func(f foot) {
		nearest = min(nearest, f.off)
		switch {
		case !began || f.off < last.off:
			pending = true
		case f.off > last.off:
			settle()
			pending = false
		}
		last, began = f, true
	})
	settle()
	return places, nearest
}
