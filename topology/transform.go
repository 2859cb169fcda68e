package topology

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Map turns each value into another and keeps the key.
func Map[K, V, W any](s *Stream[K, V], f func(V) W) *Stream[K, W] {
	n := s.b.add("map", "", s.output())
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, W](l, n)
		out := new(processor.Record[K, W]) // reused: the next step reads it during the call
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			*out = processor.Record[K, W]{Key: r.Key, Timestamp: r.Timestamp, Headers: r.Headers, NoKey: r.NoKey, Tombstone: r.Tombstone}
			if !r.Tombstone {
				l.Enter(n)
				out.Value = f(r.Value)
			}
			return next(out)
		})}
	}
	return &Stream[K, W]{b: s.b, node: n, key: s.key, rekeyed: s.rekeyed, windows: s.windows}
}

// MapKV turns each key and value into others. The new key does not move the record: before state can be kept by it,
// pass the stream through KeyBy. Tombstones are dropped.
func MapKV[K, V, L, W any](s *Stream[K, V], f func(K, V) (L, W)) *Stream[L, W] {
	n := s.b.add("map-kv", "", s.output())
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[L, W](l, n)
		out := new(processor.Record[L, W])
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.Tombstone {
				l.Host.Drop(n, plan.Tombstone)
				return nil
			}
			l.Enter(n)
			*out = processor.Record[L, W]{Timestamp: r.Timestamp, Headers: r.Headers}
			out.Key, out.Value = f(r.Key, r.Value)
			return next(out)
		})}
	}
	return &Stream[L, W]{b: s.b, node: n, rekeyed: true}
}

// FlatMap turns each value into none, one or several, and keeps the key. Tombstones are dropped.
func FlatMap[K, V, W any](s *Stream[K, V], f func(V) []W) *Stream[K, W] {
	n := s.b.add("flat-map", "", s.output())
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, W](l, n)
		out := new(processor.Record[K, W])
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.Tombstone {
				l.Host.Drop(n, plan.Tombstone)
				return nil
			}
			l.Enter(n)
			for _, value := range f(r.Value) {
				*out = processor.Record[K, W]{Key: r.Key, Value: value, Timestamp: r.Timestamp, Headers: r.Headers, NoKey: r.NoKey}
				if err := next(out); err != nil {
					return err
				}
			}
			return nil
		})}
	}
	return &Stream[K, W]{b: s.b, node: n, key: s.key, rekeyed: s.rekeyed, windows: s.windows}
}

// KeyBy gives each record the key that its value names and moves it to that key's partition, through the topic
// <application>-<name>-repartition. It is the only operator that moves data. Tombstones are dropped.
func KeyBy[K, V, L any](s *Stream[K, V], name string, key func(V) L, options ...KeyByOption[L]) *Stream[L, V] {
	n := s.b.add("key-by", name, s.output())
	s.b.checkName(n.Where, "KeyBy", name)
	topic := Topic[L, V]{name: plan.RepartitionName(name), key: codec.For[L](), value: codecOr(s.value), internal: true}
	for _, option := range options {
		option(&topic.key)
	}
	if before, taken := s.b.topics[topic.name]; taken && before.Internal {
		s.b.mistake(n.Where, "the name %q is taken by another KeyBy: give this one another", name)
	}
	n.Writes = use(s.b, n, topic)
	s.b.checkLength(n.Where, s.b.names().Topic(n.Writes))
	n.Build = func(l *plan.Linker) []any {
		next := sink(l, n, topic)
		out := new(processor.Record[L, V])
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.Tombstone {
				l.Host.Drop(n, plan.Tombstone)
				return nil
			}
			l.Enter(n)
			*out = processor.Record[L, V]{Key: key(r.Value), Value: r.Value, Timestamp: r.Timestamp, Headers: r.Headers}
			return next(out)
		})}
	}
	return From(s.b, topic)
}

// KeyByOption sets what KeyBy cannot know. See KeyCodec.
type KeyByOption[K any] func(*codec.Codec[K])

// KeyCodec encodes KeyBy's keys with c instead of their type's default.
func KeyCodec[K any](c codec.Codec[K]) KeyByOption[K] {
	return func(key *codec.Codec[K]) { *key = c }
}
