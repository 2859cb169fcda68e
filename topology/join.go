package topology

import (
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Join combines each record of the stream with the table's current row of the same key; records without a row are
// dropped. Only the stream causes output: a change of the table alone does not. Both sides need the same key and the
// same number of partitions. The row of a Versioned table is the one at the time of the record; Reorder lets records
// wait for the rows of their time.
func Join[K, V, W, R any](s *Stream[K, V], t *Table[K, W], combine func(V, W) R) *Stream[K, R] {
	return join(s, t, "join", combine != nil, func(v V, w W, ok bool) (R, bool) {
		if !ok {
			return *new(R), false
		}
		return combine(v, w), true
	})
}

// LeftJoin combines each record of the stream with the table's current row of the same key; ok reports whether there is
// one. A record without a key has none, and stays without a key.
func LeftJoin[K, V, W, R any](s *Stream[K, V], t *Table[K, W], combine func(v V, w W, ok bool) R) *Stream[K, R] {
	return join(s, t, "left-join", combine != nil, func(v V, w W, ok bool) (R, bool) { return combine(v, w, ok), true })
}

func join[K, V, W, R any](s *Stream[K, V], t *Table[K, W], kind string, given bool, combine func(V, W, bool) (R, bool)) *Stream[K, R] {
	if s.b != t.b {
		s.b.mistake(callSite(), "the stream and the table of the %s come from two builders: read both with one", kind)
		return after[R](s, &settings{node: s.b.add(kind, "", s.output())}, 0)
	}
	n := s.b.add(kind, t.name, s.output(), plan.Input{From: t.node, Lookup: true})
	s.needsKey(n)
	s.b.needs(n, given)
	s.b.deferStep(func() {
		s.b.checkHold(n, s.node, t.history())
		if a, b := s.key.name(s.b, n), t.key.name(s.b, n); a != b {
			s.b.mistake(n.Where, "the two sides of the join are not co-partitioned: the stream's keys are %s and the table's %s; use one codec", a, b)
		}
	})
	s.b.copartition[n] = true
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, R](l, n)
		at := new(int64)
		rows := t.rowsAt(l, at)
		out := new(processor.Record[K, R])
		stream := func(r *processor.Record[K, V]) error {
			if r.Tombstone {
				l.Host.Drop(n, plan.Tombstone)
				return nil
			}
			var row W
			var ok bool
			if !r.NoKey {
				var err error
				*at = r.Timestamp
				if row, _, ok, err = rows(r.Key); err != nil {
					return err
				}
			}
			l.Enter(n)
			value, emit := combine(r.Value, row, ok)
			if !emit {
				if r.NoKey {
					l.Host.Drop(n, plan.NoKey)
				}
				return nil
			}
			*out = processor.Record[K, R]{Key: r.Key, Value: value, Timestamp: r.Timestamp, Headers: r.Headers, NoKey: r.NoKey}
			return next(out)
		}
		ignore := func(*plan.Change[K, W]) error { return nil } // the lookup sees the change in the store
		return []any{plan.Stream[K, V](stream), plan.Table[K, W](ignore)}
	}
	return after[R](s, &settings{node: n}, 0)
}
