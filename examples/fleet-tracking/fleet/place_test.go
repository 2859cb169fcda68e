package fleet

import (
	"testing"

	"github.com/paulmach/orb"
)

// TestUntimedRoundBeginsAtItsStart puts a vehicle where a round without planned times starts and ends. It is at the start, though the
// line's end is nearer.
func TestUntimedRoundBeginsAtItsStart(t *testing.T) {
	square := []orb.Point{{0, 0}, {0.02, 0}, {0.02, 0.02}, {0, 0.02}, {0, 0.0001}}
	var line Shape
	for i, along := range Joined(square) {
		line = append(line, Vertex{square[i].Lon(), square[i].Lat(), along})
	}
	near, _ := line.approaches(orb.Point{0, 0.0001}, onLine)
	trip := &Trip{Untimed: true, Shape: line, Stops: []Stop{{}, {Along: line.Length()}}}
	_, along, ok := placing{}.next(Seconds(60), near, plan{trip: trip})
	if len(near) < 2 || !ok || along > startOfLine {
		t.Errorf("%d places are near, and the vehicle is placed at %.0f m (%v), want the start of the line", len(near), along, ok)
	}
}

// TestPlaceAtRest lets a vehicle with many fixes stand where its round starts and ends, with a receiver that errs towards the end.
func TestPlaceAtRest(t *testing.T) {
	var p placing
	for second := range int64(600) {
		near := []foot{{along: 5, off: 12}, {along: 11_990, off: 2}}
		after, along, ok := p.next(Seconds(second), near, plan{trip: &Trip{Untimed: true}})
		if !ok || along != 5 {
			t.Fatalf("after %d s it is at %v m (%v), want 5", second, along, ok)
		}
		p = after
	}
}
