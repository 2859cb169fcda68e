package fleet

import (
	"math"

	"github.com/paulmach/orb"
)

// InOrder sets points down along the shape: for each the distance at which the shape passes it, never decreasing from one to
// the next, so that the sum of the squared distances to the shape is least. It serves feeds that do not say where along the
// shape their stops are.
func (s Shape) InOrder(points []orb.Point) []float64 {
	places := make([]float64, len(points))
	if len(s) == 0 || len(points) == 0 {
		return places
	}
	// The cheapest way to set down points[:i+1] with the last at feet[i][j] costs costs[i][j] and comes from feet[i-1][from[i][j]].
	feet := make([][]foot, len(points))
	costs := make([][]float64, len(points))
	from := make([][]int, len(points))
	for i, p := range points {
		feet[i] = s.feet(p)
		costs[i] = make([]float64, len(feet[i]))
		from[i] = make([]int, len(feet[i]))
		best, bestAt, k := math.Inf(1), 0, 0
		for j, f := range feet[i] {
			if i > 0 {
				for ; k < len(feet[i-1]) && feet[i-1][k].along <= f.along; k++ {
					if costs[i-1][k] < best {
						best, bestAt = costs[i-1][k], k
					}
				}
				costs[i][j], from[i][j] = best, bestAt
			}
			costs[i][j] += f.off * f.off
		}
	}
	last := len(points) - 1
	at := 0
	for j, cost := range costs[last] {
		if cost < costs[last][at] {
			at = j
		}
	}
	for i := last; i >= 0; i-- {
		places[i] = feet[i][at].along
		at = from[i][at]
	}
	for i := 1; i < len(places); i++ {
		places[i] = max(places[i], places[i-1]) // where no order fits, as with two stops off one end
	}
	return places
}

// feet are the feet of p on all segments, in their order.
func (s Shape) feet(p orb.Point) []foot {
	var feet []foot
	s.eachFoot(p, func(f foot) { feet = append(feet, f) })
	return feet
}
