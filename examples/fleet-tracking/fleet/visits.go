package fleet

import (
	"cmp"

	"github.com/paulmach/orb"
)

const (
	standingSpeed = 1.0   // m/s: a vehicle that is slower stands
	stopRadius    = 50.0  // metres from the stop's point
	stopAlong     = 150.0 // metres along the line from the stop's place
	shortOfStop   = 1.0   // metres before a stop's place at which the vehicle has reached it
	bracket       = 150.0 // seconds: the farthest that two fixes may be apart to time what lies between them
)

// VisitTracker follows one run from stop to stop, fix by fix. The zero value is the beginning; a VisitTracker is a value, and Add leaves
// the one it is called on as it was. What it keeps does not grow with the number of fixes.
//
// A fix that is not newer than the latest of the run is too late and changes nothing.
type VisitTracker struct {
	Placing   placing  `json:"lugar"`
	Began     placed   `json:"comeco"`             // the first fix with a place
	Before    placed   `json:"antes"`              // the fix with a place before the latest, and the greatest place by then
	Latest    placed   `json:"atual"`              // the latest fix with a place
	Reached   float64  `json:"alcancado"`          // the greatest place so far, metres
	Next      int      `json:"proxima"`            // index of the first stop ahead
	At        *call    `json:"parada,omitempty"`   // the stop that the vehicle reached last, until it leaves
	Left      *left    `json:"partida,omitempty"`  // the latest departure
	Arrived   Instant  `json:"chegada,omitempty"`  // the latest arrival
	Delay     *float64 `json:"atraso,omitempty"`   // then, seconds
	Odometer  odometer `json:"hodometro"`          // of all fixes of the run
	Undecided bool     `json:"indeciso,omitempty"` // whether the latest fix stands shows only the next

	// For detours only.
	Edge *edge   `json:"margem,omitempty"` // the last fix inside the corridor, if that is not Latest or the vehicle is outside
	Out  *outing `json:"fora,omitempty"`   // the fixes outside it in a row

	// For trips without planned times only.
	Earlier Instant `json:"anterior,omitempty"`  // the fix before the latest
	Stays   []call  `json:"estadas,omitempty"`   // at the stops within whose radius the latest fix lies
	Met     Marks   `json:"visitadas,omitempty"` // stops with an arrival, by index
	Halted  Marks   `json:"paradas,omitempty"`   // of them, those where it stood
	Done    Marks   `json:"atendidas,omitempty"` // stops that are not visited again
}

// placed is a fix with a place on the line.
type placed struct {
	At    Instant `json:"t"`
	Along float64 `json:"m"`
}

// call is a stop that the vehicle has reached.
type call struct {
	Index   int     `json:"i"`
	How     How     `json:"como"`
	Low     Instant `json:"de,omitempty"`
	High    Instant `json:"ate"`
	Arrived Instant `json:"chegada,omitempty"`
	Stood   Instant `json:"parado,omitempty"` // the last fix that stood in the zone
	Moved   bool    `json:"andou,omitempty"`  // whether a fix after Stood moves
	Left    Instant `json:"partida,omitempty"`
	Driven  driven  `json:"percorrido"`       // at Stood, else at Arrived
	Again   bool    `json:"deNovo,omitempty"` // a round's vehicle halted here before: the call counts if it lasts
}

// left is a departure.
type left struct {
	Index  int      `json:"i"`
	At     Instant  `json:"t"`
	Driven driven   `json:"percorrido"`
	Dwell  *float64 `json:"espera,omitempty"`
}

// Stops is what a fix tells about the stops of a run. Progress is told for a trip without a shape only; for others Tracker tells it.
type Stops struct {
	Visits   []Visit
	Legs     []Leg
	Detour   *Detour
	Progress *Progress
	Unused   *Unused  // the fix, if it tells nothing
	Forecast Forecast // of the run, yet without history; it has no stops when none is ahead, and no path when nothing is known
}

// AtStops are the visits.
func (s Stops) AtStops() []Visit { return s.Visits }

// Between are the legs.
func (s Stops) Between() []Leg { return s.Legs }

// Detours is the detour that the fix belongs to or ends, if there is one.
func (s Stops) Detours() []Detour { return optional(s.Detour) }

