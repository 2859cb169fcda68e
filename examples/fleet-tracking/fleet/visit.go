package fleet

// How says what told an arrival, or why a stop has none.
type How string

const (
	ByHalt           How = "halt"               // the first fix in the stop's zone that stands
	ByPass           How = "pass"               // the vehicle reached the place of the stop
	ByRadius         How = "radius"             // only at the last stop: the first fix in its zone, with neither halt nor pass
	Gap              How = "gap"                // no arrival: the fixes around it are more than 150 s apart
	ThereAtFirstFix  How = "there_at_first_fix" // no arrival: the run's first fix is already in the zone of the stop
	NotSeen          How = "not_seen"           // no arrival: the run's first fix is already past the zone of the stop, or it drove around a delivery
	ImplausiblyEarly How = "implausibly_early"  // no arrival: it would be more than 900 s ahead of the plan
)

// Run names one vehicle on one trip of one service day. Start is the planned start HH:MM:SS, given for a trip of
// frequencies.txt only, which a vehicle may run several times a day.
type Run struct {
	Vehicle string `json:"veiculo"`
	Route   string `json:"linha,omitempty"`
	Trip    string `json:"viagem"`
	Day     string `json:"data"`
	Start   string `json:"horario,omitempty"`
}

// Key is the name of the run as a key of a store.
func (r Run) Key() string {
	key := r.Vehicle + "|" + r.Trip + "|" + r.Day
	if r.Start != "" {
		key += "|" + r.Start
	}
	return key
}

// Visit says when a run arrived at a stop and left it, by halt or radius. It is the value of topic paradas, keyed by vehicle.
//
// A stop of a run has several visits, of which the last counts: one at the arrival, one at the departure, and more when later fixes
// correct them. A vehicle that stands at the stop again after its departure has not left yet.
// Arrived and Left are 0 when they are not known.
type Visit struct {
	Run
	Sequence  int     `json:"sequencia"` // the timetable's stop_sequence
	Stop      string  `json:"parada"`
	Name      string  `json:"nome,omitempty"`
	Timepoint bool    `json:"pontoDeControle,omitempty"` // the timetable's times are exact here
	Last      bool    `json:"ultima,omitempty"`          // the last stop of the trip
	Due       Instant `json:"chegadaPrevista,omitempty"` // planned arrival, 0 at a stop without planned times
	Leaves    Instant `json:"partidaPrevista,omitempty"` // planned departure
	Headway   bool    `json:"intervalo,omitempty"`       // no delay: the trip keeps a headway, or has no planned times
	How       How     `json:"como"`                      // what told the arrival, or why there is none
	Low       Instant `json:"depoisDe,omitempty"`        // the fixes between which the vehicle arrived
	High      Instant `json:"ate,omitempty"`
	Arrived   Instant `json:"chegada,omitempty"` // arrival, 0 if not known
	Left      Instant `json:"partida,omitempty"` // departure, 0 if not known
	Hour      int     `json:"hora"`              // local, of the arrival; if that is not known, of High

	Promise *Promise `json:"promessa,omitempty"` // of a delivery, whose id Stop is
}

// Leg is the way of a run from one stop to the next of its plan. It is the value of topic trechos, keyed by vehicle. Of legs between the
// same stops of a run the last counts.
type Leg struct {
	Run
	FromSequence  int      `json:"daSequencia"`
	ToSequence    int      `json:"aSequencia"`
	From          string   `json:"daParada"`
	To            string   `json:"aParada"`
	Left          Instant  `json:"partida"`                    // from the stop at the start
	Arrived       Instant  `json:"chegada"`                    // at the stop at the end
	Hour          int      `json:"hora"`                       // local, of the departure
	Planned       float64  `json:"segundosPrevistos"`          // seconds; 0 if Untimed
	Driven        float64  `json:"segundos"`                   // seconds
	PlannedMetres float64  `json:"metrosPrevistos"`            // along the line
	DrivenMetres  *float64 `json:"metros,omitempty"`           // from fix to fix, absent when a pair of fixes on the way is not clean
	Dwell         *float64 `json:"espera,omitempty"`           // seconds at the stop before, absent when the arrival there is not known
	Untimed       bool     `json:"semHorario,omitempty"`       // the stops have no planned times
	Counted       *float64 `json:"segundosContados,omitempty"` // seconds from arrival to arrival, from the first stop from its departure, as forecasts count them
}
