package topology

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Records makes the whole record the value, so that the function of any step sees its key, its timestamp, its headers
// and whether it is a tombstone. Tombstones are values then: Filter and Aggregate get them. Values and FromRecords undo
// it:
//
//	traced := topology.Values(topology.Records(events).Filter(hasTrace))
func Records[K, V any](s *Stream[K, V]) *Stream[K, processor.Record[K, V]] {
	n := s.b.add("records", "", s.output())
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, processor.Record[K, V]](l, n)
		out := new(processor.Record[K, processor.Record[K, V]])
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			*out = processor.Record[K, processor.Record[K, V]]{Key: r.Key, Value: *r, Timestamp: r.Timestamp, Headers: r.Headers, NoKey: r.NoKey}
			return next(out)
		})}
	}
	out := after[processor.Record[K, V]](s, &settings{node: n}, 0)
	out.value = formOfRecords(s.key, s.value)
	return out
}

// formOfRecords returns the form of whole records.
func formOfRecords[K, V any](key *form[K], value *form[V]) *form[processor.Record[K, V]] {
	return &form[processor.Record[K, V]]{
		derived: func(b *Builder, at *plan.Node) codec.Codec[processor.Record[K, V]] {
			return recordCodec[K, V]{key.codecFor(b, at, ofKeys), value.codecFor(b, at, ofValues)}
		},
		values: value,
		content: func(b *Builder, at *plan.Node) func([]byte, processor.Record[K, V]) ([]byte, error) {
			c := value.codecFor(b, at, ofValues)
			return func(dst []byte, r processor.Record[K, V]) ([]byte, error) { return c.Append(dst, r.Value) }
		},
	}
}

// Values reverses Records: value, timestamp and headers are those of the record, and tombstones are tombstones again.
// The key remains that of the stream, so the records are in the right partition.
func Values[K, L, V any](s *Stream[K, processor.Record[L, V]]) *Stream[K, V] {
	n := s.b.add("values", "", s.output())
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, V](l, n)
		out := new(processor.Record[K, V])
		return []any{plan.Stream[K, processor.Record[L, V]](func(r *processor.Record[K, processor.Record[L, V]]) error {
			if r.Tombstone {
				*out = processor.Record[K, V]{Key: r.Key, NoKey: r.NoKey, Timestamp: r.Timestamp, Headers: r.Headers, Tombstone: true}
				return next(out)
			}
			*out = processor.Record[K, V]{
				Key: r.Key, NoKey: r.NoKey,
				Value: r.Value.Value, Timestamp: r.Value.Timestamp, Headers: r.Value.Headers, Tombstone: r.Value.Tombstone,
			}
			return next(out)
		})}
	}
	out := after[V](s, &settings{node: n}, 0)
	out.value = valueForm[L, V](s.value)
	return out
}

// FromRecords undoes Records and takes the key from the record, which a function may have changed. As after MapKV this
// does not move the record: before state can be kept by the key, pass the stream through KeyBy.
func FromRecords[K, L, V any](s *Stream[K, processor.Record[L, V]]) *Stream[L, V] {
	n := s.b.add("from-records", "", s.output())
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[L, V](l, n)
		out := new(processor.Record[L, V])
		return []any{plan.Stream[K, processor.Record[L, V]](func(r *processor.Record[K, processor.Record[L, V]]) error {
			if r.Tombstone { // there is no record to take the key from
				l.Host.Drop(n, plan.Tombstone)
				return nil
			}
			*out = r.Value
			return next(out)
		})}
	}
	out := rekey[L, V](s, &settings{node: n})
	out.value = valueForm[L, V](s.value)
	return out
}

// valueForm returns the form of the values within records.
func valueForm[L, V any](f *form[processor.Record[L, V]]) *form[V] {
	if values, ok := f.values.(*form[V]); ok {
		return carry[V](values)
	}
	return new(form[V])
}
