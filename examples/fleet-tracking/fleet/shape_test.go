package fleet_test

import (
	"math"
	"testing"

	"github.com/paulmach/orb"
	"github.com/paulmach/orb/planar"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// metre is the length of a metre along a meridian, in degrees.
const metre = 180 / (math.Pi * fleet.EarthRadius)

func TestHaversine(t *testing.T) {
	for _, test := range []struct {
		name string
		a, b orb.Point
		want float64
	}{
		{"nothing", orb.Point{-37, -10.9}, orb.Point{-37, -10.9}, 0},
		{"a degree of latitude", orb.Point{0, 0}, orb.Point{0, 1}, math.Pi * fleet.EarthRadius / 180},
		{"over the antimeridian", orb.Point{179.5, 0}, orb.Point{-179.5, 0}, math.Pi * fleet.EarthRadius / 180},
		{"half the earth", orb.Point{0, 0}, orb.Point{180, 0}, math.Pi * fleet.EarthRadius},
		{"at 60 degrees a degree of longitude is half as long", orb.Point{10, 60}, orb.Point{11, 60}, math.Pi * fleet.EarthRadius / 360},
	} {
		if got := fleet.Haversine(test.a, test.b); math.Abs(got-test.want) > 1e-4*test.want+1e-6 {
			t.Errorf("%s: %v m, want %v", test.name, got, test.want)
		}
	}
}

func TestDeviation(t *testing.T) {
	at := func(east, north float64) fleet.Vertex { return fleet.Vertex{east * metre, north * metre, 0} }
	for _, test := range []struct {
		name  string
		shape fleet.Shape
		want  float64
		none  bool
	}{
		{name: "no shape", want: math.Inf(1), none: true},
		{name: "one point", shape: fleet.Shape{at(30, 40)}, want: 50},
		{name: "beside a segment", shape: fleet.Shape{at(-100, 20), at(100, 20)}, want: 20},
		{name: "before a segment", shape: fleet.Shape{at(30, 40), at(300, 400)}, want: 50},
		{name: "a segment without length", shape: fleet.Shape{at(30, 40), at(30, 40), at(300, 40)}, want: 50},
		{name: "on it", shape: fleet.Shape{at(-5, -5), at(5, 5)}, want: 0},
		{name: "the nearest of two", shape: fleet.Shape{at(-100, 80), at(100, 80), at(100, -30), at(-100, -30)}, want: 30},
	} {
		got, ok := test.shape.Deviation(orb.Point{0, 0})
		if ok == test.none || got != test.want && math.Abs(got-test.want) > 1e-6 {
			t.Errorf("%s: %v m (%v), want %v", test.name, got, ok, test.want)
		}
	}
}

// TestDeviationIsThatOfOrb compares with orb's planar distance after the projection that the definition asks for.
func TestDeviationIsThatOfOrb(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		degrees := rapid.Float64Range(-0.1, 0.1)
		lat := rapid.Float64Range(-70, 70).Draw(t, "lat")
		fix := orb.Point{-37, lat}
		var shape fleet.Shape
		var projected orb.LineString
		for range rapid.IntRange(2, 12).Draw(t, "points") {
			lon, north := degrees.Draw(t, "lon"), degrees.Draw(t, "north")
			shape = append(shape, fleet.Vertex{-37 + lon, lat + north, 0})
			projected = append(projected, orb.Point{
				(shape[len(shape)-1][0] + 37) / metre * math.Cos(lat*math.Pi/180),
				(shape[len(shape)-1][1] - lat) / metre,
			})
		}
		want := planar.DistanceFrom(projected, orb.Point{0, 0})
		if got, _ := shape.Deviation(fix); math.Abs(got-want) > 0.0006 {
			t.Fatalf("deviation is %v m, orb has %v", got, want)
		}
	})
}

// A street that is used out and back passes its stops twice; their order says which time is meant.
func TestInOrder(t *testing.T) {
	out := fleet.Shape{{0, 0, 0}, {0, 1000 * metre, 1000}, {0, 0, 2000}}
	at := func(north float64) orb.Point { return orb.Point{3 * metre, north * metre} }
	got := out.InOrder([]orb.Point{at(0), at(500), at(900), at(500), at(0)})
	for i, want := range []float64{0, 500, 900, 1500, 2000} {
		if math.Abs(got[i]-want) > 1e-6 {
			t.Errorf("stop %d lies at %v m, want %v", i, got[i], want)
		}
	}
}

func TestInOrderNeverDecreases(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		degrees := rapid.Float64Range(-0.01, 0.01)
		var shape fleet.Shape
		for i := range rapid.IntRange(0, 8).Draw(t, "vertices") {
			shape = append(shape, fleet.Vertex{degrees.Draw(t, "lon"), degrees.Draw(t, "lat"), float64(i)})
		}
		points := make([]orb.Point, rapid.IntRange(0, 8).Draw(t, "points"))
		for i := range points {
			points[i] = orb.Point{degrees.Draw(t, "lon"), degrees.Draw(t, "lat")}
		}
		places := shape.InOrder(points)
		if len(places) != len(points) {
			t.Fatalf("%d places for %d points", len(places), len(points))
		}
		for i := 1; i < len(places); i++ {
			if places[i] < places[i-1] {
				t.Fatalf("places decrease: %v", places)
			}
		}
	})
}
