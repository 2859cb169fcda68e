package topology

import (
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Map transforms each value and keeps the key.
func Map[K, V, W any](s *Stream[K, V], f func(V) W) *Stream[K, W] {
	n := s.b.add("map", "", s.output())
	s.b.needs(n, f != nil)
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, W](l, n)
		out := new(processor.Record[K, W]) // reused: the next step only reads it during the call
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			*out = processor.Record[K, W]{Key: r.Key, Timestamp: r.Timestamp, Headers: r.Headers, NoKey: r.NoKey, Tombstone: r.Tombstone}
			if !r.Tombstone {
				l.Enter(n)
				out.Value = f(r.Value)
			}
			return next(out)
		})}
	}
	return after[W](s, &settings{node: n}, 0)
}

// MapKV transforms each key and value. It does not move the record to the partition of the new key: before state can be
// kept by it, pass the stream through KeyBy. Tombstones are dropped.
func MapKV[K, V, L, W any](s *Stream[K, V], f func(K, V) (L, W)) *Stream[L, W] {
	n := s.b.add("map-kv", "", s.output())
	s.b.needs(n, f != nil)
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
	return rekey[L, W](s, &settings{node: n})
}

// FlatMap transforms each value into any number of values, and keeps the key. Tombstones are dropped.
func FlatMap[K, V, W any](s *Stream[K, V], f func(V) []W) *Stream[K, W] {
	n := s.b.add("flat-map", "", s.output())
	s.b.needs(n, f != nil)
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
	return after[W](s, &settings{node: n}, 0)
}

// rekey returns the stream of a step that changes keys. After that, the key no longer determines the partition.
func rekey[L, W, K, V any](s *Stream[K, V], made *settings) *Stream[L, W] {
	return &Stream[L, W]{b: s.b, node: made.node, made: made, key: new(form[L]), value: carry[W](s.value), rekeyed: true}
}

// KeyBy gives each record a key computed from its value and moves the record to the partition of that key, through the
// topic <application>-<name>-repartition. It and Repartition are the operators that move the records of a stream. Tombstones are dropped.
//
// KeyEncoded, Encoded, Partitions, PartitionedBy and TopicConfig of the result set the codecs and the settings of the
// topic.
func KeyBy[K, V, L any](s *Stream[K, V], name string, key func(V) L) *Stream[L, V] {
	n := s.b.add("key-by", name, s.output())
	s.b.needs(n, key != nil)
	topic, out := throughTopic[L, V](s.b, n, "KeyBy")
	out.value = carry[V](s.value)
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
	return out
}

// throughTopic lets step n write a repartition topic that is called after it, and returns the topic and the stream that
// reads it.
func throughTopic[K, V any](b *Builder, n *plan.Node, what string) (*Topic[K, V], *Stream[K, V]) {
	b.checkName(n.Where, what, n.Name)
	topic := &Topic[K, V]{name: plan.RepartitionName(n.Name), options: &topicOptions{internal: true}}
	if before, taken := b.topics[topic.name]; taken && before.Internal {
		b.mistake(n.Where, "the name %q is already used by another KeyBy, Repartition or grouped table: choose another", n.Name)
	}
	n.Writes = b.addTopic(n, &plan.Topic{Name: topic.name, Internal: true})
	b.checkLength(n.Where, b.names().Topic(n.Writes))
	out := read(b, n, topic)
	out.made.topic = topic
	b.deferStep(func() {
		topic.key, topic.value = out.key.codecFor(b, n, ofKeys), out.value.codecFor(b, n, ofValues)
		*n.Writes = *describe(*topic)
		n.Writes.Config, n.Writes.Partitions = out.made.topicConfig(), out.made.partitions
	})
	return topic, out
}

// read adds the source of KeyBy n. The topic has no codecs yet.
func read[K, V any](b *Builder, n *plan.Node, topic *Topic[K, V]) *Stream[K, V] {
	source := b.add("source", "")
	source.Reads = n.Writes
	source.Queue = func(l *plan.Linker) plan.Queue {
		q := newQueue(topic, func() { l.Enter(source) }, l.Host.Now)
		q.deliver = plan.StreamOutput[K, V](l, source)
		return q
	}
	s := &Stream[K, V]{b: b, node: source, made: &settings{node: n}, key: new(form[K])}
	b.sources[topic.name] = s
	return s
}
