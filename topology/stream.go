package topology

import (
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Stream is a stream of records, each an independent event.
type Stream[K, V any] struct {
	b       *Builder
	node    *plan.Node
	port    int // index of the node's output
	made    *settings
	key     *form[K]
	value   *form[V]
	rekeyed bool    // the key no longer determines the partition
	windows Windows // set when K is a window key
	window  *keyWindow[K]
}

// From reads topics as one stream. The records of several topics are interleaved in the order of their timestamps.
// Reading a topic twice returns the same stream.
func From[K, V any](b *Builder, topics ...Topic[K, V]) *Stream[K, V] {
	switch len(topics) {
	case 0:
		n := b.add("source", "")
		b.mistake(n.Where, "From has no topic to read")
		return &Stream[K, V]{b: b, node: n, made: &settings{node: n}, key: new(form[K]), value: new(form[V])}
	case 1:
		return from(b, topics[0])
	}
	streams := make([]*Stream[K, V], len(topics))
	for i, topic := range topics {
		streams[i] = from(b, topic)
		if slices.Contains(streams[:i], streams[i]) {
			b.mistake(callSite(), "From has the topic %q twice: each of its records would come twice", topic.name)
		}
	}
	return streams[0].Merge(streams[1:]...)
}

// from reads one topic.
func from[K, V any](b *Builder, topic Topic[K, V]) *Stream[K, V] {
	if before, ok := b.sources[topic.name]; ok {
		if s, ok := before.(*Stream[K, V]); ok {
			use(b, s.node, topic)
			b.follow(s.node, topic.name, topic.options, processor.Decode)
			return s
		}
		b.mistake(callSite(), "topic %q is read elsewhere in this topology with other types or as a table: read it once and use the result twice", topic.name)
	}
	n := b.add("source", "")
	n.Reads = use(b, n, topic)
	b.follow(n, topic.name, topic.options, processor.Decode)
	b.guard(n, topic.name, topic.options)
	n.Queue = func(l *plan.Linker) plan.Queue {
		q := newQueue(&topic, func() { l.Enter(n) }, l.Host.Now)
		q.deliver = plan.StreamOutput[K, V](l, n)
		if n.Clock != "" {
			q.partition = l.Host.Clock(n.Clock)
		}
		return q
	}
	s := &Stream[K, V]{b: b, node: n, made: &settings{node: n}, key: chosen(topic.key), value: chosen(topic.value)}
	b.sources[topic.name] = s
	return s
}

// output returns the graph edge of the stream's records.
func (s *Stream[K, V]) output() plan.Input { return plan.Input{From: s.node, Port: s.port} }

// step adds a step with the same record types as s. run is called with the task's linker and the next step, and returns
// the handler of records. given reports whether the user's function is not nil.
func (s *Stream[K, V]) step(kind string, given bool, run func(n *plan.Node, l *plan.Linker, next plan.Stream[K, V]) plan.Stream[K, V]) *Stream[K, V] {
	n := s.b.add(kind, "", s.output())
	s.b.needs(n, given)
	n.Build = func(l *plan.Linker) []any {
		return []any{run(n, l, plan.StreamOutput[K, V](l, n))}
	}
	return after[V](s, &settings{node: n}, 0)
}

// after returns the stream of one output of a step with input s, with the keys of s.
func after[W, K, V any](s *Stream[K, V], made *settings, port int) *Stream[K, W] {
	return &Stream[K, W]{
		b: s.b, node: made.node, port: port, made: made,
		key: carry[K](s.key), value: carry[W](s.value), rekeyed: s.rekeyed, windows: s.windows, window: s.window,
	}
}

// Filter keeps the records for whose value keep returns true.
func (s *Stream[K, V]) Filter(keep func(V) bool) *Stream[K, V] { return s.filter("filter", keep, true) }

// FilterNot drops the records for whose value drop returns true.
func (s *Stream[K, V]) FilterNot(drop func(V) bool) *Stream[K, V] {
	return s.filter("filter-not", drop, false)
}

func (s *Stream[K, V]) filter(kind string, accept func(V) bool, want bool) *Stream[K, V] {
	return s.step(kind, accept != nil, func(n *plan.Node, l *plan.Linker, next plan.Stream[K, V]) plan.Stream[K, V] {
		return func(r *processor.Record[K, V]) error {
			if !r.Tombstone {
				l.Enter(n)
				if accept(r.Value) != want {
					return nil
				}
			}
			return next(r)
		}
	})
}

// Branch splits the stream: matched gets the records for whose value match returns true, rest all others, including
// tombstones. match is called once per record. Branch rest again for more branches; a record goes to the first that
// matches.
func (s *Stream[K, V]) Branch(match func(V) bool) (matched, rest *Stream[K, V]) {
	n := s.b.add("branch", "", s.output())
	s.b.needs(n, match != nil)
	n.Ports = []string{"matched", "rest"}
	n.Build = func(l *plan.Linker) []any {
		matched, rest := plan.StreamPort[K, V](l, n, 0), plan.StreamPort[K, V](l, n, 1)
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			l.Enter(n)
			if !r.Tombstone && match(r.Value) {
				return matched(r)
			}
			return rest(r)
		})}
	}
	made := &settings{node: n}
	return after[V](s, made, 0), after[V](s, made, 1)
}

