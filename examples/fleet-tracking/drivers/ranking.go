package drivers

import (
	"cmp"
	"fmt"
	"io"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/site"
)

// Rank is the place of a driver, or of a vehicle without a known driver, on a day.
type Rank struct {
	conduct.Day
	Place int `json:"lugar,omitempty"` // from 1 among the days that it competes with; 0 without a score
}

// Ranking orders days: the latest day first, then scores of greater weight, then better scores. Those without a score come last.
//
// Only scores of one day that are made of the same parts compete: the same sum of weights can come from different parts, and a driver who
// was measured by overspeed is no better or worse than one who was measured by harsh driving. Of groups of the same weight, the one comes first
// whose parts do, by name. Equal scores share a place, and are listed by name.
func Ranking(days []conduct.Day) []Rank {
	days = slices.Clone(days)
	slices.SortFunc(days, func(a, b conduct.Day) int {
		return cmp.Or(compareGroups(a, b), -cmp.Compare(score(a), score(b)), a.Compare(b.Sheet))
	})
	ranks := make([]Rank, len(days))
	first := 0 // of the group
	for i, d := range days {
		if compareGroups(days[first], d) != 0 {
			first = i
		}
		ranks[i].Day = d
		switch {
		case d.Score == nil:
		case i > first && score(days[i-1]) == score(d):
			ranks[i].Place = ranks[i-1].Place
		default:
			ranks[i].Place = i - first + 1
		}
	}
	return ranks
}

// compareGroups returns 0 for days that compete with each other.
func compareGroups(a, b conduct.Day) int {
	return cmp.Or(-cmp.Compare(a.Day, b.Day), -cmp.Compare(a.Weight, b.Weight), slices.Compare(a.Parts, b.Parts))
}

func score(d conduct.Day) float64 {
	if d.Score == nil {
		return -1
	}
	return *d.Score
}

// columns are what WriteRanking shows of the parts of a score: titles and factors of the shares, and their formats.
var columns = []struct {
	part, title, format string
	factor              float64
}{
	{conduct.Overspeed, "over %", "%.1f", 100},
	{conduct.Idling, "idle %", "%.1f", 100},
	{conduct.Punctuality, "off time %", "%.0f", 100},
	{conduct.Detours, "detours/run", "%.2f", 1},
	{conduct.Harshness, "harsh/100km", "%.1f", 1},
}

// cells returns what columns show of the day; "-" for what cannot be computed.
func (r Rank) cells() []string {
	shares := r.Shares()
	cells := make([]string, len(columns))
	for i, c := range columns {
		cells[i] = "-"
		if share, ok := shares[c.part]; ok {
			cells[i] = fmt.Sprintf(c.format, c.factor*share)
		}
	}
	return cells
}

const rankLine = "%-8s %5s %-18.18s %5s %6s %6s %10s %11s %11s\n"

// WriteRanking writes ranks as text, a line of 88 characters each. What cannot be computed is "-", and never 0. "off time %" is the share of
// departures at timepoints, and of deliveries, that are early or late.
func WriteRanking(w io.Writer, ranks []Rank) error {
	cells := []any{"day", "place", "driver or vehicle", "score"}
	for _, c := range columns {
		cells = append(cells, c.title)
	}
	if _, err := fmt.Fprintf(w, rankLine, cells...); err != nil {
		return err
	}
	for _, r := range ranks {
		cells := []any{r.Sheet.Day, "-", site.Printable(cmp.Or(r.Driver, r.Vehicle)), "-"}
		if r.Score != nil {
			cells[1], cells[3] = fmt.Sprint(r.Place), fmt.Sprintf("%.1f", *r.Score)
		}
		for _, cell := range r.cells() {
			cells = append(cells, cell)
		}
		if _, err := fmt.Fprintf(w, rankLine, cells...); err != nil {
			return err
		}
	}
	return nil
}
