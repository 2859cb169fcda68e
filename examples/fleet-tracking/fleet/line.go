package fleet

import "github.com/paulmach/orb"

// Line is the path that the stops of a trip are measured along: its shape or, without one, its stops joined by straight lines.
// It is empty for a trip that has neither.
func (t *Trip) Line() Shape {
	if len(t.Shape) > 0 {
		return t.Shape
	}
	line := make(Shape, len(t.Stops))
	for i, stop := range t.Stops {
		line[i] = Vertex{stop.Lon, stop.Lat, stop.Along}
	}
	return line
}

// Joined is the running length, in metres, of straight lines from point to point: where the stops of a line without a shape lie.
func Joined(points []orb.Point) []float64 {
	along := make([]float64, len(points))
	for i := 1; i < len(points); i++ {
		along[i] = along[i-1] + Haversine(points[i-1], points[i])
	}
	return along
}
