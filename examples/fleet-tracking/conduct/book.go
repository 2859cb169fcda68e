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

// Grade says how a departure at a timepoint compares with the plan.
type Grade string

const (
	OnTime Grade = "pontual"   // from 60 s early to 300 s late
	Early  Grade = "adiantada" // earlier
	Late   Grade = "atrasada"  // later
)

const (
	early = 60.0 // seconds
	late  = 300.0
)

// GradeOf returns the grade of a visit; false if it is no departure at a timepoint whose plan is known. The last stop of a trip has
// none.
func GradeOf(v fleet.Visit) (Grade, bool) {
	if !v.Timepoint || v.Last || v.Headway || v.Left == 0 {
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

// Call is a departure at a timepoint. Without a grade it takes back the one before: the vehicle had not left for good.
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

// Entry is news for a sheet: one of Part, Call and Stretch. A part replaces the earlier one of its vehicle.
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
