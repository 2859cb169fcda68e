package customers

import (
	"fmt"
	"math"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

const (
	quiet     = 300.0 // seconds between two messages, unless the vehicle has arrived or the delivery has failed
	waits     = 120.0 // seconds for which a message waits for a forecast after the vehicle was silent
	movesBy   = 300.0 // seconds by which the told time of arrival moves before it is told again
	movesPart = 0.2   // of the time left, likewise; the greater of the two counts
)

// Message tells a customer that something has changed. It is the value of topic avisos, keyed by delivery. A replay makes the same messages
// with the same ids: who sends them notes the ids, and sends none twice.
type Message struct {
	ID       string        `json:"aviso"` // delivery-number
	Delivery string        `json:"entrega"`
	Number   int           `json:"numero"` // of the messages of the delivery, from 1
	Customer string        `json:"cliente,omitempty"`
	At       fleet.Instant `json:"instante"`           // event time of the decision
	Phase    Phase         `json:"situacao"`           // of the delivery, since this message
	Expected fleet.Instant `json:"previsao,omitempty"` // when the vehicle arrives
	Minutes  *Minutes      `json:"minutos,omitempty"`  // from At until the vehicle is expected

	// In minutes, against the promised window. Until the vehicle arrives LateBy is what is expected.
	LateBy  int `json:"atraso,omitempty"`       // late
	EarlyBy int `json:"adiantamento,omitempty"` // early

	NoSignal   bool   `json:"semSinal,omitempty"` // the vehicle has sent nothing for 10 minutes
	Correction bool   `json:"correcao,omitempty"` // it was said to be served or to have failed
	Reason     string `json:"motivo,omitempty"`   // of a failure
	Portuguese string `json:"texto"`              // the sentence for the customer
	English    string `json:"textoEmIngles"`      // its translation
}

// Minutes is a time to wait, and the range in which four of five such forecasts come true.
type Minutes struct {
	About int `json:"cerca"`  // expected
	Low   int `json:"minimo"` // earliest
	High  int `json:"maximo"` // latest
}

// Mark is what a customer was told last. The zero value is nothing.
type Mark struct {
	Number   int           `json:"numero,omitempty"`
	At       fleet.Instant `json:"instante,omitempty"`
	Phase    Phase         `json:"situacao,omitempty"`
	Late     bool          `json:"atrasado,omitempty"`
	NoSignal bool          `json:"semSinal,omitempty"`
	Expected fleet.Instant `json:"previsao,omitempty"` // the time of arrival; 0 if none was told
}

// mark is what a message would tell now.
func (c Case) mark(number int) Mark {
	m := Mark{Number: number, At: c.Now, Phase: c.Phase}
	if c.Phase.ahead() {
		m.Late, m.NoSignal = c.Late, c.Silent != 0
		if c.Expects != nil && c.Phase != Planned || c.Late {
			m.Expected = c.Expects.Arrives
		}
	}
	return m
}

// hasNews reports whether the customer should be told something else than last time. That the delivery is planned is no news.
func (c Case) hasNews() bool {
	last, now := c.Told, c.mark(0)
	if last.Number == 0 {
		last.Phase = Planned
	}
	if last.Phase != now.Phase || last.Late != now.Late || last.NoSignal != now.NoSignal {
		return true
	}
	if now.Expected == 0 {
		return false
	}
	return last.Expected == 0 || math.Abs(now.Expected.Since(last.Expected)) > max(movesBy, movesPart*now.Expected.Since(c.Forecast))
}

// mayTellAt is the moment from which a message may be sent. When the vehicle is heard of again, the message waits for a forecast, so that
// it does not tell an old one.
func (c Case) mayTellAt() fleet.Instant {
	ends := !c.Phase.ahead() && (c.Told.Phase == "" || c.Told.Phase.ahead()) // it has arrived, or what comes after
	fails := c.Phase == Failed && c.Told.Phase != Failed
	at := c.Now
	if !ends && !fails {
		if c.Told.Number > 0 {
			at = c.Told.At + seconds(quiet)
		}
		if c.Regained != 0 {
			at = max(at, c.Regained+seconds(waits))
		}
	}
	return at
}

// message tells the status.
func (c Case) message() Message {
	s := c.Status()
	number := c.Told.Number + 1
	m := Message{
		ID: fmt.Sprintf("%s-%d", s.ID, number), Delivery: s.ID, Number: number, Customer: s.Customer, At: c.Now,
		Phase: s.Phase, NoSignal: s.NoSignal != 0, Correction: s.Correction, Reason: s.Reason,
		LateBy: upToMinutes(s.LateBy), EarlyBy: upToMinutes(s.EarlyBy),
	}
	if m.Expected = c.mark(0).Expected; m.Expected != 0 {
		m.Minutes = &Minutes{
			About: int(max(0, math.Round(s.Expected.Since(c.Now)/60))),
			Low:   int(max(0, math.Floor(s.Low.Since(c.Now)/60))),
			High:  int(max(0, math.Ceil(s.High.Since(c.Now)/60))),
		}
	}
	onTime := c.Told.Late && !s.Late && s.Phase.ahead()
	m.Portuguese, m.English = portuguese.text(m, onTime), english.text(m, onTime)
	return m
}

// upToMinutes is a number of seconds in minutes, rounded to whole ones, at least 1 if it is not 0.
func upToMinutes(s float64) int {
	if s == 0 {
		return 0
	}
	return int(max(1, math.Round(s/60)))
}
