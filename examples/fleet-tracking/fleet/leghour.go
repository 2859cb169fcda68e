package fleet

import (
	"cmp"
	"math"
)

// LegKey names the legs from a stop to the next that begin in the same local hour.
type LegKey struct {
	From string `json:"daParada"`
	To   string `json:"aParada"`
	Hour int    `json:"hora"`
}

// LegKeyOf is where a leg counts.
func LegKeyOf(l Leg) LegKey { return LegKey{l.From, l.To, l.Hour} }

// Compare orders keys by the stops and the hour.
func (k LegKey) Compare(other LegKey) int {
	return cmp.Or(cmp.Compare(k.From, other.From), cmp.Compare(k.To, other.To), cmp.Compare(k.Hour, other.Hour))
}

// drive is one drive of a leg.
type drive struct {
	Left          Instant `json:"t"`
	Driven        Span    `json:"s"`
	Planned       Span    `json:"sp"` // where Timed
	Timed         bool    `json:"h,omitempty"`
	Metres        Length  `json:"m,omitempty"` // where Measured
	PlannedMetres Length  `json:"mp"`
	Measured      bool    `json:"md,omitempty"`
	Dwell         Span    `json:"e,omitempty"` // at the stop before, where Dwelt
	Dwelt         bool    `json:"em,omitempty"`
}

func driveOf(l Leg) drive {
	d := drive{
		Left: l.Left, Driven: seconds(l.Driven), Planned: seconds(l.Planned), Timed: !l.Untimed, PlannedMetres: Metres(l.PlannedMetres),
	}
	if l.DrivenMetres != nil {
		d.Metres, d.Measured = Metres(*l.DrivenMetres), true
	}
	if l.Dwell != nil {
		d.Dwell, d.Dwelt = seconds(*l.Dwell), true
	}
	return d
}

func seconds(x float64) Span { return Span(math.Round(x * 1000)) }

func (d drive) at() Instant { return d.Left }

func (d drive) compare(other drive) int {
	return cmp.Or(
		cmp.Compare(d.Left, other.Left), cmp.Compare(d.Driven, other.Driven), cmp.Compare(d.Planned, other.Planned), compareBools(d.Timed, other.Timed),
		cmp.Compare(d.Metres, other.Metres), cmp.Compare(d.PlannedMetres, other.PlannedMetres), compareBools(d.Measured, other.Measured),
		cmp.Compare(d.Dwell, other.Dwell), compareBools(d.Dwelt, other.Dwelt),
	)
}

func compareBools(a, b bool) int {
	switch {
	case a == b:
		return 0
	case b:
		return -1
	}
	return 1
}

// LegHour are the latest drives of the legs of a LegKey. It is a value; the zero value has none.
type LegHour struct {
	LegKey
	Drives recent[drive] `json:"trechos"`
}

// Apply adds a leg or takes it back.
func (h LegHour) Apply(c LegChange) LegHour {
	return LegHour{LegKeyOf(c.Value), apply(h.Drives, c, driveOf(c.Value), sumPeriod)}
}

// LegSummary sums up the drives of the legs of a LegKey. It is the value of topic trechos-por-hora.
//
// Times are in seconds, distances in metres. Driven distances are those from fix to fix, which cut corners: 0.94 of the planned
// one is normal with 30 s between fixes.
type LegSummary struct {
	LegKey
	Legs          int    `json:"trechos"`           // drives that are summed up
	Driven        Span   `json:"segundos"`          // sum
	Median        Span   `json:"mediana"`           // of the driven times
	Timed         int    `json:"comHorario"`        // legs that have a planned time
	Planned       Span   `json:"segundosPrevistos"` // sum, of these
	Lost          Span   `json:"perdidos"`          // driven less planned, of these
	PlannedMetres Length `json:"metrosPrevistos"`   // sum, of all drives
	Measured      int    `json:"medidos"`           // legs whose driven distance is known
	Metres        Length `json:"metros"`            // of these
	Dwells        int    `json:"esperas"`           // legs whose dwell at the stop before is known
	Dwell         Span   `json:"medianaDaEspera"`   // median
}

// Summary sums up the drives.
func (h LegHour) Summary() LegSummary {
	s := LegSummary{LegKey: h.LegKey, Legs: len(h.Drives)}
	var driven, dwells []Span
	for _, d := range h.Drives {
		if d.Timed {
			s.Timed++
			s.Planned += d.Planned
			s.Lost += d.Driven - d.Planned
		}
		s.Driven += d.Driven
		s.PlannedMetres += d.PlannedMetres
		driven = append(driven, d.Driven)
		if d.Measured {
			s.Measured++
			s.Metres += d.Metres
		}
		if d.Dwelt {
			dwells = append(dwells, d.Dwell)
		}
	}
	s.Dwells = len(dwells)
	s.Median, s.Dwell = median(driven), median(dwells)
	return s
}