// Advances is the progress, if there is one.
func (s Stops) Advances() []Progress { return optional(s.Progress) }

// Unuseds is the fix, if it tells nothing.
func (s Stops) Unuseds() []Unused { return optional(s.Unused) }

// Forecasts is the forecast, if stops are ahead.
func (s Stops) Forecasts() []ForecastRecord {
	if len(s.Forecast.Stops) == 0 {
		return nil
	}
	return []ForecastRecord{s.Forecast.Record()}
}

// Unplanned is what a fix of a trip that is not known tells.
func (p Planned) Unplanned() Stops { return p.unusable(p.Fault) }

// Add takes in a fix of a known trip. It fails if the service day is not one.
func (t VisitTracker) Add(planned Planned) (VisitTracker, Stops, error) {
	origin, err := planned.Origin()
	if err != nil {
		return t, Stops{}, err
	}
	begun := t.Odometer.begun()
	if begun && planned.Instant <= t.LastFix() || !begun && planned.Ends {
		return t, planned.unusable(Overtaken), nil
	}
	if n := len(planned.Trip.Stops); t.At != nil && t.At.Index >= n { // a new timetable has fewer stops
		t.At, t.Next = nil, n
	}
	v := visiting{VisitTracker: t, plan: plan{planned.Trip, origin}, line: planned.Trip.Line(), run: planned.Named()}
	if !begun && planned.Before != nil {
		v.take(*planned.Before, isOnLine)
	}
	counts := anywhere
	if planned.Ends {
		counts = v.atLastStop
	}
	v.take(planned.Position, counts)
	switch used := v.Latest.At == planned.Instant; {
	case planned.Own() && v.isRound():
		v.told.Progress = v.roundProgress(planned.Position)
	case planned.Own() && !used:
		near, _ := v.line.approaches(planned.Point(), onLine)
		v.told.Unused = planned.unusable(misplaced(v.line, planned.Position, near)).Unused
	case planned.Own() && len(planned.Trip.Shape) == 0:
		v.told.Progress = v.progress()
	}
	v.told.Forecast = v.outlook(planned.Own() && v.Latest.At == planned.Instant)
	return v.VisitTracker, v.told, nil
}

// LastFix is the time of the run's latest fix, 0 before the first.
func (t VisitTracker) LastFix() Instant {
	if !t.Odometer.begun() {
		return 0
	}
	return t.Odometer.latest()
}

// unusable tells that the fix of a run tells nothing.
func (p Planned) unusable(reason Reason) Stops {
	if p.Ends {
		return Stops{}
	}
	unused := p.unused(reason)
	return Stops{Unused: &unused}
}

// visiting is a VisitTracker while it takes in a fix.
type visiting struct {
	VisitTracker
	plan plan
	line Shape
	run  Run
	told Stops
}

func (v *visiting) stops() []Stop { return v.plan.trip.Stops }

// spot is where a fix lies: its point and, if it is on the line, its place.
type spot struct {
	point  orb.Point
	along  float64
	onLine bool
}

func anywhere(spot) bool   { return true }
func isOnLine(s spot) bool { return s.onLine }

func (v *visiting) atLastStop(s spot) bool {
	last := len(v.stops()) - 1
	if v.plan.trip.Untimed {
		return last >= 0 && v.stops()[last].holds(s.point)
	}
	return s.onLine && last >= 0 && v.inZone(last, s)
}

// take takes in a fix, if it counts for the run.
func (v *visiting) take(fix Position, counts func(spot) bool) {
	if v.plan.trip.Untimed {
		v.takeUntimed(fix, counts)
		return
	}
	v.decide(fix)
	near, distance := v.line.approaches(fix.Point(), onLine)
	after, along, ok := v.Placing.next(fix.Instant, near, v.plan)
	here := spot{fix.Point(), along, ok}
	if !counts(here) {
		return
	}
	defer func() { v.stray(fix.Instant, distance, here) }()
	stands, known := v.stands(fix)
	v.goOut(distance)
	v.Odometer = v.Odometer.add(fix, v.Latest.At)
	if !ok {
		return
	}
	first := v.Latest.At == 0
	if first {
		v.Began = placed{fix.Instant, along}
	}
	v.Placing, v.Before, v.Latest = after, placed{v.Latest.At, v.Reached}, placed{fix.Instant, along}
	v.Reached, v.Undecided = max(v.Reached, along), !known
	if first {
		v.begin(here, stands)
		return
	}
	v.leaveBehind()
	v.pass(stands, here)
	switch {
	case stands:
		v.stand(here)
	case known:
		v.move()
	}
	v.enterLast(here)
}

