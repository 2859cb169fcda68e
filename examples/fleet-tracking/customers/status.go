package customers

import (
	"fmt"
	"iter"
	"strings"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

// Phase is how far a delivery is. It only goes forward, except when a correction says so.
type Phase string

const (
	Planned  Phase = "planned"
	OnItsWay Phase = "on_its_way" // the run has left its first stop
	Next     Phase = "next"       // the run has left the stop before
	Arriving Phase = "arriving"   // expected within 10 minutes
	Arrived  Phase = "arrived"
	Visited  Phase = "visited" // the vehicle left too soon to have delivered; the driver's record may still say that it did
	Served   Phase = "served"
	Failed   Phase = "failed"
)

// ahead reports whether the vehicle is still to come.
func (p Phase) ahead() bool { return p == Planned || p == OnItsWay || p == Next || p == Arriving }

// final reports whether only a correction changes the phase.
func (p Phase) final() bool { return p == Served || p == Failed }

// Summary counts statuses by phase, in words: "3 planned, 12 served".
func Summary(statuses iter.Seq[Status]) string {
	count := map[Phase]int{}
	for s := range statuses {
		count[s.Phase]++
	}
	var words []string
	for _, p := range []Phase{Planned, OnItsWay, Next, Arriving, Arrived, Visited, Served, Failed} {
		if count[p] > 0 {
			words = append(words, fmt.Sprintf("%d %s", count[p], strings.ReplaceAll(string(p), "_", " ")))
		}
	}
	return strings.Join(words, ", ")
}

// Status is how a delivery comes along. It is the value of topic entregas-situacao, keyed by delivery; the latest counts.
type Status struct {
	ID       string        `json:"entrega"`
	Customer string        `json:"cliente,omitempty"`
	Trip     string        `json:"viagem"`
	Day      string        `json:"data"`
	Vehicle  string        `json:"veiculo,omitempty"`  // absent until one is on the trip
	From     fleet.Instant `json:"de"`                 // the promised window
	To       fleet.Instant `json:"ate"`                // its end
	Phase    Phase         `json:"situacao"`           // how far the delivery is
	Since    fleet.Instant `json:"desde,omitempty"`    // when that phase began
	At       fleet.Instant `json:"instante,omitempty"` // event time of the latest news

	// Until the vehicle arrives.
	Expected fleet.Instant `json:"previsao,omitempty"`       // when it is expected
	Low      fleet.Instant `json:"previsaoMinima,omitempty"` // four of five such forecasts come true from here
	High     fleet.Instant `json:"previsaoMaxima,omitempty"` // to here
	NoSignal fleet.Instant `json:"semSinalDesde,omitempty"`  // time of the last fix, if there has been none for 10 minutes

	// Seconds early or late against the promised window: of the expected arrival until the vehicle has arrived, then of the arrival.
	Late    bool    `json:"atrasado,omitempty"`     // whether it is late
	LateBy  float64 `json:"atraso,omitempty"`       // by how much it is late
	EarlyBy float64 `json:"adiantamento,omitempty"` // by how much it is early

	// Once the vehicle has arrived. An arrival between two fixes that are too far apart has no time.
	Arrived fleet.Instant `json:"chegada,omitempty"` // when it arrived
	Left    fleet.Instant `json:"partida,omitempty"` // when it left
	InTime  bool          `json:"noPrazo,omitempty"` // whether it arrived in the promised window

	Recorded   bool   `json:"registrado,omitempty"` // the driver's record says so
	Reason     string `json:"motivo,omitempty"`     // of a failure: one of fleet's reasons, or what the driver wrote
	Correction bool   `json:"correcao,omitempty"`   // it was served or failed, or had another time of arrival
}

// differs reports whether there is something new to write: not for an expectation that moves by less than a minute.
func (s Status) differs(before Status) bool {
	if moved := s.Expected.Since(before.Expected); moved > -told && moved < told && before.Expected != 0 {
		before.Expected, before.Low, before.High = s.Expected, s.Low, s.High
		if s.Phase.ahead() {
			before.LateBy = s.LateBy
		}
	}
	before.At = s.At
	return s != before
}

const told = 60.0 // seconds by which an expectation moves before it is written again
