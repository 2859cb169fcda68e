package topology

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Reorder holds records back until the time, the greatest timestamp of the held records, has passed theirs by hold, and
// passes them on in the order of their timestamps, then of their keys. A join with a Versioned table then finds rows that
// arrive up to hold later than the records that look them up: the grace period of a join in Kafka Streams. What waits
// survives a restart, in the store name-Buffer. A record that is older than the time by more than hold passes at once, as
// do records without a key or a value, which do not advance the time.
//
// It is a function although it brings no type in, because a method would be compiled for every stream.
func Reorder[K, V any](s *Stream[K, V], name string, hold time.Duration) *Stream[K, V] {
	n := s.b.add("reorder", name, s.output())
	s.needsKey(n)
	s.b.checkName(n.Where, "reorder", name)
	if hold < time.Millisecond || hold%time.Millisecond != 0 {
		s.b.mistake(n.Where, "records held back for %v: it must be whole milliseconds, at least one", hold)
	}
	s.b.timed[n], s.b.copartition[n] = true, true
	s.b.holds[n] = hold
	var keys codec.Codec[K]
	var values codec.Codec[V]
	var held *state.HeldDefinition
	s.b.deferStep(func() {
		keys, values = s.key.codecFor(s.b, n, ofKeys), s.value.codecFor(s.b, n, ofValues)
		if legalName.MatchString(name) {
			held = state.NewHeld(name+"-Buffer", keys, values)
			s.b.attach(n, held, "")
		}
	})
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, V](l, n)
		o := &reordering{host: l.Host, clock: l.Host.Clock(n.Clock), rows: held.In(l.Host), hold: hold.Milliseconds()}
		out := new(processor.Record[K, V])
		emit := func() error { return next(out) }
		o.release = func(key []byte, value *heldValue, timestamp int64) (err error) {
			*out = processor.Record[K, V]{Timestamp: timestamp, Headers: value.headers}
			if out.Key, err = decodeJoined(keys, key); err != nil {
				return err
			}
			if out.Value, err = decodeJoined(values, value.value); err != nil {
				return err
			}
			return l.Host.As(value.headers, timestamp, emit)
		}
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) (err error) {
			if r.NoKey || r.Tombstone || o.late(r.Timestamp) {
				return next(r)
			}
			if o.key, err = keys.Append(o.key[:0], r.Key); err != nil {
				return fmt.Errorf("%s: encode key: %w", n.Label(), err)
			}
			if o.held.value, err = values.Append(o.value[:0], r.Value); err != nil {
				return fmt.Errorf("%s: encode value: %w", n.Label(), err)
			}
			o.value = o.held.value
			return o.process(r.Timestamp, r.Headers)
		})}
	}
	return after[V](s, &settings{node: n}, 0)
}

// reordering holds the records of one task. It works on bytes, so that it is compiled once.
type reordering struct {
	host    plan.Host
	clock   *state.Clock
	rows    *state.Held
	hold    int64 // ms
	release func(key []byte, value *heldValue, timestamp int64) error

	key, value, row []byte // reused
	held            heldValue
}

// late reports whether a record is too old to be held.
func (o *reordering) late(timestamp int64) bool {
	now := o.clock.Now()
	return now >= 0 && timestamp < now-o.hold
}

// process holds the record in o.key and o.held.value, and releases those whose time has passed.
func (o *reordering) process(timestamp int64, headers []processor.Header) error {
	before := o.clock.Now()
	now := o.clock.Advance(timestamp)
	o.held.origin, o.held.headers, o.held.value = o.host.Origin(), headers, notNull(o.held.value)
	o.row = o.held.append(o.row[:0], timestamp)
	if err := o.rows.Add(o.key, o.row, timestamp, timestamp > before); err != nil {
		return err
	}
	return o.rows.TakeUntil(now-o.hold, func(key, row []byte, timestamp int64) error {
		var held heldValue
		if err := held.parse(row); err != nil {
			return err
		}
		return o.release(key, &held, timestamp)
	})
}

// checkHold reports a mistake if a stream that waits for up to hold is joined with a table of a shorter history.
func (b *Builder) checkHold(n, from *plan.Node, history time.Duration) {
	if hold, ok := b.holds[from]; ok && 0 < history && history < hold {
		b.mistake(n.Where, "%s holds records back for %v, but the history of the table is %v: it must be at least as long", from.Label(), hold, history)
	}
}
