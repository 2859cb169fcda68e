package drivers_test

import (
	"fmt"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
)

// TestRanking checks that only scores of one day and weight compete, that equal scores share a place, and that a driver without a
// score has no place.
func TestRanking(t *testing.T) {
	day := func(driver, date string, weight int, score float64) conduct.Day {
		d := conduct.Day{Sheet: conduct.Sheet{Driver: driver, Day: date}, Weight: weight}
		if weight > 0 {
			d.Score = &score
		}
		return d
	}
	var got []string
	for _, r := range drivers.Ranking([]conduct.Day{
		day("ana", "20260116", 80, 70), day("bia", "20260116", 80, 90), day("caio", "20260116", 60, 99), day("davi", "20260115", 80, 100),
		day("eva", "20260116", 0, 0), day("fabio", "20260116", 80, 70), day("gil", "20260116", 80, 60),
	}) {
		got = append(got, fmt.Sprint(r.Driver, " ", r.Place))
	}
	if want := "[bia 1 ana 2 fabio 2 gil 4 caio 1 eva 0 davi 1]"; fmt.Sprint(got) != want {
		t.Errorf("the ranking is %v, want %s", got, want)
	}
}
