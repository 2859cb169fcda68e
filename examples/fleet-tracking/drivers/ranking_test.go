package drivers_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
)

// dayOf is a day of a driver with a score of some parts; without parts it has none.
func dayOf(driver, date string, score float64, weight int, parts ...string) conduct.Day {
	d := conduct.Day{Sheet: conduct.Sheet{Driver: driver, Day: date}, Weight: weight, Parts: parts}
	if weight > 0 {
		d.Score = &score
	}
	return d
}

// TestRanking checks that only scores of one day and of the same parts compete, that equal scores share a place, and that a driver without a
// score has no place. The order of the days does not matter.
func TestRanking(t *testing.T) {
	judged := []string{conduct.Overspeed, conduct.Idling, conduct.Punctuality}
	harsh := []string{conduct.Harshness, conduct.Idling, conduct.Detours}
	days := []conduct.Day{
		dayOf("ana", "20260116", 70, 80, judged...), dayOf("bia", "20260116", 90, 80, judged...), dayOf("caio", "20260116", 99, 60, judged[:2]...),
		dayOf("davi", "20260115", 100, 80, judged...), dayOf("eva", "20260116", 0, 0), dayOf("fabio", "20260116", 70, 80, judged...),
		dayOf("gil", "20260116", 60, 80, judged...), dayOf("hugo", "20260116", 95, 80, harsh...), dayOf("iara", "20260116", 65, 80, harsh...),
	}
	for range len(days) {
		var got []string
		for _, r := range drivers.Ranking(days) {
			got = append(got, fmt.Sprint(r.Driver, " ", r.Place))
		}
		if want := "[bia 1 ana 2 fabio 2 gil 4 hugo 1 iara 2 caio 1 eva 0 davi 1]"; fmt.Sprint(got) != want {
			t.Errorf("the ranking is %v, want %s", got, want)
		}
		days = slices.Concat(days[1:], days[:1])
	}
}

// TestWriteRanking checks that what cannot be computed is no 0, and that a name cannot control the terminal.
func TestWriteRanking(t *testing.T) {
	known := dayOf("ana", "20260116", 92.5, 60, conduct.Overspeed, conduct.Detours)
	known.JudgedFixes, known.OverFixes, known.Runs, known.Detours = 200, 3, 4, 1
	unknown := conduct.Day{Sheet: conduct.SheetOf("", "\x1b[2J\n"+strings.Repeat("ônibus", 4), "20260116")}
	punctual := dayOf("bia", "20260116", 100, 20, conduct.Punctuality)
	punctual.Timepoints, punctual.OnTime = 3, 3
	var text strings.Builder
	if err := drivers.WriteRanking(&text, drivers.Ranking([]conduct.Day{unknown, punctual, known})); err != nil {
		t.Fatal(err)
	}
	want := "" +
		"day      place driver or vehicle  score over % idle % off time % detours/run harsh/100km\n" +
		"20260116     1 ana                 92.5    1.5      -          -        0.25           -\n" +
		"20260116     1 bia                100.0      -      -          0           -           -\n" +
		"20260116     - �[2J�ônibusônibusô     -      -      -          -           -           -\n"
	if text.String() != want {
		t.Errorf("the ranking is\n%swant\n%s", text.String(), want)
	}
}
