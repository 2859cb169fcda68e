package conduct

import "github.com/rio-streams/rio/examples/fleet-tracking/fleet"

const (
	longStand = fleet.Span(300_000)
	overSpan  = fleet.Span(15_000) // shorter spans are noise
)

// Trail is the end of a vehicle's fixes, in the order of their event times. The zero value has none.
type Trail struct {
	Last  *Point        `json:"ultima,omitempty"`
	Stood fleet.Instant `json:"paradoDesde,omitempty"` // when the standing pairs that end at Last begin; Last itself if there are none
	Sped  fleet.Instant `json:"acimaDesde,omitempty"`  // when the pairs over the limit that end at Last begin
}

// Add takes in the next fix and returns what it adds to the figures of its sheet.
func (t Trail) Add(fix Point) (Trail, Figures) {
	figures := fix.alone()
	next := Trail{Last: &fix, Stood: fix.Instant, Sped: fix.Instant}
	last := t.Last
	alone := last == nil || last.Sheet != fix.Sheet
	if fix.over() && (alone || !last.over()) {
		figures.OverEpisodes = 1
	}
	if alone {
		return next, figures
	}
	pair := between(*last, fix)
	figures = figures.Plus(pair.Figures)
	if pair.standing {
		next.Stood = t.Stood
		figures = figures.Plus(stand(fix.Instant - t.Stood)).Minus(stand(last.Instant - t.Stood))
	}
	if pair.over {
		next.Sped = t.Sped
		figures = figures.Plus(speeding(fix.Instant - t.Sped)).Minus(speeding(last.Instant - t.Sped))
	}
	return next, figures
}

// stand returns the figures of standing pairs in a row that last so long.
func stand(time fleet.Instant) Figures {
	if fleet.Span(time) < longStand {
		return Figures{}
	}
	return Figures{Stands: 1, StandTime: fleet.Span(time)}
}

// speeding returns the figures of pairs over the limit in a row that last so long.
func speeding(time fleet.Instant) Figures {
	if fleet.Span(time) < overSpan {
		return Figures{}
	}
	return Figures{OverSpans: 1, OverTime: fleet.Span(time)}
}

// Tally returns what fixes in a row, in the order of their event times, add up to for each sheet, and the trail they leave.
func Tally(fixes ...Point) (Trail, map[Sheet]Figures) {
	var trail Trail
	sums := map[Sheet]Figures{}
	for _, fix := range fixes {
		var figures Figures
		trail, figures = trail.Add(fix)
		sums[fix.Sheet] = sums[fix.Sheet].Plus(figures)
	}
	return trail, sums
}
