package fleet

// enough is the number of drives of a leg, or of dwells before it, from which on their median replaces the plan.
const enough = 5

// PlannedTrip is a trip with its stops and times, without its line.
type PlannedTrip struct {
	ID    string        `json:"viagem"`
	Route string        `json:"linha,omitempty"`
	Stops []PlannedStop `json:"paradas"`
}

// PlannedStop is a stop of a PlannedTrip. Times are in seconds as in Stop.
type PlannedStop struct {
	Sequence int    `json:"sequencia"`
	ID       string `json:"parada"`
	Due      int    `json:"chegada"`
	Leaves   int    `json:"partida"`
}

// Planned returns the schedule with the stops of its path; false if it has no times to correct, or the path is not its own, as one of
// another number of stops is not.
func (s *Schedule) Planned(path Path) (PlannedTrip, bool) {
	if !s.Correctable() || len(s.Times) != len(path.Stops) {
		return PlannedTrip{}, false
	}
	t := PlannedTrip{s.ID, s.Route, make([]PlannedStop, len(s.Times))}
	for i, stop := range path.Stops {
		t.Stops[i] = PlannedStop{stop.Sequence, stop.ID, s.Times[i][0], s.Times[i][1]}
	}
	return t, true
}

// Correctable reports whether the schedule has times that can be corrected. Those of a trip that keeps a headway are of no run.
func (s *Schedule) Correctable() bool { return !s.Untimed && s.Frequency == "" }

// LegHours are the local hours in which legs begin by plan: the leg from a stop to the next in that of the departure at the stop.
func (s *Schedule) LegHours() []int {
	hours := make([]int, max(0, len(s.Times)-1))
	for i := range hours {
		hours[i] = hourOf(s.Times[i][1])
	}
	return hours
}

// hourOf is the hour of a time of a service day.
func hourOf(seconds int) int { return seconds / 3600 % 24 }

// Advice is how long a leg takes, and how long vehicles stay at the stop before, where enough is known of it.
type Advice struct {
	Driven Span `json:"segundos"`
	Drives bool `json:"comTrecho,omitempty"`
	Dwell  Span `json:"espera"`
	Dwells bool `json:"comEspera,omitempty"`
}

// Advice is that for the trips that plan the leg.
func (s LegSummary) Advice() Advice {
	var a Advice
	if s.Legs >= enough {
		a.Driven, a.Drives = s.Median, true
	}
	if s.Dwells >= enough {
		a.Dwell, a.Dwells = s.Dwell, true
	}
	return a
}

// CorrectedTrip is a trip as it is driven. It is the value of topic horarios-corrigidos, keyed by trip.
type CorrectedTrip struct {
	ID        string          `json:"viagem"`
	Route     string          `json:"linha,omitempty"`
	Corrected int             `json:"trechosCorrigidos"` // legs of which enough is known
	Stops     []CorrectedStop `json:"paradas"`           // in the order of the trip
}

// CorrectedStop is a stop of a CorrectedTrip. Times are in seconds as in Stop.
type CorrectedStop struct {
	Sequence int    `json:"sequencia"`
	ID       string `json:"parada"`
	Due      Span   `json:"chegada"`   // arrival, from noon minus 12 hours of the service day
	Leaves   Span   `json:"partida"`   // departure, likewise
	Planned  Times  `json:"previstos"` // arrival and departure of the timetable, in seconds
}

// Corrected returns the timetable of the trip, corrected by advice. It begins with the planned departure at the first stop. Each leg, and
// the stay before it, takes the time that advice gives, or else the planned time. The arguments of advice are the index of the stop at
// which the leg begins, and the hour.
func (t PlannedTrip) Corrected(advice func(index, hour int) Advice) CorrectedTrip {
	corrected := CorrectedTrip{ID: t.ID, Route: t.Route, Stops: make([]CorrectedStop, len(t.Stops))}
	known := make([]Advice, len(t.Stops))
	for i := range max(0, len(t.Stops)-1) {
		if known[i] = advice(i, hourOf(t.Stops[i].Leaves)); known[i] != (Advice{}) {
			corrected.Corrected++
		}
	}
	for i, p := range t.Stops {
		stop := CorrectedStop{Sequence: p.Sequence, ID: p.ID, Planned: Times{p.Due, p.Leaves}}
		if i == 0 {
			stop.Due, stop.Leaves = whole(p.Due), whole(p.Leaves)
		} else {
			way := known[i-1]
			stop.Due = corrected.Stops[i-1].Leaves + either(way.Drives, way.Driven, p.Due-t.Stops[i-1].Leaves)
			stop.Leaves = stop.Due + either(known[i].Dwells, known[i].Dwell, p.Leaves-p.Due)
		}
		corrected.Stops[i] = stop
	}
	return corrected
}

// either returns the measured value if there is one, else the planned value.
func either(known bool, value Span, planned int) Span {
	if known {
		return value
	}
	return whole(planned)
}

func whole(seconds int) Span { return Span(seconds) * 1000 }
