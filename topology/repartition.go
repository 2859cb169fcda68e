package topology

import (
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Repartition moves each record to the partition of the key that it has, through the topic
// <application>-<name>-repartition: after MapKV, or to change the number of partitions. Tombstones are moved, too.
// Records without a key are dropped and counted, unless a join follows that has results for them, such as LeftJoin.
//
// KeyEncoded, Encoded, Partitions, PartitionedBy and TopicConfig of the result set the codecs and the settings of the
// topic.
//
// It is a function although it brings no type in, because a method would be compiled for every type of stream, with a
// queue each.
func Repartition[K, V any](s *Stream[K, V], name string) *Stream[K, V] {
	n := s.b.add("repartition", name, s.output())
	if s.windows.windowed() {
		s.b.mistake(n.Where, "%s of a windowed stream: move the records before Window", n.Label())
	}
	topic, out := throughTopic[K, V](s.b, n, "Repartition")
	out.key, out.value = carry[K](s.key), carry[V](s.value)
	keyless := false
	s.b.deferStep(func() { keyless = s.b.joinsKeyless(out.node) })
	n.Build = func(l *plan.Linker) []any {
		next := sink(l, n, topic)
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.NoKey && !keyless {
				l.Host.Drop(n, plan.NoKey)
				return nil
			}
			return next(r)
		})}
	}
	return out
}

// keylessJoins are the kinds of the joins that have results for records without a key.
var keylessJoins = []string{"left-join", "left-join-streams", "outer-join-streams", "join-global", "left-join-global"}

// joinsKeyless reports whether such a join follows a step, behind other topics of the application, too.
func (b *Builder) joinsKeyless(step *plan.Node) bool {
	seen := map[*plan.Node]bool{step: true} // inputs are declared before the steps that take them
	for _, n := range b.nodes {
		follows := slices.ContainsFunc(n.Inputs, func(in plan.Input) bool { return seen[in.From] && !in.Lookup })
		if n.Reads != nil && n.Reads.Internal {
			follows = slices.ContainsFunc(b.nodes, func(writer *plan.Node) bool { return seen[writer] && writer.Writes == n.Reads })
		}
		if follows && slices.Contains(keylessJoins, n.Kind) {
			return true
		}
		seen[n] = seen[n] || follows
	}
	return false
}
