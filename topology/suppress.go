package topology

import (
	"fmt"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

// Suppress holds back the changes of a table, so that fewer leave: of each key only the last one, when its window has
// closed or a time limit has passed since the first one.
//
//	latest := topology.Suppress(orders, "latest-orders", topology.UntilTimeLimit(time.Minute).MaxRecords(100_000).EmitEarlyWhenFull())
//
// What is held back is kept in the store name, and its order in memory. The time is the greatest timestamp of the changes
// that reach the step; changes leave in the order of their time in the buffer, then of their keys, with the timestamp
// and the headers of the change that is emitted. A lookup by a join finds what has left.
//
// For aggregates of windows use Final, which needs no buffer. Encoded and TopicConfig are settings of the store.
func Suppress[K, V any](t *Table[K, V], name string, until Suppression) *Table[K, V] {
	b := t.b
	n := b.add("suppress", name, t.output())
	b.timed[n], b.copartition[n] = true, true
	out := derive[V](t, n)
	out.closing, out.buffered = nil, true
	var keys codec.Codec[K]
	var values codec.Codec[V]
	var def *state.BufferDefinition
	b.deferStep(func() {
		if t.history() > 0 {
			b.mistake(n.Where, "suppress %s: its table is versioned, so changes may be older than those that wait: suppress a table that is not", name)
		}
		keys, values = t.key.codecFor(b, n, ofKeys), out.value.codecFor(b, n, ofValues)
		windows, _ := codec.WindowedKeysOf(keys) // its mistakes are reported by use
		until = b.resolveSuppression(n, until, t.windows, windows)
		def = state.NewBuffer(name, keys, values)
		if store := b.attach(n, def, ""); store != nil {
			store.Config = out.made.topicConfig()
		}
	})

	decode := func(data []byte) (value V, has bool, err error) {
		if data == nil {
			return value, false, nil
		}
		if value, err = values.Decode(data); err != nil {
			err = &state.Error{Store: name, Err: fmt.Errorf("%s: decode value: %w", n.Label(), err)}
		}
		return value, true, err
	}
	out.computed = func(l *plan.Linker) plan.Rows[K, V] {
		buffer, rows := def.In(l.Host), t.rows(l)
		var encoded []byte
		return func(key K) (value V, timestamp int64, found bool, err error) {
			l.Enter(n)
			if encoded, err = keys.Append(encoded[:0], key); err != nil {
				return value, 0, false, fmt.Errorf("%s: encode key: %w", n.Label(), err)
			}
			prior, buffered, err := buffer.Prior(encoded)
			switch {
			case err != nil:
				return value, 0, false, err
			case !buffered: // all changes have left
				return rows(key)
			}
			value, found, err = decode(prior)
			return value, 0, found, err // Kafka Streams does not keep the time, either
		}
	}
	n.Build = func(l *plan.Linker) []any {
		next, change := out.changes(l), new(plan.Change[K, V])
		s := newSuppressor(l, n, def, until)
		s.emit = func(key []byte, c *state.Buffered) (err error) {
			l.Enter(n)
			*change = plan.Change[K, V]{Timestamp: c.Timestamp}
			if change.Key, err = keys.Decode(key); err != nil {
				return &state.Error{Store: name, Err: fmt.Errorf("%s: decode key: %w", n.Label(), err)}
			}
			if change.Old, change.Had, err = decode(c.Prior); err != nil {
				return err
			}
			if change.New, change.Has, err = decode(c.New); err != nil {
				return err
			}
			return next(change)
		}
		key, before, after := []byte{}, []byte{}, []byte{} // an empty value is not none
		return []any{plan.Table[K, V](func(c *plan.Change[K, V]) (err error) {
			l.Enter(n)
			if key, err = keys.Append(key[:0], c.Key); err != nil {
				return fmt.Errorf("%s: encode key: %w", n.Label(), err)
			}
			held := state.Buffered{Timestamp: c.Timestamp}
			if c.Had {
				if before, err = values.Append(before[:0], c.Old); err != nil {
					return fmt.Errorf("%s: encode value: %w", n.Label(), err)
				}
				held.Old = before
			}
			if c.Has {
				if after, err = values.Append(after[:0], c.New); err != nil {
					return fmt.Errorf("%s: encode value: %w", n.Label(), err)
				}
				held.New = after
			}
			return s.hold(key, &held)
		})}
	}
	return out
}
