package gtfs

import (
	"math"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// layOut is the shape in metres and the place of each call along it.
//
// The distances of the feed are kept if shape and calls have them and they never decrease; if they are not in metres (the
// feed may count in any unit) they are brought to metres. Otherwise distances are measured along the shape, and each stop
// is set down at the place where the shape passes it in the order of the calls.
func layOut(points []Point, calls []Call, stops map[string]Stop) (fleet.Shape, []float64) {
	places := make([]float64, len(calls))
	if len(points) == 0 {
		return nil, places
	}
	shape := measure(points)
	if scale, ok := published(points, calls, shape.Length()); ok {
		for i := range shape {
			shape[i][2] = points[i].Along * scale
		}
		for i := range places {
			places[i] = calls[i].Along * scale
		}
		return shape, places
	}
	at := make([]orb.Point, len(calls))
	for i, call := range calls {
		at[i] = stops[call.Stop].Point
	}
	return shape, shape.InOrder(at)
}

// measure is the shape with its great-circle distances.
func measure(points []Point) fleet.Shape {
	shape := make(fleet.Shape, len(points))
	along := 0.0
	for i, p := range points {
		if i > 0 {
			along += fleet.Haversine(points[i-1].Point, p.Point)
		}
		shape[i] = fleet.Vertex{p.Point.Lon(), p.Point.Lat(), along}
	}
	return shape
}

// published is the factor that brings the feed's distances to metres: 1 if they are within a quarter of the measured length.
// False if some are missing or run backwards.
func published(points []Point, calls []Call, metres float64) (float64, bool) {
	last := math.Inf(-1)
	for _, p := range points {
		if !p.HasAlong || p.Along < last {
			return 0, false
		}
		last = p.Along
	}
	last = math.Inf(-1)
	for _, c := range calls {
		if !c.HasAlong || c.Along < last {
			return 0, false
		}
		last = c.Along
	}
	length := points[len(points)-1].Along - points[0].Along
	if length <= 0 {
		return 1, metres == 0
	}
	if scale := metres / length; scale < 0.8 || scale > 1.25 {
		return scale, true
	}
	return 1, true
}