// stands reports whether the vehicle stands at a fix, by its own speed, else by the pair before; known is false when the pair after
// may still show that it does.
func (v *visiting) stands(fix Position) (stands, known bool) {
	if fix.Speed != nil {
		return *fix.Speed < standingSpeed, true
	}
	stands = v.Odometer.begun() && v.Odometer.standsUntil(fix)
	return stands, stands
}

// decide settles whether the vehicle stood at the latest fix, by the pair from there to the next.
func (v *visiting) decide(next Position) {
	if !v.Undecided {
		return
	}
	v.Undecided = false
	if v.Odometer.standsUntil(next) {
		v.stand(spot{v.Odometer.From, v.Latest.Along, true})
	} else {
		v.move()
	}
}

// inZone reports whether a place on the line is in the zone of a stop: near its point, and nearer to its place than half the way to the
// stops before and after.
func (v *visiting) inZone(i int, s spot) bool {
	stop := v.stops()[i]
	low, high := v.zone(i)
	return s.along >= low && s.along <= high && stop.holds(s.point)
}

// zone is the part of the line that belongs to a stop.
func (v *visiting) zone(i int) (low, high float64) {
	stops := v.stops()
	along := max(stopAlong, stops[i].Radius)
	before, after := along, along
	if i > 0 {
		before = min(before, (stops[i].Along-stops[i-1].Along)/2)
	}
	if i+1 < len(stops) {
		after = min(after, (stops[i+1].Along-stops[i].Along)/2)
	}
	return stops[i].Along - before, stops[i].Along + after
}

// begin notes the stops that are behind the first fix. At the last of them the vehicle may still halt, as long as it is in the zone:
// on its way to where the run starts it is often past that stop's place.
func (v *visiting) begin(here spot, stands bool) {
	for v.Next < len(v.stops()) && v.Reached >= v.stops()[v.Next].Along-shortOfStop {
		v.Next++
	}
	for i := range v.Next {
		c := call{Index: i, How: NotSeen, High: v.Latest.At}
		if _, high := v.zone(i); v.Reached <= high {
			v.At = &c
		}
		v.tell(c)
	}
	if stands {
		v.stand(here)
	}
}

// leaveBehind ends the call at a stop whose zone the vehicle has left.
func (v *visiting) leaveBehind() {
	if v.At == nil {
		return
	}
	if _, high := v.zone(v.At.Index); v.Reached > high {
		v.leave()
	}
}

// pass notes the stops whose place the vehicle has reached.
func (v *visiting) pass(stands bool, here spot) {
	for v.Next < len(v.stops()) && v.Reached >= v.stops()[v.Next].Along-shortOfStop {
		if stands && v.inZone(v.Next, here) {
			v.arrive(v.Next, ByHalt)
		} else {
			v.arrive(v.Next, ByPass)
		}
	}
}

// stand notes that the vehicle stands at its latest fix. It halts at the next stop, if it is in its zone, else at the one where it is.
func (v *visiting) stand(here spot) {
	next := v.Next < len(v.stops()) && v.inZone(v.Next, here)
	again := v.At != nil && v.At.How == NotSeen && v.inZone(v.At.Index, here)
	switch {
	case next:
		v.arrive(v.Next, ByHalt)
	case again:
		v.arrive(v.At.Index, ByHalt)
	}
	if v.At != nil && v.inZone(v.At.Index, here) {
		at := *v.At
		told := at.Moved && at.Left != 0
		at.Stood, at.Moved, at.Left = v.Latest.At, false, 0
		at.Driven = v.Odometer.at(v.Latest.At)
		v.At = &at
		if told { // that it had left
			v.tell(at)
		}
	}
}

