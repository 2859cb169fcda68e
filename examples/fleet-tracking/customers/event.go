package customers

import "github.com/rio-streams/rio/examples/fleet-tracking/fleet"

// Event is what bears on a delivery.
type Event struct {
	Kind     Kind          `json:"tipo"`
	Delivery string        `json:"entrega"`
	At       fleet.Instant `json:"instante,omitempty"` // event time at which it is known; 0 for a plan
	Run      fleet.Run     `json:"percurso"`           // of the vehicle; not for a plan or a record

	Started bool            `json:"saiu,omitempty"`        // the run has left its first stop
	Next    bool            `json:"proxima,omitempty"`     // the run has left the stop before the delivery
	Expects *fleet.Expected `json:"previsao,omitempty"`    // given if Kind is Forecast
	Visit   *fleet.Visit    `json:"parada,omitempty"`      // given if Kind is Visit
	Later   fleet.Instant   `json:"posterior,omitempty"`   // given if Kind is Passed: when the vehicle arrived at a later delivery
	Last    fleet.Instant   `json:"ultimoSinal,omitempty"` // given if Kind is Silent: the last fix

	Plan   *fleet.Delivery       `json:"-"` // given if Kind is Plan
	Record *fleet.DeliveryRecord `json:"-"` // given if Kind is Record
}

// Kind says what an event tells.
type Kind string

const (
	Plan     Kind = "plan"     // the delivery is planned, or planned anew
	Record   Kind = "record"   // the driver has noted what became of it
	Advance  Kind = "advance"  // the run has left a stop
	Forecast Kind = "forecast" // the run is expected
	Visit    Kind = "visit"    // the run was at the stop of the delivery
	Passed   Kind = "passed"   // the run was at a later delivery
	Silent   Kind = "silent"   // the vehicle has not been heard of for 10 minutes
	Heard    Kind = "heard"    // it is heard of again
	Time     Kind = "time"     // nothing, but time passes
)

// ofVehicle reports whether a vehicle told the event, in the time of its fixes.
func (e Event) ofVehicle() bool { return e.Kind != Plan && e.Kind != Record }

func (e Event) delivery() string { return e.Delivery }

// planned is the event of a delivery of topic entregas.
func planned(d fleet.Delivery) Event { return Event{Kind: Plan, Delivery: d.ID, Plan: &d} }

// recorded are the events of a driver's record.
func recorded(r fleet.DeliveryRecord) []Event {
	return []Event{{Kind: Record, Delivery: r.ID, At: r.Instant, Record: &r}}
}
