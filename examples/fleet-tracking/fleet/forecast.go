package fleet

import (
	"math"
	"slices"
)

// Forecast tells, at a fix, when the run is expected at each stop ahead. Topic previsoes, keyed by vehicle, has its ForecastRecord. Beside
// what is expected it has the plan of the stops ahead, so that With can tell it again from another history.
type Forecast struct {
	Run
	Path    string     `json:"trajeto"`                  // of the trip: its line and stops
	Instant Instant    `json:"instante"`                 // of the fix
	Timed   bool       `json:"comHorario,omitempty"`     // the run can be late; otherwise planned times say only how long legs take
	Start   Instant    `json:"inicio,omitempty"`         // departure as planned from the first stop, or as usual from the delivery where an untimed run is; 0 once it is over
	Since   Instant    `json:"paradaAnterior,omitempty"` // planned arrival at the stop before; 0 before the first stop
	Left    float64    `json:"resta"`                    // of the way from the stop before to the next: 1 at the former, 0 at the latter
	Delay   *float64   `json:"atraso,omitempty"`         // seconds, at the latest stop that is timed
	Behind  *float64   `json:"atrasoNoLugar,omitempty"`  // seconds, at the place of the fix
	Next    int        `json:"proxima"`                  // sequence of the first stop ahead
	Stops   []Expected `json:"paradas"`                  // in the order of the trip
}

// Expected is when a run is expected at a stop.
type Expected struct {
	Sequence int     `json:"sequencia"` // the timetable's stop_sequence
	Stop     string  `json:"parada"`
	Due      Instant `json:"chegadaPrevista"`           // planned arrival
	Leaves   Instant `json:"partidaPrevista,omitempty"` // of a timepoint only: the run waits there until then
	Arrives  Instant `json:"chegada"`                   // expected arrival
	Low      Instant `json:"de"`                        // four of five such forecasts come true between Low and High
	High     Instant `json:"ate"`
	Known    int     `json:"trechosComHistoria,omitempty"` // legs from here to the stop that other runs have driven
	Delivery bool    `json:"entrega,omitempty"`            // the stop is a delivery, whose id Stop is
}

const (
	shortestLeg = Span(5_000) // a leg is planned to take at least that, whatever the whole minutes of a timetable say
	planWeight  = 2           // times that a leg took as long as planned, beside those that runs took
)

// With tells the forecast from the history of the path. The history method: from the fix, or from the planned start, each leg ahead
// takes the mean of its past times and twice its planned time; of the leg under way what is left of it. The run leaves timepoints not
// before it is planned to.
func (f Forecast) With(past History) Forecast {
	f.Stops = slices.Clone(f.Stops)
	at, before, left, known := max(f.Instant, f.Start), f.Since, f.Left, 0
	spreads := past.spreads()
	for i := range f.Stops {
		stop := &f.Stops[i]
		if before == 0 {
			before, left = stop.Due, 0
		}
		count, sum := past.took(stop.Sequence, f.Instant)
		planned := max(shortestLeg, Span(stop.Due-before))
		at += Instant(math.Round(left * float64(sum+planWeight*planned) / float64(count+planWeight)))
		if count > 0 {
			known++
		}
		low, high := spreads.at(at.Since(f.Instant))
		stop.Arrives, stop.Low, stop.High, stop.Known = at, max(f.Instant, at+low), at+high, known
		if stop.Leaves != 0 { // planned times are from arrival to arrival, so they hold the planned wait
			at = max(at, stop.Due)
		}
		before, left = stop.Due, 1
	}
	return f
}

// BySchedule is when the run arrives at a stop as planned, but not before the fix.
func (f Forecast) BySchedule(stop Expected) Instant { return max(f.Instant, stop.Due) }

// ByPlace is when it arrives with the delay that it has at the place of the fix.
func (f Forecast) ByPlace(stop Expected) Instant { return max(f.Instant, late(stop.Due, f.Behind)) }

// ByLastStop is when it arrives with its delay at the latest stop that is timed or, before any is, at the place of the fix. This is
// what passengers are usually told, so it is what the history method must beat.
func (f Forecast) ByLastStop(stop Expected) Instant {
	if f.Delay == nil {
		return f.ByPlace(stop)
	}
	return max(f.Instant, late(stop.Due, f.Delay))
}

func late(due Instant, delay *float64) Instant {
	if delay == nil {
		return due
	}
	return due + Instant(math.Round(*delay*1000))
}

// outlook is what the plan says of the stops ahead of the run. If the fix is not one of its own with a place, it says nothing of them.
func (v *visiting) outlook(own bool) Forecast {
	trip, now := v.plan.trip, v.Odometer.latest()
	f := Forecast{Run: v.run, Path: trip.Path, Instant: now, Timed: trip.hasDelays()}
	next := v.Next
	if v.At != nil && v.At.Index == next { // in the zone of the last stop, where it may still halt
		next++
	}
	if !own || next >= len(trip.Stops) {
		return f
	}
	due := func(stop Stop) Instant { return v.plan.at(stop.Due) }
	if trip.Untimed {
		due = v.usual(now, next)
		f.Start = v.usualDeparture(now)
	}
	if next > 0 {
		before, ahead := trip.Stops[next-1], trip.Stops[next]
		f.Since, f.Left = due(before), 1
		if ahead.Along > before.Along {
			left := min(1, max(0, (ahead.Along-v.Reached)/(ahead.Along-before.Along)))
			f.Left = math.Round(left*1e6) / 1e6
		}
	}
	if f.Timed {
		f.Delay, f.Behind = v.Delay, v.behind()
		if start := v.plan.at(trip.Stops[0].Leaves); start > now {
			f.Start = start
		}
	}
	f.Next, f.Stops = trip.Stops[next].Sequence, make([]Expected, 0, len(trip.Stops)-next)
	for _, stop := range trip.Stops[next:] {
		e := Expected{Sequence: stop.Sequence, Stop: stop.ID, Due: due(stop), Delivery: stop.Promise != nil}
		if stop.Timepoint && f.Timed {
			e.Leaves = v.plan.at(stop.Leaves)
		}
		f.Stops = append(f.Stops, e)
	}
	return f
}

// behind is how late the run is at the greatest place that it has reached, in seconds, negative when it is early. Where it starts it has
// no delay before its start.
func (v *visiting) behind() *float64 {
	now := v.Latest.At
	early, late := v.plan.off(now, v.Reached)
	behind := millimetres(late - early)
	if v.Reached <= startOfLine && now < v.plan.at(v.plan.trip.Stops[0].Leaves) {
		behind = 0
	}
	return &behind
}
