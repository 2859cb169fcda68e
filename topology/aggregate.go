package topology

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Aggregate keeps one value for each key, in the store name. add makes the new value from the old one, or from the
// zero value of A at the beginning, and the record's; it must not change the old one in place. On a windowed stream
// there is one value for each key and window.
//
// Every record updates the table, and the time of a row is that of its newest record. Records without a key or a value
// are dropped and counted.
func Aggregate[K, V, A any](s *Stream[K, V], name string, add func(A, V) A, options ...StoreOption[A]) *Table[K, A] {
	return aggregate(s, "aggregate", name, func(old A, _ bool, value V) A { return add(old, value) }, options)
}

// Count counts the records of each key, in the store name.
func Count[K, V any](s *Stream[K, V], name string) *Table[K, int64] {
	return aggregate(s, "count", name, func(n int64, _ bool, _ V) int64 { return n + 1 }, nil)
}

// Reduce combines the values of each key into one of the same type, in the store name; the first record's value is
// taken as it is.
func Reduce[K, V any](s *Stream[K, V], name string, combine func(V, V) V, options ...StoreOption[V]) *Table[K, V] {
	if s.value != nil {
		options = append([]StoreOption[V]{ValueCodec(s.value)}, options...)
	}
	return aggregate(s, "reduce", name, func(old V, had bool, value V) V {
		if !had {
			return value
		}
		return combine(old, value)
	}, options)
}

// StoreOption says how an operator keeps its values. See ValueCodec.
type StoreOption[A any] func(*storeOptions[A])

type storeOptions[A any] struct{ value codec.Codec[A] }

// ValueCodec encodes the values of a store with c instead of their type's default.
func ValueCodec[A any](c codec.Codec[A]) StoreOption[A] {
	return func(o *storeOptions[A]) { o.value = c }
}

func aggregate[K, V, A any](s *Stream[K, V], kind, name string, add func(old A, had bool, value V) A, options []StoreOption[A]) *Table[K, A] {
	n := s.b.add(kind, name, s.output())
	s.needsKey(n)
	o := storeOptions[A]{value: codec.For[A]()}
	for _, option := range options {
		option(&o)
	}
	def := state.NewKeyValue(name, codecOr(s.key), o.value)
	if s.windows.size > 0 {
		def = def.Windowed(s.windows.size, s.windows.size+s.windows.grace)
	}
	s.b.attach(n, def, "")

	n.Build = func(l *plan.Linker) []any {
		next := plan.TableOutput[K, A](l, n)
		rows := def.In(l.Host)
		change := new(plan.Change[K, A])
		var value V
		update := func(old A, had bool) A { return add(old, had, value) }
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
			value = r.Value
			c, err := rows.Update(r.Key, r.Timestamp, update)
			if err != nil {
				return err
			}
			if !c.Has { // the window had expired
				l.Host.Drop(n, plan.Late)
				return nil
			}
			*change = plan.Change[K, A]{Key: r.Key, Old: c.Old, New: c.New, Had: c.Had, Has: true, Timestamp: c.Timestamp}
			return next(change)
		})}
	}
	return &Table[K, A]{b: s.b, node: n, key: s.key, value: o.value, def: def}
}

// needsKey notes a mistake if the stream's key is not the one that its records were partitioned by.
func (s *Stream[K, V]) needsKey(n *plan.Node) {
	if s.rekeyed {
		s.b.mistake(n.Where, "%s needs all records of a key in one partition, but the key was changed on the way: pass the stream through topology.KeyBy first", n.Label())
	}
}
