package logistics

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"net/http"
	"slices"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/state"
)

// Worst returns the n legs that lose the most time, the worst first. Legs that lose none do not count.
func Worst(legs iter.Seq[fleet.LegSummary], n int) []fleet.LegSummary {
	var losing []fleet.LegSummary
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

// WriteWorst writes legs as text, a line each.
func WriteWorst(w io.Writer, legs []fleet.LegSummary) {
	fmt.Fprintf(w, "%-12s %-12s %5s %6s %10s %10s %10s\n", "from", "to", "hour", "drives", "planned s", "median s", "lost s")
	for _, l := range legs {
		fmt.Fprintf(w, "%-12s %-12s %5d %6d %10.1f %10.1f %10.1f\n",
			l.From, l.To, l.Hour, l.Legs, l.Planned.Seconds()/float64(l.Timed), l.Median.Seconds(), l.Lost.Seconds())
	}
}

// Handler responds with the worst legs of all tasks in this process, in JSON; ?n=5 says how many, by default 20.
func Handler(app *runner.App) (http.Handler, error) {
	legs, err := runner.Local(app, legHours)
	if err != nil {
		return nil, err
	}
	return handler(legs), nil
}

// rows are the rows of a store that can be read.
type rows[K, V any] interface {
	All() iter.Seq2[state.Row[K, V], error]
}

func handler(legs rows[fleet.LegKey, fleet.LegHour]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(cmp.Or(r.FormValue("n"), "20"))
		if err != nil || n < 1 {
			http.Error(w, "n: want a number from 1 upwards", http.StatusBadRequest)
			return
		}
		var failed error
		worst := Worst(summaries(legs, &failed), n)
		if failed != nil { // the tasks are moving to another process: try again
			http.Error(w, failed.Error(), http.StatusServiceUnavailable)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(worst)
	}
}

// summaries are those of all rows, up to one that cannot be read.
func summaries(legs rows[fleet.LegKey, fleet.LegHour], failed *error) iter.Seq[fleet.LegSummary] {
	return func(yield func(fleet.LegSummary) bool) {
		for row, err := range legs.All() {
			if err != nil {
				*failed = err
				return
			}
			if len(row.Value.Drives) > 0 && !yield(row.Value.Summary()) {
				return
			}
		}
	}
}
