package customers

import (
	"cmp"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
)

const (
	soon      = 600.0          // seconds before the expected arrival from which a delivery is arriving
	lateFrom  = 120.0          // seconds after the promised window from which it is late
	apart     = 60.0           // seconds between the two forecasts that make it late, or no longer late
	settles   = 600.0          // seconds after which a stay is over, or goes on, if nothing else is heard
	keepFor   = 30 * 24 * 3600 // seconds after its end for which a delivery is remembered
	silentFor = 600.0          // seconds without a fix that make no signal
)

// Case is all that is known of a delivery, and what its customer was told. The zero value knows nothing. A Case is a value: its methods
// leave the one that they are called on as it was.
type Case struct {
	Plan *fleet.Delivery `json:"entrega,omitempty"` // nil until it is loaded
	Now  fleet.Instant   `json:"instante"`          // the greatest event time

	// What the vehicle tells. It is about Run, and forgotten when the delivery moves to another trip.
	Run      fleet.Run       `json:"percurso"`
	Started  bool            `json:"saiu,omitempty"`
	Next     bool            `json:"proxima,omitempty"`
	Near     bool            `json:"perto,omitempty"` // it was expected within 10 minutes
	Expects  *fleet.Expected `json:"previsao,omitempty"`
	Forecast fleet.Instant   `json:"previstoEm,omitempty"` // when it was expected so
	Late     bool            `json:"atrasado,omitempty"`
	Doubt    fleet.Instant   `json:"duvida,omitempty"` // since when forecasts say that it is late, or no longer late
	Silent   fleet.Instant   `json:"semSinalDesde,omitempty"`
	Regained fleet.Instant   `json:"sinalDesde,omitempty"` // the first fix after that, until there is a forecast
	Visit    *fleet.Visit    `json:"parada,omitempty"`
	Later    fleet.Instant   `json:"posterior,omitempty"` // arrival at a later delivery

	Record *fleet.DeliveryRecord `json:"registro,omitempty"`

	Phase    Phase         `json:"situacao,omitempty"`
	Since    fleet.Instant `json:"desde,omitempty"`
	Reason   string        `json:"motivo,omitempty"`   // of a failure that time told
	Corrects bool          `json:"correcao,omitempty"` // see Status.Correction

	Shown Status `json:"escrita"` // the latest status that was written
	Told  Mark   `json:"avisado"` // the latest message
}

// Told is one thing that an event makes known of a delivery: a status, a message, or that it is forgotten, long after it ended.
type Told struct {
	Status    *Status
	Message   *Message
	Forgotten bool
}

func (t Told) isMessage() bool  { return t.Message != nil }
func (t Told) status() Status   { return *t.Status }
func (t Told) message() Message { return *t.Message }

func (c Case) isEmpty() bool { return c.Plan == nil && c.Run.Trip == "" && c.Record == nil }

// Add takes in an event, after what time has brought until then.
func (c Case) Add(e Event) (Case, []Told) {
	var told []Told
	if e.ofVehicle() {
		c, told = c.Until(e.At)
	}
	if e.ofVehicle() && !c.concerns(e.Run) {
		return c, told
	}
	return c.judge(c.take(e), max(c.Now, e.At), told)
}

// Until takes in that time has passed. Each thing that only time brings is told at its own moment.
func (c Case) Until(now fleet.Instant) (Case, []Told) {
	var told []Told
	for {
		at := c.Deadline()
		if at == 0 || at > now {
			return c, told
		}
		if c.ended() && at >= c.forgetAt() {
			return Case{}, append(told, Told{Forgotten: true})
		}
		c, told = c.judge(c, max(at, c.Now), told)
	}
}

// Deadline is the moment at which time alone changes something; 0 if it does not.
func (c Case) Deadline() fleet.Instant {
	if c.Plan == nil {
		return 0
	}
	at := c.turns()
	if c.ended() {
		at = c.forgetAt()
	}
	if c.hasNews() {
		at = earlier(at, c.mayTellAt())
	}
	return at
}

