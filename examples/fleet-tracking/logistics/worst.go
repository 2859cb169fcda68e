package logistics

import (
	"cmp"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/site"
)

// Worst returns the n legs that lose the most time, the worst first. Legs that lose none do not count.
func Worst(legs iter.Seq[fleet.LegSummary], n int) []fleet.LegSummary {
	losing := []fleet.LegSummary{}
	for leg := range legs {
		if leg.Lost > 0 {
			losing = append(losing, leg)
		}
	}
	slices.SortFunc(losing, func(a, b fleet.LegSummary) int {
		return cmp.Or(-cmp.Compare(a.Lost, b.Lost), a.LegKey.Compare(b.LegKey))
	})
	return losing[:min(n, len(losing))]
}

// WriteWorst writes legs as text, a line of 70 characters each, or longer where the names of stops are.
func WriteWorst(w io.Writer, legs []fleet.LegSummary) error {
	const format = "%-12s %-12s %5s %6s %10s %10s %10s\n"
	if _, err := fmt.Fprintf(w, format, "from", "to", "hour", "drives", "planned s", "median s", "lost s"); err != nil {
		return err
	}
	for _, leg := range legs {
		c := cellsOf(leg)
		if _, err := fmt.Fprintf(w, format, site.Printable(c.From), site.Printable(c.To), c.Hour, c.Drives, c.Planned, c.Median, c.Lost); err != nil {
			return err
		}
	}
	return nil
}

// cells are what texts and pages show of a leg. Times are in seconds.
type cells struct{ From, To, Hour, Drives, Planned, Median, Lost string }

func cellsOf(l fleet.LegSummary) cells {
	seconds := func(s float64) string { return strconv.FormatFloat(s, 'f', 1, 64) }
	return cells{
		From: l.From, To: l.To, Hour: strconv.Itoa(l.Hour), Drives: strconv.Itoa(l.Legs),
		Planned: seconds(l.Planned.Seconds() / float64(l.Timed)), Median: seconds(l.Median.Seconds()), Lost: seconds(l.Lost.Seconds()),
	}
}
