package fleet

import "cmp"

// When what happens at a delivery, or does not, settles what became of it.
const (
	minDwell      = 60.0        // seconds that a vehicle stays if it delivers, unless the delivery says otherwise
	skippedAfter  = 30.0 * 60   // seconds after the arrival at a later delivery at which one that was not reached has failed
	givenUpAfter  = 4.0 * 3600  // seconds after the promised window, likewise
	ReasonSkipped = "skipped"   // the vehicle went on to a later delivery
	ReasonTooLate = "not_there" // no vehicle came until four hours after the promised window
	ReasonDriver  = "driver"    // the driver's record says so, and gives no reason
)

// State is how far a delivery is.
type State string

const (
	Pending   State = "pending"   // no vehicle has been there
	There     State = "there"     // a vehicle is there, for less than MinDwell so far
	Visited   State = "visited"   // a vehicle was there for less than MinDwell: not delivered, as far as positions tell
	Attended  State = "attended"  // a vehicle was there, or is, for at least MinDwell
	Delivered State = "delivered" // the driver's record says so
	Failed    State = "failed"    // see Reason
)

// Final reports whether positions that come later cannot change the state.
func (s State) Final() bool { return s == Attended || s == Delivered || s == Failed }

// Evidence holds what has been learned about a delivery so far. The zero value means: nothing yet.
type Evidence struct {
	Visit  *Visit          // the latest of topic paradas at the stop of the delivery
	Record *DeliveryRecord // the driver's
	Later  Instant         // when the vehicle first arrived at a later delivery of the trip; 0 while it has not
}

// Outcome is what became of a delivery. Early and Late are seconds against the promised window; at most one is not 0. They mean nothing
// unless Timed: where the fixes around the arrival are too far apart, nobody knows whether it was in time.
type Outcome struct {
	State   State   `json:"situacao"`
	Reason  string  `json:"motivo,omitempty"`  // of a failure: one of the Reason constants, or what the driver wrote
	Arrived Instant `json:"chegada,omitempty"` // 0 while it is not known
	Left    Instant `json:"partida,omitempty"`
	Timed   bool    `json:"cronometrada,omitempty"` // Early and Late are known
	Early   float64 `json:"adiantada,omitempty"`
	Late    float64 `json:"atrasada,omitempty"`
}

// InTime reports whether the vehicle arrived within the promised window. It is false while nobody knows.
func (o Outcome) InTime() bool { return o.Timed && o.Early == 0 && o.Late == 0 }

// Outcome tells what became of the delivery by a moment, in event time. A driver's record overrules what positions tell; the arrival
// remains that of the positions, if they tell one.
func (d Delivery) Outcome(now Instant, known Evidence) Outcome {
	o := d.seen(now, known.Visit)
	switch record := known.Record; {
	case record != nil && record.Failed:
		o.State, o.Reason = Failed, ReasonDriver
		if record.Reason != "" {
			o.Reason = record.Reason
		}
	case record != nil:
		o.State = Delivered
		if !known.Visit.There() {
			o.Arrived = record.Instant
			o.judge(d.Promise(), o.Arrived, o.Arrived)
		}
	case o.State != Pending:
	case known.Later != 0 && now.Since(known.Later) >= skippedAfter:
		o.State, o.Reason = Failed, ReasonSkipped
	case now.Since(d.To) >= givenUpAfter:
		o.State, o.Reason = Failed, ReasonTooLate
	}
	return o
}

// seen returns the outcome that the visit shows, without a record of the driver.
func (d Delivery) seen(now Instant, v *Visit) Outcome {
	if !v.There() {
		return Outcome{State: Pending}
	}
	o := Outcome{State: There, Arrived: v.Arrived, Left: v.Left}
	from, to := v.Arrived, now
	if v.Arrived != 0 {
		o.judge(d.Promise(), v.Arrived, v.Arrived)
	} else {
		from = v.High
		o.judge(d.Promise(), v.Low, v.High)
	}
	if v.Left != 0 {
		o.State, to = Visited, v.Left
	}
	if to.Since(from) >= cmp.Or(d.MinDwell, minDwell) {
		o.State = Attended
	}
	return o
}

// judge compares an arrival between two moments with the promised window, if it is the same for both.
func (o *Outcome) judge(p Promise, low, high Instant) {
	early, late := p.Miss(low)
	earlyHigh, lateHigh := p.Miss(high)
	if low == 0 || low != high && (early != earlyHigh || late != lateHigh) {
		return
	}
	o.Timed, o.Early, o.Late = true, early, late
}

// There reports whether the visit says that the vehicle was at the stop. A nil visit says nothing.
func (v *Visit) There() bool {
	if v == nil {
		return false
	}
	switch v.How {
	case NotSeen:
		return v.Left != 0
	case ImplausiblyEarly:
		return false
	}
	return true
}
