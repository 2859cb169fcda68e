package topology

import (
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Aggregate keeps one value per key, in the store name. add returns the new value, given the old one (the zero value of
// A at first) and the record's value; it must not modify the old one in place. On a windowed stream there is one value
// per key and window.
//
// Every record updates the table. The timestamp of a row is that of its newest record. Records without a key or a value
// are dropped and counted.
//
// Initially sets the first value, and DeleteWhen says which rows to delete; Encoded, Retention and TopicConfig are
// settings of the store.
func Aggregate[K, V, A any](s *Stream[K, V], name string, add func(A, V) A) *Table[K, A] {
	return aggregate(s, "aggregate", name, add != nil, new(form[A]), func(old A, _ bool, value V) A { return add(old, value) })
}

// Count counts the records of each key, in the store name.
func Count[K, V any](s *Stream[K, V], name string) *Table[K, int64] {
	return aggregate(s, "count", name, true, new(form[int64]), func(n int64, _ bool, _ V) int64 { return n + 1 })
}

// Reduce combines the values of each key into one of the same type, in the store name. The first value of a key is
// stored as it is. The store encodes values as the stream does.
func Reduce[K, V any](s *Stream[K, V], name string, combine func(V, V) V) *Table[K, V] {
	return aggregate(s, "reduce", name, combine != nil, carry[V](s.value), func(old V, had bool, value V) V {
		if !had {
			return value
		}
		return combine(old, value)
	})
}

// aggregation holds the settings of the aggregate that a table is the result of.
type aggregation[A any] struct {
	kind      string
	initially func() A
	done      func(A) bool // reports whether to delete the row
}

// Initially sets the function that returns the first value of each key of an Aggregate or a Count, instead of the zero
// value. It is called for the first record of a key, and again after the row has been deleted.
func (t *Table[K, V]) Initially(start func() V) *Table[K, V] {
	why := ""
	switch {
	case t.rules == nil:
		why = notAnAggregate
	case t.rules.kind == "reduce":
		why = "a Reduce starts with the first value of a key"
	case start == nil:
		why = "the function is nil"
	}
	if t.b.checkSetting(t.made, "Initially", why) {
		t.rules.initially = start
	}
	return t
}

// DeleteWhen deletes a row as soon as done returns true for its new value. If there was a row, the table emits a
// tombstone. The key's next record starts anew.
func (t *Table[K, V]) DeleteWhen(done func(V) bool) *Table[K, V] {
	why := ""
	switch {
	case t.rules == nil:
		why = notAnAggregate
	case done == nil:
		why = "the function is nil"
	}
	if t.b.checkSetting(t.made, "DeleteWhen", why) {
		t.rules.done = done
	}
	return t
}

const notAnAggregate = "the rows of this table are not the result of an aggregate"

func aggregate[K, V, A any](s *Stream[K, V], kind, name string, given bool, value *form[A], add func(old A, had bool, value V) A) *Table[K, A] {
	n := s.b.add(kind, name, s.output())
	s.b.needs(n, given)
	s.needsKey(n)
	rules := &aggregation[A]{kind: kind}
	t := &Table[K, A]{b: s.b, node: n, made: &settings{node: n}, key: carry[K](s.key), value: value, name: name, windows: s.windows, rules: rules}
	var def *state.KeyValueDefinition[K, A]
	s.b.deferStep(func() {
		def = state.NewKeyValue(name, t.key.codecFor(s.b, n, ofKeys), t.value.codecFor(s.b, n, ofValues))
		if s.windows.windowed() {
			def = def.Windowed(s.windows.size, max(t.made.retention, s.windows.minRetention()))
		}
		if store := s.b.attach(n, def, ""); store != nil {
			store.Config = t.made.topicConfig()
		}
	})
	t.def = func() *state.KeyValueDefinition[K, A] { return def }

	n.Build = func(l *plan.Linker) []any {
		next := plan.TableOutput[K, A](l, n)
		rows := def.In(l.Host)
		change := new(plan.Change[K, A])
		var value V
		var called bool
		update := func(old A, had bool) (A, bool) {
			called = true
			if !had && rules.initially != nil {
				old = rules.initially()
			}
			now := add(old, had, value)
			return now, rules.done == nil || !rules.done(now)
		}
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			switch {
			case r.NoKey:
				l.Host.Drop(n, plan.NoKey)
				return nil
			case r.Tombstone:
				l.Host.Drop(n, plan.Tombstone)
				return nil
			}
			l.Enter(n)
			value, called = r.Value, false
			c, err := rows.Modify(r.Key, r.Timestamp, update)
			switch {
			case err != nil:
				return err
			case !called: // the window had expired
				l.Host.Drop(n, plan.Late)
				return nil
			case !c.Had && !c.Has: // deleted before it existed
				return nil
			}
			*change = plan.Change[K, A]{Key: r.Key, Old: c.Old, New: c.New, Had: c.Had, Has: c.Has, OldTimestamp: c.OldTimestamp, Timestamp: c.Timestamp}
			return next(change)
		})}
	}
	return t
}

// needsKey reports a mistake if the stream's records are not partitioned by its key.
func (s *Stream[K, V]) needsKey(n *plan.Node) {
	if s.rekeyed {
		s.b.mistake(n.Where, "%s needs all records of a key in one partition, but an earlier step changed the key: pass the stream through topology.KeyBy first", n.Label())
	}
}
