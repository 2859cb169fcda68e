package drivers

import (
	_ "embed"
	"iter"
	"net/http"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/site"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/state"
)

// Handler responds with the ranking of all tasks in this process, for the staff:
//
//	/drivers         as a page that links to the others of nav; ?motorista=NAME shows one driver only
//	/drivers/json    the same as JSON, a list of Rank
//
// It answers 503 while tasks move to another process.
func Handler(app *runner.App, nav site.Nav) (http.Handler, error) {
	pages, err := runner.Local(app, books)
	if err != nil {
		return nil, err
	}
	return handler(pages, nav), nil
}

// rows are the rows of a store that can be read.
type rows interface {
	All() iter.Seq2[state.Row[string, page], error]
}

func handler(pages rows, nav site.Nav) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /drivers", ranked(pages, func(w http.ResponseWriter, ranks []Rank) {
		site.Write(w, templates, "ranking", newRankingPage(ranks, nav()))
	}))
	mux.HandleFunc("GET /drivers/json", ranked(pages, func(w http.ResponseWriter, ranks []Rank) { site.WriteJSON(w, ranks) }))
	return mux
}

func ranked(pages rows, write func(http.ResponseWriter, []Rank)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		driver := r.FormValue("motorista")
		var days []conduct.Day
		for row, err := range pages.All() {
			if err != nil {
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			if driver == "" || row.Value.Driver == driver {
				days = append(days, row.Value.Book.Day(row.Value.Sheet))
			}
		}
		write(w, Ranking(days))
	}
}

//go:embed pages.html
var html string

var templates = site.Parse(html)

// rankingPage is what the template shows.
type rankingPage struct {
	Nav    []site.Link
	Titles []string
	Lines  []line
}

type line struct {
	Rank
	Cells   []string // of columns
	Reasons []string // why others cannot be computed
}

func newRankingPage(ranks []Rank, nav []site.Link) rankingPage {
	p := rankingPage{Nav: nav}
	for _, c := range columns {
		p.Titles = append(p.Titles, c.title)
	}
	for _, r := range ranks {
		l := line{Rank: r, Cells: r.cells()}
		for _, c := range columns {
			if reason := r.Missing[c.part]; reason != "" {
				l.Reasons = append(l.Reasons, c.title+": "+strings.TrimPrefix(reason, "not computable: "))
			}
		}
		p.Lines = append(p.Lines, l)
	}
	return p
}
