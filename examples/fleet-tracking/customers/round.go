package customers

import (
	"cmp"
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Round is the run of a vehicle from delivery to delivery, as far as it is known. The zero value is the beginning. A Round is a value: its
// methods leave the one that they are called on as it was.
//
// It learns the stops of the run from forecasts, which name all stops ahead, and from visits, which name those that lie behind the first
// fix.
type Round struct {
	Run    fleet.Run     `json:"percurso"`
	Stops  []call        `json:"paradas"`          // in the order of the trip
	Began  fleet.Instant `json:"inicio,omitempty"` // the first forecast
	Heard  fleet.Instant `json:"instante"`
	Passed int           `json:"passada,omitempty"` // one more than the sequence of the farthest stop that it has left
	Left   bool          `json:"saiu,omitempty"`    // the first stop
}

// call is a stop of a round.
type call struct {
	Sequence int           `json:"sequencia"`
	Stop     string        `json:"parada"`
	Delivery bool          `json:"entrega,omitempty"`
	There    fleet.Instant `json:"visitada,omitempty"` // when it became known that the vehicle was there; 0 if it was not
	Behind   bool          `json:"atras,omitempty"`    // the first fix lies past it
}

// Key is the name of a run as a key of a store.
func runKey(run fleet.Run) string {
	return run.Vehicle + "|" + run.Trip + "|" + run.Day + "|" + run.Start
}

// Known reports whether the round has a delivery.
func (r Round) Known() bool { return len(r.Stops) > 0 }

// Forecast takes in a forecast, and returns what it tells of the deliveries ahead.
func (r Round) Forecast(f fleet.Forecast) (Round, []Event) {
	r.Run = f.Run
	r.Began, r.Heard = earlier(r.Began, f.Instant), max(r.Heard, f.Instant)
	for _, e := range f.Stops {
		r = r.with(call{Sequence: e.Sequence, Stop: e.Stop, Delivery: e.Delivery})
	}
	r = r.settle(f.Instant)
	var events []Event
	for _, e := range f.Stops {
		i, _ := r.find(e.Sequence)
		if stop := r.Stops[i]; !e.Delivery || stop.There != 0 {
			continue
		}
		event := r.event(Forecast, i, f.Instant)
		event.Expects = &e
		events = append(events, event)
	}
	return r, events
}

// Visit takes in a visit that became known at a moment, and returns what it tells of the delivery there and of the others of the run.
func (r Round) Visit(v fleet.Visit, at fleet.Instant) (Round, []Event) {
	r.Run = v.Run
	r.Heard = max(r.Heard, at)
	r = r.with(call{Sequence: v.Sequence, Stop: v.Stop, Delivery: v.Promise != nil})
	here, _ := r.find(v.Sequence)
	var events []Event
	if r.Stops[here].Delivery {
		event := r.event(Visit, here, at)
		event.Visit = &v
		events = append(events, event)
	}
	if v.There() && r.Stops[here].There == 0 {
		r = r.arrive(here, at)
		if r.Stops[here].Delivery {
			events = append(events, r.passes(here, v, at)...)
		}
	}
	before := r
	behind := v.How == fleet.NotSeen
	r = r.mark(here, behind)
	if v.Left != 0 || behind && here > 0 {
		r.Left, r.Passed = true, max(r.Passed, v.Sequence+1)
	}
	if v.There() && here > 0 {
		r.Left = true
	}
	if r.Left != before.Left || r.Passed != before.Passed {
		for i := range r.Stops {
			if r.isAhead(i) {
				events = append(events, r.event(Advance, i, at))
			}
		}
	}
	return r, events
}

// settle decides whether the run had left its first stop before its first fix. There every run is told to be past the stop at first, even
// one that stands there and is told to be there next.
func (r Round) settle(now fleet.Instant) Round {
	if first := r.Stops[0]; first.Behind && first.There == 0 && now-r.Began >= minute {
		r.Left, r.Passed = true, max(r.Passed, first.Sequence+1)
	}
	return r
}

// passes tells the earlier deliveries where the vehicle has not been that it is at a later one.
func (r Round) passes(here int, v fleet.Visit, at fleet.Instant) []Event {
	var events []Event
	for i, stop := range r.Stops[:here] {
		if stop.Delivery && stop.There == 0 {
			event := r.event(Passed, i, at)
			event.Later = cmp.Or(v.Arrived, v.High)
			events = append(events, event)
		}
	}
	return events
}

// Silent tells the deliveries ahead that nothing has been heard of the vehicle since its last fix. As long as it stands where it
// starts, that is no news.
func (r Round) Silent(last fleet.Instant) []Event {
	events := r.toAhead(Silent, last+seconds(silentFor))
	for i := range events {
		events[i].Last = last
	}
	return events
}

// HeardAgain tells the deliveries ahead that the vehicle has sent a fix.
func (r Round) HeardAgain(at fleet.Instant) []Event { return r.toAhead(Heard, at) }

// Time tells that time passes to the deliveries that may learn it from nothing else: those where the vehicle was a short while ago or has not
// been. While it is on the round and sends fixes, forecasts tell those ahead.
func (r Round) Time(now fleet.Instant, underWay bool) []Event {
	var events []Event
	for i, stop := range r.Stops {
		recent := stop.There != 0 && now-stop.There <= hour
		if stop.Delivery && (recent || stop.There == 0 && !(underWay && r.isAhead(i))) {
			events = append(events, r.event(Time, i, now))
		}
	}
	return events
}

func (r Round) toAhead(kind Kind, at fleet.Instant) []Event {
	if !r.Left {
		return nil
	}
	var events []Event
	for i := range r.Stops {
		if r.isAhead(i) {
			events = append(events, r.event(kind, i, at))
		}
	}
	return events
}

// event is an event of the delivery at a stop. A run that begins at a delivery is on its way there once it has been heard of for a
// minute: by then visits have told whether it has another stop behind it.
func (r Round) event(kind Kind, i int, at fleet.Instant) Event {
	e := Event{Kind: kind, Delivery: r.Stops[i].Stop, At: at, Run: r.Run, Started: r.Left}
	if i > 0 {
		e.Next = r.Passed == r.Stops[i-1].Sequence+1
	} else if r.Began != 0 && at-r.Began >= minute {
		e.Started, e.Next = true, true
	}
	return e
}

// isAhead reports whether a stop is a delivery to which the vehicle is still to come.
func (r Round) isAhead(i int) bool {
	stop := r.Stops[i]
	return stop.Delivery && stop.There == 0 && stop.Sequence >= r.Passed
}

// find returns where a stop is, or would be.
func (r Round) find(sequence int) (int, bool) {
	return slices.BinarySearchFunc(r.Stops, sequence, func(c call, sequence int) int { return cmp.Compare(c.Sequence, sequence) })
}

// with adds a stop that is new, or that a new plan has put in the place of another.
func (r Round) with(stop call) Round {
	i, found := r.find(stop.Sequence)
	switch {
	case !found:
		r.Stops = slices.Insert(slices.Clone(r.Stops), i, stop)
	case r.Stops[i].Stop != stop.Stop:
		r.Stops = slices.Clone(r.Stops)
		r.Stops[i] = stop
	}
	return r
}

func (r Round) mark(i int, behind bool) Round {
	if r.Stops[i].Behind != behind {
		r.Stops = slices.Clone(r.Stops)
		r.Stops[i].Behind = behind
	}
	return r
}

func (r Round) arrive(i int, at fleet.Instant) Round {
	r.Stops = slices.Clone(r.Stops)
	r.Stops[i].There = at
	return r
}
