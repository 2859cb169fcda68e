package conduct

import (
	"maps"
	"slices"
	"strconv"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Part is what a vehicle's fixes add to a sheet.
type Part struct {
	Figures
	Peaks
}

// Grade says how a departure at a timepoint compares with the plan, or an arrival at a delivery with the promised window.
type Grade string

const (
	OnTime Grade = "pontual"   // a departure from 60 s early to 300 s late; an arrival within the window
	Early  Grade = "adiantada" // earlier
	Late   Grade = "atrasada"  // later
)

const (
	early = 60.0 // seconds
	late  = 300.0
)

// Gradable reports whether punctuality is measured at a stop: at a delivery, or at a timepoint whose plan is known, except the last stop
// of a trip.
func Gradable(v fleet.Visit) bool {
	return v.Promise != nil || v.Timepoint && !v.Last && !v.Headway
}

// GradeOf returns the grade of a visit. It is false if the stop is not gradable, if the vehicle has not left a timepoint yet, or if
// its fixes do not tell whether it arrived at a delivery in time.
func GradeOf(v fleet.Visit) (Grade, bool) {
	if v.Promise != nil {
		return gradeDelivery(v)
	}
	if !Gradable(v) || v.Left == 0 {
		return "", false
	}
	switch delay := v.Left.Since(v.Leaves); {
	case delay < -early:
		return Early, true
	case delay > late:
		return Late, true
	}
	return OnTime, true
}

// gradeDelivery grades an arrival at a delivery.
func gradeDelivery(v fleet.Visit) (Grade, bool) {
	promised := fleet.Delivery{From: v.Promise.From, To: v.Promise.To}
	switch o := promised.Outcome(v.High, fleet.Evidence{Visit: &v}); {
	case !o.Timed:
		return "", false
	case o.Early > 0:
		return Early, true
	case o.Late > 0:
		return Late, true
	}
	return OnTime, true
}

// Call is a departure at a timepoint, or an arrival at a delivery. Without a grade it takes back the one before: the vehicle had not left for good.
type Call struct {
	fleet.Run
	Sequence int   `json:"sequencia"`
	Grade    Grade `json:"grau,omitempty"`
}

// Key names the stop of the run.
func (c Call) Key() string {
	return c.Vehicle + "|" + c.Trip + "|" + c.Day + "|" + c.Start + "|" + strconv.Itoa(c.Sequence)
}

// Stretch is a part of a run whose fixes can be compared with the route. Detour is when the off-route episode of the run began, 0 if it
// is on its route.
type Stretch struct {
	Vehicle string        `json:"veiculo"`
	Trip    string        `json:"viagem"`
	Day     string        `json:"data,omitempty"` // service day
	Detour  fleet.Instant `json:"desvio,omitempty"`
}

func (s Stretch) key() string { return s.Vehicle + "|" + s.Trip + "|" + s.Day }

// Entry adds to a sheet: exactly one of Part, Call and Stretch is set. A part replaces the earlier part of its vehicle.
type Entry struct {
	Sheet
	From    string   `json:"de,omitempty"` // the vehicle of the part
	Part    *Part    `json:"parte,omitempty"`
	Call    *Call    `json:"partida,omitempty"`
	Stretch *Stretch `json:"percurso,omitempty"`
}

// Book is all that is known of a sheet. The zero value knows nothing; a Book is a value, and Add leaves the one it is called on as it was.
// The same entry twice counts once.
type Book struct {
	Parts map[string]Part            `json:"partes,omitempty"`    // by vehicle
	Calls map[string]Grade           `json:"partidas,omitempty"`  // by call
	Runs  map[string][]fleet.Instant `json:"percursos,omitempty"` // beginnings of detours, by run
}

// Add takes in an entry and reports whether it changes anything.
func (b Book) Add(e Entry) (Book, bool) {
	switch {
	case e.Part != nil:
		if b.Parts[e.From] == *e.Part {
			return b, false
		}
		b.Parts = with(b.Parts, e.From, *e.Part)
	case e.Call != nil:
		if b.Calls[e.Call.Key()] == e.Call.Grade {
			return b, false
		}
		b.Calls = with(b.Calls, e.Call.Key(), e.Call.Grade)
		if e.Call.Grade == "" {
			delete(b.Calls, e.Call.Key())
		}
	case e.Stretch != nil:
		run, detour := e.Stretch.key(), e.Stretch.Detour
		detours, known := b.Runs[run]
		if known && (detour == 0 || slices.Contains(detours, detour)) {
			return b, false
		}
		if detour != 0 {
			detours = append(slices.Clip(detours), detour)
			slices.Sort(detours)
		}
		b.Runs = with(b.Runs, run, detours)
	}
	return b, true
}

// with returns the map with one more entry; it leaves m as it was.
func with[V any](m map[string]V, key string, value V) map[string]V {
	m = maps.Clone(m)
	if m == nil {
		m = map[string]V{}
	}
	m[key] = value
	return m
}