// move notes that the vehicle no longer stands. It left when it last stood, unless it stands in the zone again. If the fixes around
// that are too far apart, nobody knows when it left.
func (v *visiting) move() {
	if v.At == nil || v.At.Stood == 0 || v.At.Moved {
		return
	}
	at := *v.At
	at.Moved = true
	if v.Latest.At.Since(v.Before.At) <= bracket {
		at.Left = at.Stood
		v.tell(at)
	}
	v.At = &at
}

// enterLast takes the first fix in the zone of the last stop for the arrival, until the vehicle halts there or passes.
func (v *visiting) enterLast(here spot) {
	last := len(v.stops()) - 1
	known := v.At != nil && v.At.Index == last
	if v.Next == last && !known && v.inZone(last, here) {
		v.arrive(last, ByRadius)
		v.Next = last
	}
}

// arrive times the arrival at a stop, between the two latest fixes.
func (v *visiting) arrive(i int, how How) {
	v.Next = i + 1
	stop := v.stops()[i]
	c := call{Index: i, How: how, Low: v.Before.At, High: v.Latest.At}
	switch at := v.timeAt(min(stop.Along, v.Latest.Along), how); {
	case v.Before.At == 0:
		c.How = ThereAtFirstFix
	case c.High.Since(c.Low) > bracket:
		c.How = Gap
	case i > 0 && !v.plan.trip.Untimed && v.plan.at(stop.Due).Since(at) > tooEarly:
		c.How = ImplausiblyEarly
	default:
		c.Arrived = max(at, v.Arrived)
		c.Driven = v.Odometer.at(c.Arrived)
		v.Arrived = c.Arrived
		if v.plan.trip.hasDelays() {
			delay := c.Arrived.Since(v.plan.at(stop.Due))
			v.Delay = &delay
		}
	}
	if how != ByHalt {
		c.Left = c.Arrived // if it does not stand there yet
	}
	if v.At != nil && v.At.Index < i {
		v.leave()
	}
	v.At = &c
	v.tell(c)
	v.tellLeg(c)
}

// timeAt is when the vehicle came to a place between its two latest fixes.
func (v *visiting) timeAt(along float64, how How) Instant {
	from, to := v.Before, v.Latest
	if how == ByRadius || to.Along <= from.Along {
		return to.At
	}
	part := min(1, max(0, (along-from.Along)/(to.Along-from.Along)))
	return from.At + Instant(part*float64(to.At-from.At)+0.5)
}

// leave ends the call at the stop that the vehicle reached last.
func (v *visiting) leave() {
	v.move()
	c := *v.At
	v.At, v.Left = nil, nil
	if c.Left == 0 {
		return
	}
	v.Left = &left{Index: c.Index, At: c.Left, Driven: c.Driven}
	if c.Arrived != 0 {
		dwell := c.Left.Since(c.Arrived)
		v.Left.Dwell = &dwell
	}
}

// tell tells of a visit as far as it is known.
func (v *visiting) tell(c call) {
	stop := v.stops()[c.Index]
	v.told.Visits = append(v.told.Visits, Visit{
		Run: v.run, Sequence: stop.Sequence, Stop: stop.ID, Name: stop.Name,
		Timepoint: stop.Timepoint, Last: c.Index == len(v.stops())-1,
		Due: v.plan.due(stop), Leaves: v.plan.leaves(stop), Headway: !v.plan.trip.hasDelays(), Promise: stop.Promise,
		How: c.How, Low: c.Low, High: c.High, Arrived: c.Arrived, Left: c.Left,
		Hour: v.plan.trip.hour(cmp.Or(c.Arrived, c.High)),
	})
}

// progress is how far the vehicle is on its line.
func (v *visiting) progress() *Progress {
	p := &Progress{
		Vehicle: v.run.Vehicle, Route: v.run.Route, Trip: v.run.Trip, Day: v.run.Day, Instant: v.Latest.At,
		Along: v.Reached, Length: millimetres(v.line.Length()), Delay: v.Delay,
	}
	if v.Next < len(v.stops()) {
		stop := v.stops()[v.Next]
		p.Next = &NextStop{
			Sequence: stop.Sequence, Stop: stop.ID, Name: stop.Name,
			Ahead: millimetres(max(0, stop.Along-v.Reached)), Due: v.plan.due(stop),
		}
	}
	return p
}
