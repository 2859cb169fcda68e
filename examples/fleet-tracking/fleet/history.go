package fleet

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// History is what the runs of a path have shown: how long its legs take, and how far forecasts were off. The zero value has seen
// nothing. A History is a value: the methods that take something in leave the one they are called on as it was. It keeps what is at most
// a week old, in sums and in a bounded number of errors, so it does not grow with the number of runs.
type History struct {
	Latest Instant               `json:"chegada"`           // the latest arrival that it has seen
	Legs   []PastLeg             `json:"trechos,omitempty"` // sorted by Sequence
	Errors [len(horizons)]Misses `json:"erros"`             // of forecasts told so long ahead
}

// PastLeg is how long runs took from the stop before to a stop.
type PastLeg struct {
	Sequence int       `json:"aSequencia"` // of the stop, the timetable's stop_sequence
	Days     []PastDay `json:"dias"`       // in their order
}

// PastDay is a sum over the runs of a day.
type PastDay struct {
	Day  int64 `json:"dia"` // since 1970, UTC
	Runs int64 `json:"viagens"`
	Time Span  `json:"segundos"`
}

const daysKept = 7

// HistoryKept is how long what runs have shown counts.
const HistoryKept = daysKept * 24 * time.Hour

// LastFix is the time of the latest arrival, 0 before the first.
func (h History) LastFix() Instant { return h.Latest }

func dayOf(at Instant) int64 { return int64(at / Seconds(24*60*60)) }

// counts reports whether a day counts at a moment of another.
func counts(day, today int64) bool { return day > today-daysKept && day <= today }

// took is how many runs took how long for the leg to a stop, in the week up to a moment.
func (h History) took(sequence int, now Instant) (runs int64, time Span) {
	i, known := h.leg(sequence)
	if !known {
		return 0, 0
	}
	for _, d := range h.Legs[i].Days {
		if counts(d.Day, dayOf(now)) {
			runs += d.Runs
			time += d.Time
		}
	}
	return runs, time
}

func (h History) leg(sequence int) (index int, known bool) {
	return slices.BinarySearchFunc(h.Legs, sequence, func(l PastLeg, sequence int) int { return cmp.Compare(l.Sequence, sequence) })
}

// LegTime is how long a run took from the stop before to a stop.
type LegTime struct {
	Sequence int     `json:"aSequencia"` // of the stop
	Arrived  Instant `json:"chegada"`
	Time     Span    `json:"segundos"` // arrival to arrival
}

// Add takes in how long a run of the path took.
func (h History) Add(d LegTime) History {
	h.Latest = max(h.Latest, d.Arrived)
	return h.plus(d.Sequence, PastDay{dayOf(d.Arrived), 1, d.Time})
}

// Forget takes it back.
func (h History) Forget(d LegTime) History {
	return h.plus(d.Sequence, PastDay{dayOf(d.Arrived), -1, -d.Time})
}

func (h History) plus(sequence int, day PastDay) History {
	i, known := h.leg(sequence)
	h.Legs = slices.Clone(h.Legs)
	if !known {
		h.Legs = slices.Insert(h.Legs, i, PastLeg{Sequence: sequence})
	}
	h.Legs[i].Days = plus(h.Legs[i].Days, day)
	return h
}

// plus adds to the sum of a day, and forgets days that are too old to count.
func plus(days []PastDay, more PastDay) []PastDay {
	i, known := slices.BinarySearchFunc(days, more.Day, func(d PastDay, day int64) int { return cmp.Compare(d.Day, day) })
	days = slices.Clone(days)
	if !known {
		days = slices.Insert(days, i, PastDay{Day: more.Day})
	}
	days[i].Runs += more.Runs
	days[i].Time += more.Time
	newest := days[len(days)-1].Day
	return slices.DeleteFunc(days, func(d PastDay) bool { return d.Runs == 0 || !counts(d.Day, newest) })
}

// Missed takes in that a run arrived so many seconds later than it was told that long ahead.
func (h History) Missed(horizon int, arrived Instant, seconds float64) History {
	h.Latest = max(h.Latest, arrived)
	h.Errors[horizon] = h.Errors[horizon].add(dayOf(arrived), int(math.Round(seconds)))
	return h
}
