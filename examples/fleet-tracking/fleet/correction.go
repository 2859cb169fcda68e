package fleet

import "slices"

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

// Planned returns the schedule with the stops of its path; false if it has no times to correct: those of a trip that keeps a headway
// are of no run, and a path of another number of stops is not its own.
func (s *Schedule) Planned(path Path) (PlannedTrip, bool) {
	if s.Untimed || s.Frequency != "" || len(s.Times) != len(path.Stops) {
		return PlannedTrip{}, false
	}
	t := PlannedTrip{s.ID, s.Route, make([]PlannedStop, len(s.Times))}
	for i, stop := range path.Stops {
		t.Stops[i] = PlannedStop{stop.Sequence, stop.ID, s.Times[i][0], s.Times[i][1]}
	}
	return t, true
}

// Part is a leg of a trip: the one that begins at the stop of an index.
type Part struct {
	LegKey
	Trip  string `json:"viagem"`
	Index int    `json:"indice"`
}

// Parts are the legs of the trip. The hour is that of the planned departure.
func (t PlannedTrip) Parts() []Part {
	var parts []Part
	for i := 1; i < len(t.Stops); i++ {
		from, to := t.Stops[i-1], t.Stops[i]
		parts = append(parts, Part{LegKey{from.ID, to.ID, from.Leaves / 3600 % 24}, t.ID, i - 1})
	}
	return parts
}

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

// Advised is advice for a leg of a trip.
type Advised struct {
	Part
	Advice
}

// Correction is a trip and the advice for its legs. It is a value; the zero value is the beginning.
type Correction struct {
	Planned PlannedTrip `json:"viagem"`
	Advised []Advised   `json:"conselhos"` // in the order of the legs, one for each at most
}

// With takes in advice, in place of that for the same leg; advice that knows nothing takes it away.
func (c Correction) With(advised Advised) Correction {
	i, found := slices.BinarySearchFunc(c.Advised, advised.Index, func(a Advised, index int) int { return a.Index - index })
	all := slices.Clone(c.Advised)
	switch known := advised.Advice != (Advice{}); {
	case found && known:
		all[i] = advised
	case found:
		all = slices.Delete(all, i, i+1)
	case known:
		all = slices.Insert(all, i, advised)
	}
	return Correction{c.Planned, all}
}

// CorrectedTrip is a trip as it is driven. It is the value of topic horarios-corrigidos, keyed by trip.
type CorrectedTrip struct {
	ID        string          `json:"viagem"`
	Route     string          `json:"linha,omitempty"`
	Corrected int             `json:"trechosCorrigidos"` // legs of which enough is known
	Stops     []CorrectedStop `json:"paradas"`
}

// CorrectedStop is a stop of a CorrectedTrip. Times are in seconds as in Stop.
type CorrectedStop struct {
	Sequence int    `json:"sequencia"`
	ID       string `json:"parada"`
	Due      Span   `json:"chegada"`
	Leaves   Span   `json:"partida"`
	Planned  Times  `json:"previstos"`
}

// Trip is the timetable of the trip: from the planned departure at the first stop on, each leg takes as long as is known, and so does the stay
// before it, or else as long as planned.
func (c Correction) Trip() CorrectedTrip {
	planned := c.Planned.Stops
	t := CorrectedTrip{ID: c.Planned.ID, Route: c.Planned.Route, Stops: make([]CorrectedStop, len(planned))}
	known := make([]Advice, len(planned))
	for _, a := range c.Advised {
		if i := a.Index; i+1 < len(planned) && planned[i].ID == a.From && planned[i+1].ID == a.To {
			known[i] = a.Advice
			t.Corrected++
		}
	}
	for i, p := range planned {
		stop := CorrectedStop{Sequence: p.Sequence, ID: p.ID, Planned: Times{p.Due, p.Leaves}}
		if i == 0 {
			stop.Due, stop.Leaves = whole(p.Due), whole(p.Leaves)
		} else {
			way := known[i-1]
			stop.Due = t.Stops[i-1].Leaves + either(way.Drives, way.Driven, p.Due-planned[i-1].Leaves)
			stop.Leaves = stop.Due + either(known[i].Dwells, known[i].Dwell, p.Leaves-p.Due)
		}
		t.Stops[i] = stop
	}
	return t
}

// either returns the measured value if there is one, else the planned value.
func either(known bool, value Span, planned int) Span {
	if known {
		return value
	}
	return whole(planned)
}

func whole(seconds int) Span { return Span(seconds) * 1000 }
