package fleet

import (
	"math"
	"slices"
)

const (
	longestTold = 1200 // seconds: forecasts further ahead are not remembered
	oftenTold   = 15   // seconds between forecasts that are remembered, at least
	nearHorizon = 30.0 // seconds from a horizon at which a forecast still counts for it
)

// Told is what a run was told lately. It measures forecasts when the run arrives. The zero value is the beginning; a Told is a value, and
// Hear leaves the one it is called on as it was. What it keeps does not grow with the number of fixes.
type Told struct {
	Latest    Instant  `json:"instante"`
	Path      string   `json:"trajeto"`
	Stops     []int    `json:"sequencias"` // that were ahead at the first forecast
	Forecasts []toldAt `json:"previsoes,omitempty"`
	Arrived   int      `json:"chegou,omitempty"` // sequence of the latest stop, once it is measured
	Leg       *LegTime `json:"trecho,omitempty"` // the latest that counts
}

// toldAt is what was told at one fix.
type toldAt struct {
	At    Instant `json:"t"`
	First int     `json:"i"` // index of the first stop
	Ahead []int   `json:"s"` // seconds to the arrival there, and at those behind it
}

// LastFix is the time of the run's latest fix, 0 before the first.
func (t Told) LastFix() Instant { return t.Latest }

// Hear takes in what a fix of the run tells, and the history of its path. It returns both as they are then, and the forecast; it has no
// stops when none is ahead.
func (t Told) Hear(stops Stops, past History) (Told, History, Forecast) {
	if t.Path != stops.Forecast.Path { // the first fix, or a new timetable
		t = Told{Path: stops.Forecast.Path}
	}
	t.Latest = max(t.Latest, stops.Forecast.Instant)
	for _, leg := range stops.Legs {
		drive, ok := leg.Counts()
		if !ok {
			continue
		}
		if t.Leg != nil && t.Leg.Sequence == drive.Sequence { // told again, with a better arrival at the last stop
			past = past.Forget(*t.Leg)
		}
		past = past.Add(drive)
		t.Leg = &drive
	}
	for _, v := range stops.Visits {
		if v.Arrived == 0 || v.Sequence <= t.Arrived {
			continue
		}
		t.Arrived = v.Sequence
		for horizon := range horizons {
			if miss, ok := t.miss(v, horizons[horizon]); ok {
				past = past.Missed(horizon, v.Arrived, miss)
			}
		}
	}
	told := stops.Forecast.With(past)
	return t.remember(told), past, told
}

// remember keeps a forecast for as long as it may be measured.
func (t Told) remember(f Forecast) Told {
	if n := len(t.Forecasts); len(f.Stops) == 0 || n > 0 && f.Instant.Since(t.Forecasts[n-1].At) < oftenTold {
		return t
	}
	if t.Stops == nil {
		for _, stop := range f.Stops {
			t.Stops = append(t.Stops, stop.Sequence)
		}
	}
	first, known := slices.BinarySearch(t.Stops, f.Stops[0].Sequence)
	if !known {
		return t
	}
	told := toldAt{At: f.Instant, First: first}
	for _, stop := range f.Stops {
		ahead := stop.Arrives.Since(f.Instant)
		if ahead > longestTold {
			break
		}
		told.Ahead = append(told.Ahead, int(math.Round(ahead)))
	}
	old := 0
	for old < len(t.Forecasts) && f.Instant.Since(t.Forecasts[old].At) > longestTold {
		old++
	}
	t.Forecasts = append(slices.Clone(t.Forecasts[old:]), told)
	return t
}

// miss is by how many seconds a run arrived later than it was told so long ahead; false if it was told nothing about then.
func (t Told) miss(v Visit, horizon float64) (seconds float64, ok bool) {
	times := make([]Instant, len(t.Forecasts))
	for i, told := range t.Forecasts {
		times[i] = told.At
	}
	i, ok := Ahead(times, v.Arrived, horizon)
	stop, known := slices.BinarySearch(t.Stops, v.Sequence)
	if !ok || !known {
		return 0, false
	}
	told := t.Forecasts[i]
	if stop < told.First || stop >= told.First+len(told.Ahead) {
		return 0, false
	}
	return v.Arrived.Since(told.At) - float64(told.Ahead[stop-told.First]), true
}

// Ahead finds, of the fixes of a run in their order, the one at which a forecast is measured that far ahead of an arrival, in seconds: the
// nearest, if it is at most 30 s away or, when fixes are rare, half the usual time between two, up to 60 s.
func Ahead(fixes []Instant, arrived Instant, horizon float64) (index int, ok bool) {
	nearest := math.Inf(1)
	for i, at := range fixes {
		if off := math.Abs(arrived.Since(at) - horizon); at < arrived && off < nearest {
			index, nearest = i, off
		}
	}
	if nearest <= nearHorizon || nearest > 2*nearHorizon {
		return index, nearest <= nearHorizon
	}
	return index, nearest <= usualInterval(fixes)/2
}

// usualInterval is the median time between two fixes in a row, in seconds.
func usualInterval(fixes []Instant) float64 {
	var intervals []float64
	for i := 1; i < len(fixes); i++ {
		intervals = append(intervals, fixes[i].Since(fixes[i-1]))
	}
	if len(intervals) == 0 {
		return 0
	}
	slices.Sort(intervals)
	return intervals[len(intervals)/2]
}