// Peek calls look for each record, for example to log or count. A record that is processed again after a failure is
// seen again.
func (s *Stream[K, V]) Peek(look func(processor.Record[K, V])) *Stream[K, V] {
	return s.step("peek", look != nil, func(n *plan.Node, l *plan.Linker, next plan.Stream[K, V]) plan.Stream[K, V] {
		return func(r *processor.Record[K, V]) error {
			l.Enter(n)
			look(*r)
			return next(r)
		}
	})
}

// Merge interleaves the stream with others of the same types.
func (s *Stream[K, V]) Merge(others ...*Stream[K, V]) *Stream[K, V] {
	inputs := []plan.Input{s.output()}
	out := *s
	out.key, out.value = carry[K](s.key), carry[V](s.value)
	keys := []encoded{s.key}
	for _, other := range others {
		if !s.b.mergeable(other.b, s.windows, other.windows) {
			continue
		}
		inputs = append(inputs, other.output())
		if other.window != s.window {
			out.window = out.window.unclosed()
		}
		out.rekeyed = out.rekeyed || other.rekeyed
		out.value.from = append(out.value.from, other.value)
		keys = append(keys, other.key)
	}
	n := s.b.merge(inputs, keys)
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, V](l, n)
		links := make([]any, len(inputs))
		for i := range links {
			links[i] = next
		}
		return links
	}
	out.node, out.port, out.made = n, 0, &settings{node: n}
	return &out
}

// encoded is a form of any type.
type encoded interface {
	name(*Builder, *plan.Node) string
}

// mergeable reports whether a stream of the builder other can be merged with one of b. It reports the mistakes.
func (b *Builder) mergeable(other *Builder, windows, with Windows) bool {
	if other != b {
		b.mistake(callSite(), "merged streams come from two builders: read both with one")
		return false
	}
	if windows != with {
		b.mistake(callSite(), "merged streams have different windows, %v and %v", windows, with)
	}
	return true
}

// merge adds the step that merges streams with keys of these forms.
func (b *Builder) merge(inputs []plan.Input, keys []encoded) *plan.Node {
	n := b.add("merge", "", inputs...)
	b.deferStep(func() {
		first := keys[0].name(b, n)
		for _, key := range keys[1:] {
			if other := key.name(b, n); other != first {
				b.mistake(n.Where, "merged streams encode their keys differently, as %s and %s", first, other)
			}
		}
	})
	return n
}

// To writes the stream to a topic. Its codecs are the topic's.
func (s *Stream[K, V]) To(topic Topic[K, V]) {
	n := s.b.add("sink", "", s.output())
	n.Writes = useSink(s.b, n, topic)
	s.b.follow(n, topic.name, topic.options, processor.Produce)
	checkWindows(s, n, topic)
	n.Build = func(l *plan.Linker) []any { return []any{sink(l, n, &topic)} }
}
