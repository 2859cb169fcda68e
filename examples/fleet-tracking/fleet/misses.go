package fleet

import (
	"math"
	"slices"
)

// horizons are how long before an arrival forecasts are measured, in seconds. Until it is known how far they are off so long ahead,
// guesses are taken, as many seconds to either side.
var (
	horizons = [...]float64{120, 300, 600, 900}
	guesses  = [...]float64{75, 130, 200, 280}
)

// Horizons are how long before an arrival forecasts are measured, in seconds.
func Horizons() []float64 { return slices.Clone(horizons[:]) }

const (
	enoughMisses = 100 // to know how far forecasts are off
	mostMisses   = 200 // kept; the newest count
)

// Misses are by how many seconds runs arrived later than they were told, a whole number each.
type Misses struct {
	Days []MissesOfDay `json:"dias,omitempty"` // in their order
	Low  int           `json:"de,omitempty"`   // the 10th percentile
	High int           `json:"ate,omitempty"`  // the 90th
}

// MissesOfDay are those of the arrivals of a day, in the order in which they came.
type MissesOfDay struct {
	Day     int64 `json:"dia"` // since 1970, UTC
	Seconds []int `json:"segundos"`
}

func (m Misses) count() int {
	n := 0
	for _, d := range m.Days {
		n += len(d.Seconds)
	}
	return n
}

// add takes in one more. Of days that are too old, and of those that are too many, none is left.
func (m Misses) add(day int64, seconds int) Misses {
	days := slices.Clone(m.Days)
	i := slices.IndexFunc(days, func(d MissesOfDay) bool { return d.Day >= day })
	switch {
	case i < 0:
		i = len(days)
		days = append(days, MissesOfDay{Day: day})
	case days[i].Day > day:
		days = slices.Insert(days, i, MissesOfDay{Day: day})
	}
	days[i].Seconds = append(slices.Clone(days[i].Seconds), seconds)
	m.Days = days
	newest := days[len(days)-1].Day
	for !counts(m.Days[0].Day, newest) {
		m.Days = m.Days[1:]
	}
	if m.count() > mostMisses {
		m.Days[0].Seconds = m.Days[0].Seconds[1:]
		if len(m.Days[0].Seconds) == 0 {
			m.Days = m.Days[1:]
		}
	}
	m.Low, m.High = m.percentiles()
	return m
}

func (m Misses) percentiles() (tenth, ninetieth int) {
	all := make([]int, 0, mostMisses)
	for _, d := range m.Days {
		all = append(all, d.Seconds...)
	}
	slices.Sort(all)
	return all[len(all)/10], all[len(all)*9/10]
}

// spreads are how much sooner and later than told runs arrive, in seconds, by horizon.
type spreads [len(horizons)]struct{ low, high float64 }

// spreads always hold what was told: a range whose ends are both on one side of it would puzzle.
func (h History) spreads() spreads {
	var s spreads
	for i, misses := range h.Errors {
		if misses.count() < enoughMisses {
			s[i].low, s[i].high = -guesses[i], guesses[i]
		} else {
			s[i].low, s[i].high = min(0, float64(misses.Low)), max(0, float64(misses.High))
		}
	}
	return s
}

// at returns the spread of a forecast for a number of seconds ahead. It is interpolated between horizons, and constant before the first and
// after the last.
func (s spreads) at(ahead float64) (low, high Instant) {
	last := len(horizons) - 1
	i := 0
	for i < last && horizons[i+1] < ahead {
		i++
	}
	next, part := min(i+1, last), 0.0
	if next > i {
		part = min(1, max(0, (ahead-horizons[i])/(horizons[next]-horizons[i])))
	}
	between := func(a, b float64) Instant { return Instant(math.Round((a + part*(b-a)) * 1000)) }
	return between(s[i].low, s[next].low), between(s[i].high, s[next].high)
}
