package report

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// AddForecast takes in what a run was told at a fix. What is expected depended on what had reached the topology by then; the report tells it again
// from what had happened by then. The plan of the stops ahead is mostly known from an earlier forecast of the run, and then shared with it.
func (r *Report) AddForecast(record fleet.ForecastRecord) {
	f, fixes := record.Forecast, r.forecasts[record.Run]
	if len(fixes) > 0 {
		f.Stops = ahead(fixes[0], f)
	}
	if f.Stops == nil {
		f = record.Whole()
	}
	put(&r.forecasts, f.Run, append(fixes, f))
	r.measured = nil
}

// ahead are the stops of an earlier forecast that are still ahead in a later one; nil if the plan between is not the same.
func ahead(earlier, later fleet.Forecast) []fleet.Expected {
	next := slices.IndexFunc(earlier.Stops, func(e fleet.Expected) bool { return e.Sequence == later.Next })
	since := earlier.Since
	if next > 0 {
		since = earlier.Stops[next-1].Due
	}
	if next < 0 || since != later.Since || earlier.Path != later.Path {
		return nil
	}
	return earlier.Stops[next:]
}

// eta is a forecast of an arrival that is known, told about as long before it as the horizon says.
type eta struct {
	callKey
	horizon  int // index
	arrived  fleet.Instant
	told     fleet.Forecast // up to the stop
	expected fleet.Expected
}

func (e eta) legs() int { return len(e.told.Stops) }

// miss is by how many seconds the run arrived later than told.
func (e eta) miss(told fleet.Instant) float64 { return e.arrived.Since(told) }

// etas are the forecasts of known arrivals, one for each horizon at which there is a fix, told from what had happened in the whole fleet by
// then. They are in the order of runs and stops.
func (r *Report) etas() []eta {
	if r.measured == nil {
		r.measured = r.measure()
	}
	return r.measured
}

func (r *Report) measure() []eta {
	paths := map[string]*pathEvents{}
	of := func(run fleet.Run) *pathEvents {
		fixes := r.forecasts[run]
		if len(fixes) == 0 {
			return nil
		}
		path := fixes[0].Path
		if paths[path] == nil {
			paths[path] = &pathEvents{}
		}
		return paths[path]
	}
	for _, k := range sorted(r.legs, callKey.compare) {
		if drive, ok := r.legs[k].Counts(); ok {
			of(k.Run).drove(drive)
		}
	}
	for run := range r.forecasts {
		slices.SortFunc(r.forecasts[run], func(a, b fleet.Forecast) int { return cmp.Compare(a.Instant, b.Instant) })
	}
	for _, k := range sorted(r.visits, callKey.compare) {
		if v := r.visits[k]; v.Arrived != 0 {
			of(k.Run).arrived(k, v.Arrived, r.forecasts[k.Run])
		}
	}
	var all []eta
	for _, events := range paths {
		all = append(all, events.tell()...)
	}
	slices.SortFunc(all, func(a, b eta) int {
		return cmp.Or(a.callKey.compare(b.callKey), cmp.Compare(a.horizon, b.horizon))
	})
	return all
}

// pathEvents are what happened on a path.
type pathEvents struct{ events []event }

// event is a leg that was driven, a fix at which a forecast is measured, or the arrival that measures it.
type event struct {
	at    fleet.Instant
	kind  int
	drive fleet.LegTime
	eta   *eta
}

const (
	driven = iota // what happened by a fix counts for it
	measured
	told
)

func (p *pathEvents) drove(d fleet.LegTime) {
	if p != nil {
		p.events = append(p.events, event{at: d.Arrived, kind: driven, drive: d})
	}
}

// arrived looks for the fixes at which the forecasts of an arrival are measured.
func (p *pathEvents) arrived(k callKey, at fleet.Instant, fixes []fleet.Forecast) {
	if p == nil {
		return
	}
	instants := make([]fleet.Instant, len(fixes))
	for i, f := range fixes {
		instants[i] = f.Instant
	}
	for horizon, seconds := range fleet.Horizons() {
		i, ok := fleet.Ahead(instants, at, seconds)
		if !ok {
			continue
		}
		fix := fixes[i]
		stop := slices.IndexFunc(fix.Stops, func(e fleet.Expected) bool { return e.Sequence == k.sequence })
		if stop < 0 {
			continue
		}
		fix.Stops = fix.Stops[:stop+1]
		e := &eta{callKey: k, horizon: horizon, arrived: at, told: fix}
		p.events = append(p.events, event{at: fix.Instant, kind: told, eta: e}, event{at: at, kind: measured, eta: e})
	}
}

