package fleet

import (
	"cmp"
	"slices"
)

// Delivery is what a customer was promised. It is the value of topic entregas, keyed by delivery. The delivery is a stop of its trip: the
// stop's id is that of the delivery.
type Delivery struct {
	ID       string  `json:"entrega"`
	Customer string  `json:"cliente,omitempty"`
	Trip     string  `json:"viagem"`
	Day      string  `json:"data"`  // service day of the trip, YYYYMMDD
	Order    int     `json:"ordem"` // among the deliveries of the trip, from 1
	Lat      float64 `json:"lat"`
	Lon      float64 `json:"lon"`
	Radius   float64 `json:"raio,omitempty"`        // metres around the place that count as being there; 0: 50
	MinDwell float64 `json:"permanencia,omitempty"` // seconds that a vehicle stays if it delivers; 0: 60
	From     Instant `json:"de"`                    // the promised window
	To       Instant `json:"ate"`                   // its end
}

// DeliveryRecord is what a driver notes about a delivery. It is the value of topic registros-de-entrega, keyed by delivery. It overrules
// what positions tell.
type DeliveryRecord struct {
	ID      string  `json:"entrega"`
	Driver  string  `json:"motorista,omitempty"`
	Failed  bool    `json:"falhou,omitempty"` // not delivered
	Reason  string  `json:"motivo,omitempty"` // of a failure
	Instant Instant `json:"instante"`         // when the driver noted it
}

// Assignments are the drives of a vehicle. It is the value of topic atribuicoes, keyed by vehicle.
type Assignments struct {
	Drives []Assignment `json:"atribuicoes"`
}

// Assignment says what a vehicle drives, and who drives it, from one moment up to another.
type Assignment struct {
	Trip   string  `json:"viagem,omitempty"` // empty if only the driver is known
	Day    string  `json:"data,omitempty"`   // service day of the trip, YYYYMMDD
	Driver string  `json:"motorista,omitempty"`
	From   Instant `json:"de"`  // inclusive
	To     Instant `json:"ate"` // exclusive
}

// At returns the assignment at a moment; of several, the one that began last.
func (a Assignments) At(moment Instant) (Assignment, bool) {
	var found Assignment
	ok := false
	for _, drive := range a.Drives {
		if drive.From <= moment && moment < drive.To && (!ok || drive.From >= found.From) {
			found, ok = drive, true
		}
	}
	return found, ok
}

// Assigned returns the position with the trip that its vehicle is assigned to at that time. A position that names its trip keeps it.
func (p Position) Assigned(a Assignments, _ bool) Position {
	if p.OnTrip() {
		return p
	}
	if drive, ok := a.At(p.Instant); ok {
		p.Trip, p.Day = drive.Trip, drive.Day
	}
	return p
}

// Merge adds the drives of a plan that was made later. Drives that begin within the span of the later plan are replaced by it, so that a
// day's plan may be loaded again; those before and after remain.
func (a Assignments) Merge(later Assignments) Assignments {
	if len(later.Drives) == 0 {
		return a
	}
	from, to := later.Drives[0].From, later.Drives[0].To
	for _, drive := range later.Drives {
		from, to = min(from, drive.From), max(to, drive.To)
	}
	var all []Assignment
	for _, drive := range a.Drives {
		if drive.From < from || drive.From >= to {
			all = append(all, drive)
		}
	}
	all = append(all, later.Drives...)
	slices.SortStableFunc(all, func(a, b Assignment) int { return cmp.Compare(a.From, b.From) })
	return Assignments{Drives: all}
}
