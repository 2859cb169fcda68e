package customers

import (
	"slices"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

const (
	minute = fleet.Instant(60_000)
	hour   = 60 * minute
	day    = 24 * hour
)

// grace is how far the news of a vehicle may lag behind those of others, and behind its own fixes, in the log. What time brings to a
// delivery waits for so long.
const grace = minute

// clock is the greatest event time of the vehicles that a task has heard of. The task's own stream time serves other ends: a delivery may
// be loaded years after its window, and the clock of a vehicle may be wrong.
type clock struct {
	store *state.KeyValue[string, fleet.Instant]
}

// advance calls each with the times at which a minute has begun, or an hour, before an event. If several have begun, it is called for the
// last of them only.
func (c clock) advance(to fleet.Instant, timestamp int64, each func(now fleet.Instant, hourly bool) error) error {
	before, _, err := c.store.Get("")
	if err != nil || to/minute <= before/minute {
		return err
	}
	if err := c.store.Put("", to, timestamp); err != nil {
		return err
	}
	return each(to-to%minute, to/hour > before/hour)
}

// watch is what the steps keep that follow vehicles.
type watch struct {
	*processor.Context[string, Event]
	rounds  *state.KeyValue[string, Round]
	signals *state.KeyValue[string, Signal]
}

func newWatch(c *processor.Context[string, Event]) watch {
	return watch{c, rounds.In(c), signals.In(c)}
}

// hear notes the fixes of vehicles that have deliveries, and tells of vehicles that have sent none for a while.
func hear(c *processor.Context[string, Event]) processor.Handler[string, fleet.Position] {
	w, now := newWatch(c), clock{vehicleTime.In(c)}
	return func(r processor.Record[string, fleet.Position]) error {
		fix := r.Value
		fix.Vehicle = r.Key
		if r.Tombstone || fix.Fault() != "" {
			return nil
		}
		err := now.advance(fix.Instant, r.Timestamp, func(now fleet.Instant, hourly bool) error { return w.tick(now, hourly, r.Timestamp) })
		if err != nil {
			return err
		}
		signal, known, err := w.signals.Get(r.Key)
		if err != nil || !known {
			return err
		}
		return w.hear(r.Key, signal, fix.Instant, r.Timestamp)
	}
}

// expect tells each delivery ahead of a vehicle when it is expected.
func expect(c *processor.Context[string, Event]) processor.Handler[string, fleet.ForecastRecord] {
	w := newWatch(c)
	return func(r processor.Record[string, fleet.ForecastRecord]) error {
		if r.Tombstone || len(r.Value.Stops.Deliveries) == 0 {
			return nil
		}
		key := runKey(r.Value.Run)
		round, _, err := w.rounds.Get(key)
		if err != nil {
			return err
		}
		round, events := round.Forecast(r.Value.Whole())
		return w.keep(key, round, events, r.Value.Instant, r.Timestamp)
	}
}

// visit tells deliveries what a visit of a stop means to them.
func visit(c *processor.Context[string, Event]) processor.Handler[string, fleet.Visit] {
	w := newWatch(c)
	return func(r processor.Record[string, fleet.Visit]) error {
		if r.Tombstone {
			return nil
		}
		key := runKey(r.Value.Run)
		round, known, err := w.rounds.Get(key)
		if err != nil || !known && r.Value.Promise == nil {
			return err
		}
		round, events := round.Visit(r.Value, fleet.Instant(r.Timestamp))
		return w.keep(key, round, events, fleet.Instant(r.Timestamp), r.Timestamp)
	}
}

// keep keeps a round and tells of it. It was heard of at a fix.
func (w watch) keep(key string, round Round, events []Event, at fleet.Instant, timestamp int64) error {
	vehicle := round.Run.Vehicle
	signal, known, err := w.signals.Get(vehicle)
	if err != nil {
		return err
	}
	if !known || at >= signal.Last {
		signal.Round = key
	}
	silent, heard, err := w.note(vehicle, signal, at, timestamp)
	if err != nil {
		return err
	}
	if err := w.rounds.Put(key, round, timestamp); err != nil {
		return err
	}
	return w.emit(silent, events, heard)
}

// hear notes a fix of a vehicle, and tells of it.
func (w watch) hear(vehicle string, signal Signal, at fleet.Instant, timestamp int64) error {
	silent, heard, err := w.note(vehicle, signal, at, timestamp)
	if err != nil {
		return err
	}
	return w.emit(silent, heard)
}

// note notes a fix of a vehicle. It returns what was to be told before the fix, and after what else it tells.
func (w watch) note(vehicle string, signal Signal, at fleet.Instant, timestamp int64) (silent, heard []Event, err error) {
	round, _, err := w.rounds.Get(signal.Round)
	if err != nil {
		return nil, nil, err
	}
	signal, silent, heard = signal.Hear(at, round)
	return silent, heard, w.signals.Put(vehicle, signal, timestamp)
}

// tick tells of the vehicles that have sent nothing for a while, and of the time. Once an hour it forgets those that have sent nothing for
// a day.
func (w watch) tick(now fleet.Instant, hourly bool, timestamp int64) error {
	underWay := map[string]bool{} // rounds
	for row, err := range w.signals.All() {
		if err != nil {
			return err
		}
		if hourly && now-row.Value.Last > day {
			if err := w.signals.Delete(row.Key, timestamp); err != nil {
				return err
			}
			continue
		}
		round, _, err := w.rounds.Get(row.Value.Round)
		if err != nil {
			return err
		}
		signal, events := row.Value.Until(now, round)
		underWay[signal.Round] = !signal.Silent
		if signal == row.Value {
			continue
		}
		if err := w.signals.Put(row.Key, signal, timestamp); err != nil {
			return err
		}
		if err := w.emit(events); err != nil {
			return err
		}
	}
	for row, err := range w.rounds.All() {
		if err == nil && hourly && now-row.Value.Heard > day {
			err = w.rounds.Delete(row.Key, timestamp)
		} else if err == nil {
			err = w.emit(row.Value.Time(now-grace, underWay[row.Key]))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (w watch) emit(events ...[]Event) error {
	for _, event := range slices.Concat(events...) {
		if err := w.Emit(event.Delivery, event); err != nil {
			return err
		}
	}
	return nil
}

// desk is what the step keeps that follows deliveries.
type desk struct {
	*processor.Context[string, Told]
	cases     *state.KeyValue[string, Case]
	deadlines *state.KeyValue[string, fleet.Instant]
}

// follow keeps a case for each delivery, and tells what becomes of it.
func follow(c *processor.Context[string, Told]) processor.Handler[string, Event] {
	d, now := desk{c, cases.In(c), deadlines.In(c)}, clock{deliveryTime.In(c)}
	return func(r processor.Record[string, Event]) error {
		if r.Tombstone { // of topic entregas
			return d.forget(r.Key, r.Timestamp)
		}
		event := r.Value
		if event.Plan != nil && event.Plan.ID != r.Key {
			plan := *event.Plan
			plan.ID = r.Key
			event.Plan = &plan
		}
		if event.ofVehicle() {
			err := now.advance(event.At, r.Timestamp, func(now fleet.Instant, _ bool) error { return d.tick(now-grace, r.Timestamp) })
			if err != nil {
				return err
			}
		}
		before, _, err := d.cases.Get(r.Key)
		if err != nil {
			return err
		}
		after, told := before.Add(event)
		return d.keep(r.Key, after, told, r.Timestamp)
	}
}

// tick goes through the deliveries to which time has brought something.
func (d desk) tick(now fleet.Instant, timestamp int64) error {
	for row, err := range d.deadlines.All() {
		if err != nil {
			return err
		}
		if row.Value > now {
			continue
		}
		before, _, err := d.cases.Get(row.Key)
		if err != nil {
			return err
		}
		after, told := before.Until(now)
		if err := d.keep(row.Key, after, told, timestamp); err != nil {
			return err
		}
	}
	return nil
}

// keep keeps a case and tells of it.
func (d desk) keep(key string, c Case, told []Told, timestamp int64) error {
	for _, t := range told {
		if t.Forgotten {
			if err := d.forget(key, timestamp); err != nil {
				return err
			}
		} else if err := d.Emit(key, t); err != nil {
			return err
		}
	}
	if c.isEmpty() {
		return nil
	}
	if err := d.cases.Put(key, c, timestamp); err != nil {
		return err
	}
	before, known, err := d.deadlines.Get(key)
	if at := c.Deadline(); err == nil && at != before {
		err = d.deadlines.Put(key, at, timestamp)
		if at == 0 && known {
			err = d.deadlines.Delete(key, timestamp)
		}
	}
	return err
}

// forget removes a delivery and its status.
func (d desk) forget(key string, timestamp int64) error {
	if err := d.cases.Delete(key, timestamp); err != nil {
		return err
	}
	if err := d.deadlines.Delete(key, timestamp); err != nil {
		return err
	}
	return d.Forward(processor.Record[string, Told]{Key: key, Tombstone: true, Timestamp: timestamp})
}
