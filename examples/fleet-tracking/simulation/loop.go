package simulation

import (
	"math"
	"math/rand/v2"

	"github.com/paulmach/orb"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// loop is a round trip from a depot: the points it goes through, and which of them are customers. It is an ellipse, drawn
// unsteadily, away from the sea.
func loop(random *rand.Rand, depot orb.Point, opening *incident) (through []orb.Point, customers []int) {
	gaps := make([]float64, 13+random.IntN(5)) // from customer to customer, and to the depot; some live close to each other
	sum := 0.0
	for i := range gaps {
		gaps[i] = []float64{0.5, 0.7, 1, 1, 2.4}[random.IntN(5)] * (0.8 + 0.4*random.Float64())
		sum += gaps[i]
	}
	direction := math.Pi * (0.35 + 1.3*random.Float64()) // 0 is east
	long, short := 2300+900*random.Float64(), 1400+700*random.Float64()
	point := func(part float64) orb.Point {
		angle := math.Pi + 2*math.Pi*part
		x, y := long*(1+math.Cos(angle)), short*math.Sin(angle)
		return shifted(depot, x*math.Cos(direction)-y*math.Sin(direction), x*math.Sin(direction)+y*math.Cos(direction))
	}
	through = []orb.Point{depot}
	round := 2 * math.Pi * math.Sqrt((long*long+short*short)/2)
	spacing := waySpacing / round
	last := 0.0
	to := func(part float64) { // goes on to a part of the loop
		for last+1.5*spacing < part {
			last += spacing
			p := point(last)
			through = append(through, shifted(p, 40*random.NormFloat64(), 40*random.NormFloat64()))
		}
		last = part
	}
	begin := gaps[0] / sum
	if opening != nil {
		begin = opening.metres / round
	}
	part := begin
	for i := range len(gaps) - 1 {
		if i > 0 {
			part += (1 - begin) * gaps[i] / (sum - gaps[0])
		}
		to(part)
		customers = append(customers, len(through))
		through = append(through, point(part))
	}
	to(1)
	return append(through, depot), customers
}

// curveThrough is a curve and the distance along it of each point that it goes through.
func curveThrough(points []orb.Point) (shape fleet.Shape, along []float64) {
	shape = curve(points)
	along = make([]float64, len(points))
	i := 0
	for k := range len(points) - 1 {
		along[k] = shape[i].Along()
		i += curveSteps(points[k], points[k+1])
	}
	along[len(points)-1] = shape.Length()
	return shape, along
}
