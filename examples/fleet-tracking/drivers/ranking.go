package drivers

import (
	"cmp"
	"encoding/json"
	"net/http"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/runner"
)

// Rank is the place of a driver, or of a vehicle without a known driver, on a day. Only scores of the same weight are compared.
type Rank struct {
	conduct.Day
	Place int `json:"lugar,omitempty"` // from 1 among those of the same day and weight; 0 without a score
}

// Ranking orders days: the latest day first, then scores of greater weight, then better scores. Those without a score come last.
func Ranking(days []conduct.Day) []Rank {
	score := func(d conduct.Day) float64 {
		if d.Score == nil {
			return -1
		}
		return *d.Score
	}
	days = slices.Clone(days)
	slices.SortFunc(days, func(a, b conduct.Day) int {
		return cmp.Or(-cmp.Compare(a.Day, b.Day), -cmp.Compare(a.Weight, b.Weight), -cmp.Compare(score(a), score(b)), a.Compare(b.Sheet))
	})
	ranks := make([]Rank, len(days))
	for i, d := range days {
		ranks[i].Day = d
		if d.Score == nil {
			continue
		}
		first := i // of the same day and weight
		for first > 0 && days[first-1].Day == d.Day && days[first-1].Weight == d.Weight {
			first--
		}
		ranks[i].Place = i - first + 1
		if i > first && score(days[i-1]) == score(d) {
			ranks[i].Place = ranks[i-1].Place
		}
	}
	return ranks
}

// Handler responds with the ranking of all tasks in this process, in JSON; ?motorista=NAME shows one driver only.
func Handler(app *runner.App) (http.Handler, error) {
	sheets, err := runner.Local(app, books)
	if err != nil {
		return nil, err
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		driver := r.FormValue("motorista")
		var days []conduct.Day
		for row, err := range sheets.All() {
			if err != nil { // the tasks are moving to another process: try again
				http.Error(w, err.Error(), http.StatusServiceUnavailable)
				return
			}
			if driver == "" || row.Value.Driver == driver {
				days = append(days, row.Value.Book.Day(row.Value.Sheet))
			}
		}
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(Ranking(days))
	}), nil
}