// turns is when time alone makes the delivery served, visited or failed.
func (c Case) turns() fleet.Instant {
	v := c.Visit
	switch at := c.Plan.Deadline(c.evidence()); {
	case c.Record != nil:
		return 0
	case v.There() && v.Left != 0 && c.Phase == Arrived:
		return v.Left + seconds(settles)
	case v.There() && v.Left == 0 && v.Arrived == 0: // nobody knows how long it stays
		return 0
	case v.There() && v.Left == 0:
		return at + seconds(settles)
	default:
		return at
	}
}

// earlier is the earlier of two moments, of which 0 is none.
func earlier(a, b fleet.Instant) fleet.Instant {
	if a == 0 || b == 0 {
		return a + b
	}
	return min(a, b)
}

// ended reports whether time alone changes nothing any more.
func (c Case) ended() bool { return c.Phase.final() || c.Phase == Visited }

func (c Case) forgetAt() fleet.Instant { return max(c.Since, c.Plan.To) + seconds(keepFor) }

func seconds(s float64) fleet.Instant { return fleet.Instant(s * 1000) }

func (c Case) evidence() fleet.Evidence {
	return fleet.Evidence{Visit: c.Visit, Record: c.Record, Later: c.Later}
}

// concerns reports whether a run is the trip of the delivery. As long as the delivery is not known, any is.
func (c Case) concerns(run fleet.Run) bool {
	return c.Plan == nil || fleet.FamilyOf(run.Trip) == fleet.FamilyOf(c.Plan.Trip) && run.Day == c.Plan.Day
}

// take notes what an event tells.
func (c Case) take(e Event) Case {
	if e.ofVehicle() {
		if c.Plan == nil && (e.Run.Trip != c.Run.Trip || e.Run.Day != c.Run.Day) {
			c = Case{Now: c.Now, Record: c.Record}
		}
		c.Run = e.Run
	}
	switch e.Kind {
	case Plan:
		return c.replan(e.Plan)
	case Record:
		if c.Record == nil || e.Record.Instant >= c.Record.Instant {
			c.Record = e.Record
		}
	case Advance:
		c.Started, c.Next = c.Started || e.Started, c.Next || e.Next
	case Forecast:
		return c.expect(e)
	case Visit:
		return c.visit(e.Visit)
	case Passed:
		if c.Phase != Failed {
			c.Later = earlier(c.Later, e.Later)
		}
	case Silent:
		if e.Last >= c.Forecast {
			c.Silent = e.Last
		}
	case Heard:
		if c.Silent != 0 {
			c.Silent, c.Regained = 0, e.At
		}
	}
	return c
}

// replan takes in a plan. A delivery that moves to another trip begins anew, and what its customer was told counts on.
func (c Case) replan(plan *fleet.Delivery) Case {
	before := c.Plan
	c.Plan = plan
	switch {
	case before == nil && (c.Run.Trip == "" || c.concerns(c.Run)):
		return c
	case before == nil: // the news that came before the plan is about another trip
		return Case{Plan: plan, Now: c.Now, Record: c.Record}
	case before.Trip != plan.Trip || before.Day != plan.Day:
		return Case{Plan: plan, Now: c.Now, Since: c.Since, Shown: c.Shown, Told: c.Told}
	}
	return c
}

// expect takes in a forecast. One that is not newer than the latest is too late.
func (c Case) expect(e Event) Case {
	if e.At <= c.Forecast || c.Visit.There() {
		return c
	}
	c.Expects, c.Forecast = e.Expects, e.At
	c.Started, c.Next = c.Started || e.Started, c.Next || e.Next
	c.Near = c.Started && c.Near || e.Expects.Arrives.Since(e.At) <= soon
	if c.Silent < e.At {
		c.Silent, c.Regained = 0, 0
	}
	if c.Plan != nil {
		c.reconsider()
	}
	return c
}

// reconsider decides whether the delivery is late. It takes two forecasts that say so, and none between them that does not.
func (c *Case) reconsider() {
	behind := c.Expects.Arrives.Since(c.Plan.To)
	turns := behind > lateFrom
	if c.Late {
		turns = behind < 0
	}
	switch {
	case !turns:
		c.Doubt = 0
	case c.Doubt == 0:
		c.Doubt = c.Forecast
	case c.Forecast.Since(c.Doubt) >= apart:
		c.Late, c.Doubt = !c.Late, 0
	}
}

