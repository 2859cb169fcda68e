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
// Initially sets the first value, DeleteWhen says which rows to delete, and Merging how the values of two sessions become
// one; Encoded, Retention and TopicConfig are
// settings of the store.
func Aggregate[K, V, A any](s *Stream[K, V], name string, add func(A, V) A) *Table[K, A] {
	return aggregate(s, "aggregate", name, add != nil, new(form[A]), func(old A, _ bool, value V) A { return add(old, value) })
}

// Count counts the records of each key, in the store name.
func Count[K, V any](s *Stream[K, V], name string) *Table[K, int64] {
	t := aggregate(s, "count", name, true, new(form[int64]), func(n int64, _ bool, _ V) int64 { return n + 1 })
	t.rules.merge = func(a, b int64) int64 { return a + b }
	return t
}

// Reduce combines the values of each key into one of the same type, in the store name. The first value of a key is
// stored as it is. The store encodes values as the stream does.
func Reduce[K, V any](s *Stream[K, V], name string, combine func(V, V) V) *Table[K, V] {
	t := aggregate(s, "reduce", name, combine != nil, carry[V](s.value), func(old V, had bool, value V) V {
		if !had {
			return value
		}
		return combine(old, value)
	})
	t.rules.merge = combine
	return t
}

// aggregation holds the settings of the aggregate that a table is the result of.
type aggregation[A any] struct {
	kind      string
	initially func() A
	done      func(A) bool // reports whether to delete the row
	merge     func(A, A) A // of sessions
}

// first returns the value of a key without a row. There is none for a Reduce.
func (r *aggregation[A]) first() (value A, some bool) {
	if r.initially != nil {
		return r.initially(), true
	}
	return value, !r.reduces()
}

// reduces reports whether the first value of a key begins its row.
func (r *aggregation[A]) reduces() bool { return r.kind == "reduce" || r.kind == "reduce-table-by" }

// keeps reports whether a row with this value remains.
func (r *aggregation[A]) keeps(value A) bool { return r.done == nil || !r.done(value) }

// Initially sets the function that returns the first value of each key of an Aggregate or a Count, instead of the zero
// value. It is called for the first record of a key, and again after the row has been deleted.
func (t *Table[K, V]) Initially(start func() V) *Table[K, V] {
	why := ""
	switch {
	case t.rules == nil:
		why = notAnAggregate
	case t.rules.reduces():
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
	t.closing = s.windows.closing(n, s.window.closer(), name)
	t.keep(name)
	s.b.timed[n] = s.windows.byOthers()
	if s.windows.kind == sessionWindows {
		s.b.deferStep(func() { s.b.needsMerge(n, rules.merge != nil) })
	}

	n.Build = func(l *plan.Linker) []any { return []any{adding(l, t, s.window, add)} }
	return t
}

// adding returns an input of the aggregate that made table t. It adds the values of records to the rows.
func adding[K, V, A any](l *plan.Linker, t *Table[K, A], window *keyWindow[K], add func(old A, had bool, value V) A) plan.Stream[K, V] {
	n, rules := t.node, t.rules
	next := plan.TableOutput[K, A](l, n)
	rows := t.def().In(l.Host)
	var value V
	update := func(old A, had bool) (A, bool) {
		if !had {
			old, _ = rules.first()
		}
		now := add(old, had, value)
		return now, rules.keeps(now)
	}
	apply := updating(l, t, rows, next, update)
	var operator *plan.Time // that tombstones advance
	if t.windows.kind == sessionWindows {
		operator = l.Time(n)
	}
	if t.windows.byOthers() {
		apply = (&windowRows[K, A]{l: l, node: n, windows: t.windows, window: window, rows: rows, rules: rules, update: update, next: next, found: latenessOf(l, window.closer())}).updater()
	}
	return func(r *processor.Record[K, V]) error {
		switch {
		case r.NoKey:
			l.Host.Drop(n, plan.NoKey)
			return nil
		case r.Tombstone:
			l.Host.Drop(n, plan.Tombstone)
			if operator == nil {
				return nil
			}
			_, err := operator.Advance(r.Timestamp)
			return err
		}
		l.Enter(n)
		value = r.Value
		return apply(r.Key, r.Timestamp)
	}
}

// updating returns the function that updates the row of a key of table t and emits the change.
func updating[K, A any](l *plan.Linker, t *Table[K, A], rows *state.KeyValue[K, A], next plan.Table[K, A], update func(old A, had bool) (A, bool)) func(key K, timestamp int64) error {
	change := new(plan.Change[K, A])
	x := t.lifetimes(l, rows, next)
	var called, ended bool
	f := func(old A, had bool) (A, bool) {
		if ended && !had { // the row would have ended already
			return old, false
		}
		called = true
		return update(old, had)
	}
	return func(key K, timestamp int64) (err error) {
		called = false
		if ended, err = x.begin(timestamp); err != nil {
			return err
		}
		l.Enter(t.node)
		c, err := rows.Modify(key, timestamp, f)
		switch {
		case err != nil:
			return err
		case !called: // the window had expired
			l.Host.Drop(t.node, plan.Late)
			return nil
		case !c.Had && !c.Has: // deleted before it existed
			return nil
		case c.Has:
			if err := x.wrote(key, c.Timestamp); err != nil {
				return err
			}
		}
		*change = plan.Change[K, A]{Key: key, Old: c.Old, New: c.New, Had: c.Had, Has: c.Has, OldTimestamp: c.OldTimestamp, Timestamp: c.Timestamp}
		return next(change)
	}
}

// needsKey reports a mistake if the stream's records are not partitioned by its key.
func (s *Stream[K, V]) needsKey(n *plan.Node) {
	if s.rekeyed {
		s.b.needsKeyBy(n)
	}
}

// needsKeyBy reports the mistake that the records of an input are not partitioned by their key.
func (b *Builder) needsKeyBy(n *plan.Node) {
	b.mistake(n.Where, "%s needs all records of a key in one partition, but an earlier step changed the key: pass the stream through topology.KeyBy first", n.Label())
}
