package fleet

import (
	"cmp"
)

// StopKey names the visits of a stop that begin in the same local hour.
type StopKey struct {
	Stop string `json:"parada"`
	Hour int    `json:"hora"`
}

// StopKeyOf is where a visit counts.
func StopKeyOf(v Visit) StopKey { return StopKey{v.Stop, v.Hour} }

// Compare orders keys by the stop and the hour.
func (k StopKey) Compare(other StopKey) int {
	return cmp.Or(cmp.Compare(k.Stop, other.Stop), cmp.Compare(k.Hour, other.Hour))
}

// Stayed reports whether it is known how long the vehicle stayed. At the last stop of a trip nobody knows.
func (v Visit) Stayed() bool { return v.Arrived != 0 && v.Left != 0 && !v.Last }

// stay is one stay at a stop.
type stay struct {
	Arrived Instant `json:"t"`
	Dwell   Span    `json:"s"`
	Between Span    `json:"f"` // the fixes around the arrival
}

func stayOf(v Visit) stay {
	return stay{v.Arrived, Span(v.Left - v.Arrived), Span(v.High - v.Low)}
}

func (s stay) at() Instant { return s.Arrived }

func (s stay) compare(other stay) int {
	return cmp.Or(cmp.Compare(s.Arrived, other.Arrived), cmp.Compare(s.Dwell, other.Dwell), cmp.Compare(s.Between, other.Between))
}

// StopHour are the latest stays of a StopKey. It is a value; the zero value has none.
type StopHour struct {
	StopKey
	Name  string       `json:"nome,omitempty"`
	Stays recent[stay] `json:"visitas"`
}

// Apply adds a visit or takes it back.
func (h StopHour) Apply(c VisitChange) StopHour {
	return StopHour{StopKeyOf(c.Value), c.Value.Name, apply(h.Stays, c, stayOf(c.Value), sumPeriod)}
}

// DwellSummary sums up the stays of a StopKey. It is the value of topic esperas-por-hora. Times are in seconds.
//
// A vehicle that nobody saw stand has a dwell of 0. It may have stayed for up to the time between the fixes around its arrival.
type DwellSummary struct {
	StopKey
	Name   string `json:"nome,omitempty"`
	Visits int    `json:"visitas"`           // stays that are summed up
	Dwell  Span   `json:"segundos"`          // sum
	Median Span   `json:"mediana"`           // of the dwells
	Max    Span   `json:"maxima"`            // longest
	Unseen int    `json:"semParadaVista"`    // visits with a dwell of 0
	UpTo   Span   `json:"semParadaVistaAte"` // sum of the times between the fixes of these
}

// Summary sums up the stays.
func (h StopHour) Summary() DwellSummary {
	s := DwellSummary{StopKey: h.StopKey, Name: h.Name, Visits: len(h.Stays)}
	var dwells []Span
	for _, stay := range h.Stays {
		s.Dwell += stay.Dwell
		s.Max = max(s.Max, stay.Dwell)
		dwells = append(dwells, stay.Dwell)
		if stay.Dwell == 0 {
			s.Unseen++
			s.UpTo += stay.Between
		}
	}
	s.Median = median(dwells)
	return s
}