// visit takes in what is known of the stay. What happens after the delivery was served or has failed does not take that back. What had
// happened before, and is only known later, corrects it.
func (c Case) visit(v *fleet.Visit) Case {
	after := c
	after.Visit = v
	switch {
	case c.Record != nil || !c.Phase.final():
		return after
	case !v.There():
		return c
	case c.Phase == Failed && cmp.Or(v.Arrived, v.High) <= c.Since:
		after.Phase, after.Reason = "", ""
		return after
	case c.Phase == Served:
		stayed := c.Visit.Left == 0 && v.Left <= c.Since // it was thought to go on
		if phase, _ := after.phase(c.Now); phase == Served || stayed {
			return after
		}
	}
	return c
}

// phase is how far the delivery is at a moment, and what became of it.
func (c Case) phase(now fleet.Instant) (Phase, fleet.Outcome) {
	asOf := now
	if v := c.Visit; v.There() && v.Left == 0 {
		asOf = v.High
		if v.Arrived != 0 { // a departure may yet be told
			asOf = max(asOf, now-seconds(settles))
		}
	}
	o := c.Plan.Outcome(asOf, c.evidence())
	switch {
	case c.Record == nil && c.Phase == Failed:
		o.State, o.Reason = fleet.Failed, c.Reason
		return Failed, o
	case o.State == fleet.Failed:
		return Failed, o
	case o.State == fleet.Attended || o.State == fleet.Delivered:
		return Served, o
	case o.State == fleet.Visited && now.Since(o.Left) >= settles:
		return Visited, o
	case o.State == fleet.Visited || o.State == fleet.There:
		return Arrived, o
	case c.Started && c.Near:
		return Arriving, o
	case c.Started && c.Next:
		return Next, o
	case c.Started:
		return OnItsWay, o
	}
	return Planned, o
}

// judge decides at a moment what the delivery is after an event, and what there is to tell.
func (c Case) judge(after Case, now fleet.Instant, told []Told) (Case, []Told) {
	after.Now = max(after.Now, now)
	if after.Plan == nil {
		return after, told
	}
	phase, outcome := after.phase(after.Now)
	switch {
	case phase != c.Phase && c.Phase != "":
		after.Corrects = c.Phase.final()
	case c.Phase != "" && !phase.ahead() && c.Visit.There() && c.Visit.Arrived != after.Visit.Arrived:
		after.Corrects = true
	}
	if phase != c.Phase {
		after.Since = after.Now
		after.Reason = ""
		if phase == Failed {
			after.Reason = outcome.Reason
		}
	}
	after.Phase = phase
	if status := after.Status(); status.differs(after.Shown) {
		after.Shown = status
		told = append(told, Told{Status: &status})
	}
	if after.hasNews() && after.Now >= after.mayTellAt() {
		message := after.message()
		after.Told = after.mark(message.Number)
		told = append(told, Told{Message: &message})
	}
	return after, told
}

// Status is how the delivery comes along.
func (c Case) Status() Status {
	if c.Plan == nil {
		return Status{}
	}
	_, outcome := c.phase(c.Now)
	d := c.Plan
	s := Status{
		ID: d.ID, Customer: d.Customer, Trip: d.Trip, Day: d.Day, Vehicle: c.Run.Vehicle, From: d.From, To: d.To,
		Phase: c.Phase, Since: c.Since, At: c.Now, Correction: c.Corrects,
	}
	if c.Phase.ahead() {
		s.NoSignal, s.Late = c.Silent, c.Late
		if c.Expects != nil {
			s.Expected, s.Low, s.High = c.Expects.Arrives, c.Expects.Low, c.Expects.High
		}
		if c.Late {
			s.LateBy = max(0, c.Expects.Arrives.Since(d.To))
		}
		return s
	}
	s.Arrived, s.Left, s.InTime = outcome.Arrived, outcome.Left, outcome.InTime()
	s.EarlyBy, s.LateBy = outcome.Early, outcome.Late
	s.Late = s.LateBy > 0
	s.Recorded = c.Record != nil
	if c.Phase == Failed {
		s.Reason = outcome.Reason
	}
	return s
}