// tell goes through the events in the order in which they happened.
func (p *pathEvents) tell() []eta {
	slices.SortStableFunc(p.events, func(a, b event) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.kind, b.kind)) })
	var all []eta
	var past fleet.History
	for _, e := range p.events {
		switch e.kind {
		case driven:
			past = past.Add(e.drive)
		case measured:
			past = past.Missed(e.eta.horizon, e.at, e.eta.miss(e.eta.expected.Arrives))
		case told:
			e.eta.told = e.eta.told.With(past)
			e.eta.expected = e.eta.told.Stops[e.eta.legs()-1]
			all = append(all, *e.eta)
		}
	}
	return all
}

// etaRows has how long before an arrival it was told, by each method, and by how much too early.
func etaRows(etas []eta) [][]string {
	rows := [][]string{{
		"vehicle", "trip", "service_day", "stop_sequence", "horizon_s", "at", "arrival", "remaining_s", "legs_with_history",
		"error_schedule", "error_last_stop", "error_place", "error_history",
		"told_schedule", "told_last_stop", "told_place", "told_history", "told_history_low", "told_history_high",
	}}
	for _, e := range etas {
		f, timed := e.told, e.told.Timed
		schedule, lastStop, place := f.BySchedule(e.expected), f.ByLastStop(e.expected), f.ByPlace(e.expected)
		in := func(t fleet.Instant) string { return number(t.Since(f.Instant)) }
		miss := func(t fleet.Instant) string { return number(e.miss(t)) }
		when := func(known bool, text func(fleet.Instant) string, t fleet.Instant) string {
			if !known {
				return ""
			}
			return text(t)
		}
		rows = append(rows, []string{
			e.Vehicle, e.Trip, e.Day, strconv.Itoa(e.sequence), number(fleet.Horizons()[e.horizon]),
			number(f.Instant.Unix()), number(e.arrived.Unix()), in(e.arrived), rounded(float64(e.expected.Known) / float64(e.legs())),
			when(timed, miss, schedule), when(timed, miss, lastStop), when(timed, miss, place), miss(e.expected.Arrives),
			when(timed, in, schedule), when(timed, in, lastStop), when(timed, in, place), in(e.expected.Arrives), in(e.expected.Low), in(e.expected.High),
		})
	}
	return rows
}

// Accuracy is how far forecasts of a horizon are off, in seconds: the median, and what nine of ten do not exceed.
type Accuracy struct {
	Horizon      float64 // seconds before the arrival
	Forecasts    int
	Median, Nine float64
	Baseline     struct{ Median, Nine float64 } // of the same forecasts by the delay at the last stop
	InRange      float64                        // share that came true within the range told
}

// Accuracies says how far forecasts are off, by horizon. Runs that cannot be late are left out: they have no baseline.
func (r *Report) Accuracies() []Accuracy {
	var all []Accuracy
	etas := r.etas()
	for horizon, seconds := range fleet.Horizons() {
		a := Accuracy{Horizon: seconds}
		var history, baseline []float64
		for _, e := range etas {
			if e.horizon != horizon || !e.told.Timed {
				continue
			}
			history = append(history, math.Abs(e.miss(e.expected.Arrives)))
			baseline = append(baseline, math.Abs(e.miss(e.told.ByLastStop(e.expected))))
			if e.expected.Low <= e.arrived && e.arrived <= e.expected.High {
				a.InRange++
			}
		}
		if a.Forecasts = len(history); a.Forecasts == 0 {
			continue
		}
		a.InRange /= float64(a.Forecasts)
		a.Median, a.Nine = middle(history)
		a.Baseline.Median, a.Baseline.Nine = middle(baseline)
		all = append(all, a)
	}
	return all
}

// middle is the median and the 90th percentile.
func middle(values []float64) (median, nine float64) {
	slices.Sort(values)
	return values[len(values)/2], values[len(values)*9/10]
}

// Forecasts sums up in words how far forecasts are off; empty if none could be measured.
func (r *Report) Forecasts() string {
	var parts []string
	for _, a := range r.Accuracies() {
		parts = append(parts, fmt.Sprintf("%.0f s and %.0f s %.0f min ahead (%.0f s and %.0f s)", a.Median, a.Nine, a.Horizon/60, a.Baseline.Median, a.Baseline.Nine))
	}
	if len(parts) == 0 {
		return ""
	}
	return "Arrivals differ from their forecasts, in the median and in nine of ten cases, by at most " + strings.Join(parts, ", ") +
		"; in brackets by the delay at the last stop"
}
