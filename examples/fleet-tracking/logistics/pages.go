package logistics

import (
	"cmp"
	_ "embed"
	"iter"
	"net/http"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/site"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/state"
)

// Handler responds with the worst legs of all tasks in this process, for the staff:
//
//	/logistics         as a page that links to the others of nav; ?n=5 says how many legs, by default 20
//	/logistics/json    the same as JSON, a list of fleet.LegSummary
//
// It answers 503 while tasks move to another process.
func Handler(app *runner.App, nav site.Nav) (http.Handler, error) {
	legs, err := runner.Local(app, legHours)
	if err != nil {
		return nil, err
	}
	return handler(legs, nav), nil
}

// rows are the rows of a store that can be read.
type rows[K, V any] interface {
	All() iter.Seq2[state.Row[K, V], error]
}

func handler(legs rows[fleet.LegKey, fleet.LegHour], nav site.Nav) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /logistics", worst(legs, func(w http.ResponseWriter, legs []fleet.LegSummary) {
		page := worstPage{Nav: nav()}
		for _, leg := range legs {
			page.Legs = append(page.Legs, cellsOf(leg))
		}
		site.Write(w, templates, "worst", page)
	}))
	mux.HandleFunc("GET /logistics/json", worst(legs, func(w http.ResponseWriter, legs []fleet.LegSummary) { site.WriteJSON(w, legs) }))
	return mux
}

func worst(legs rows[fleet.LegKey, fleet.LegHour], write func(http.ResponseWriter, []fleet.LegSummary)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		n, err := strconv.Atoi(cmp.Or(r.FormValue("n"), "20"))
		if err != nil || n < 1 {
			http.Error(w, "n: want a number from 1 upwards", http.StatusBadRequest)
			return
		}
		var failed error
		worst := Worst(summaries(legs, &failed), n)
		if failed != nil {
			http.Error(w, failed.Error(), http.StatusServiceUnavailable)
			return
		}
		write(w, worst)
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

//go:embed pages.html
var html string

var templates = site.Parse(html)

// worstPage is what the template shows.
type worstPage struct {
	Nav  []site.Link
	Legs []cells
}
