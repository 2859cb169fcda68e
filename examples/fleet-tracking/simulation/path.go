package simulation

import (
	"math"
	"slices"
	"sort"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

const (
	vertexSpacing   = 60.0 // metres between the points of a shape
	metresPerDegree = fleet.EarthRadius * math.Pi / 180
)

// curve is a smooth path through points (a Catmull-Rom spline), with a vertex about every 60 m and distances along it.
func curve(points []orb.Point) fleet.Shape {
	shape := fleet.Shape{vertex(points[0], 0)}
	last := len(points) - 1
	for i := range last {
		before, from, to, after := points[max(i-1, 0)], points[i], points[i+1], points[min(i+2, last)]
		steps := curveSteps(from, to)
		for step := 1; step <= steps; step++ {
			p := spline(before, from, to, after, float64(step)/float64(steps))
			end := shape[len(shape)-1]
			next := vertex(p, 0)
			next[2] = math.Round(10*(end.Along()+fleet.Haversine(end.Point(), next.Point()))) / 10
			shape = append(shape, next)
		}
	}
	return shape
}

// curveSteps is the number of vertices of a curve from one of its points to the next.
func curveSteps(from, to orb.Point) int { return max(1, int(fleet.Haversine(from, to)/vertexSpacing)) }

// vertex rounds to five decimals, a metre, as agencies publish them.
func vertex(p orb.Point, along float64) fleet.Vertex {
	return fleet.Vertex{math.Round(p[0]*1e5) / 1e5, math.Round(p[1]*1e5) / 1e5, along}
}

func spline(before, from, to, after orb.Point, t float64) orb.Point {
	var p orb.Point
	for i := range p {
		a, b, c, d := before[i], from[i], to[i], after[i]
		p[i] = 0.5 * (2*b + (c-a)*t + (2*a-5*b+4*c-d)*t*t + (3*b-a-3*c+d)*t*t*t)
	}
	return p
}

// reversed is the way back through the same points.
func reversed(points []orb.Point) []orb.Point {
	back := slices.Clone(points)
	slices.Reverse(back)
	return back
}

// pointAt is the place at a distance along a shape.
func pointAt(s fleet.Shape, along float64) orb.Point {
	i := sort.Search(len(s), func(i int) bool { return s[i].Along() >= along })
	if i == 0 {
		return s[0].Point()
	}
	if i == len(s) {
		return s[len(s)-1].Point()
	}
	from, to := s[i-1], s[i]
	part := (along - from.Along()) / (to.Along() - from.Along())
	return orb.Point{from[0] + part*(to[0]-from[0]), from[1] + part*(to[1]-from[1])}
}

// beside is the place so many metres to the right of the shape.
func beside(s fleet.Shape, along, metres float64) orb.Point {
	at := pointAt(s, along)
	if metres == 0 {
		return at
	}
	const ahead = 80 // metres, so that the direction turns smoothly
	from, to := pointAt(s, along-ahead), pointAt(s, along+ahead)
	east, north := offset(from, to)
	length := math.Hypot(east, north)
	if length == 0 {
		return at
	}
	return shifted(at, metres*north/length, -metres*east/length)
}

// offset is how far to lies from from, in metres.
func offset(from, to orb.Point) (east, north float64) {
	north = (to.Lat() - from.Lat()) * metresPerDegree
	east = (to.Lon() - from.Lon()) * metresPerDegree * math.Cos(from.Lat()*math.Pi/180)
	return east, north
}

// shifted is a point moved by so many metres.
func shifted(p orb.Point, east, north float64) orb.Point {
	return orb.Point{
		p.Lon() + east/(metresPerDegree*math.Cos(p.Lat()*math.Pi/180)),
		p.Lat() + north/metresPerDegree,
	}
}

// distanceTo is how far a point lies from a shape, measured to a place every ten metres of it.
func distanceTo(s fleet.Shape, p orb.Point) float64 {
	nearest := math.Inf(1)
	for along := 0.0; along <= s.Length(); along += 10 {
		nearest = min(nearest, fleet.Haversine(p, pointAt(s, along)))
	}
	return nearest
}
