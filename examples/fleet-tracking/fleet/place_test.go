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
		t.Errorf("of %d places the vehicle is taken to be at %.0f m, %v", len(near), along, ok)
	}
}
