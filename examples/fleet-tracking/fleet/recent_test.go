package fleet

import (
	"math/rand/v2"
	"reflect"
	"testing"
)

// What is summed up depends on the legs, not on the order in which they come, and a leg that is taken back leaves nothing behind.
func TestLegHourDoesNotDependOnOrder(t *testing.T) {
	const day = 24 * 3600
	var legs []Leg
	for i := range 60 {
		left := Seconds(1768561200 + int64(i)*day)
		metres := 900 + float64(i)
		legs = append(legs, Leg{
			From: "a", To: "b", Hour: 8, Left: left, Arrived: left + Seconds(60+int64(i)),
			Planned: 60, Driven: 60 + float64(i), PlannedMetres: 1000, DrivenMetres: &metres,
		})
	}
	sum := func(legs []Leg) (h LegHour) {
		for _, l := range legs {
			h = h.Apply(LegChange{Value: l})
		}
		return h
	}
	want := sum(legs)
	if s := want.Summary(); s.Legs != 28 || s.Median != 106_000 || s.Lost != 28*(32+59)*500 {
		t.Errorf("60 days of legs sum up to %+v; want the latest 28", s)
	}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		random.Shuffle(len(legs), func(i, j int) { legs[i], legs[j] = legs[j], legs[i] })
		h := sum(legs)
		wrong := legs[0]
		wrong.Driven = 1
		h = h.Apply(LegChange{Value: wrong}).Apply(LegChange{Value: wrong, Undone: true})
		if !reflect.DeepEqual(h, want) {
			t.Fatalf("in another order the legs are %+v, want %+v", h, want)
		}
	}
	if s := want.Apply(LegChange{Value: legs[0], Undone: true}).Summary(); len(want.Drives) != 28 {
		t.Errorf("taking one back changed the value it was taken from: %+v", s)
	}
}
