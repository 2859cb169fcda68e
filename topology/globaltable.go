package topology

import (
	"fmt"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// globalTable is the kind of the node of a global table.
const globalTable = "global-table"

// GlobalTable is a table of which every process of the application has all rows, whatever partition they are in.
type GlobalTable[K, V any] struct {
	b    *Builder
	node *plan.Node
	def  *state.KeyValueDefinition[K, V]
}

// GlobalTableFrom reads all partitions of a topic as a table in every process of the application. It is complete before
// the first record is processed, and then follows the topic: an update is seen as soon as it has been read, whatever its
// timestamp. So a replay may find other rows, and the plan marks the table with "~". It is for small tables that streams
// with other keys, or with other numbers of partitions, look up: see JoinGlobal. Records without a key are left out. An
// error policy that writes dead letters skips records that cannot be decoded, because every process reads them.
func GlobalTableFrom[K, V any](b *Builder, topic Topic[K, V]) *GlobalTable[K, V] {
	if before, ok := b.sources[topic.name]; ok {
		if g, ok := before.(*GlobalTable[K, V]); ok {
			use(b, g.node, topic)
			b.follow(g.node, topic.name, topic.options, processor.Decode)
			return g
		}
		b.mistake(callSite(), "topic %q is read elsewhere in this topology with other types, or as a stream or table: read it once and use the result twice", topic.name)
	}
	n := b.add(globalTable, "")
	n.Reads = use(b, n, topic)
	b.follow(n, topic.name, topic.options, processor.Decode)
	g := &GlobalTable[K, V]{b: b, node: n, def: state.NewKeyValue(topic.name, topic.key, topic.value)}
	b.addGlobal(n, topic.options, g.def)
	n.Queue = func(l *plan.Linker) plan.Queue {
		return newQueue(&topic, func() { l.Enter(n) }, nil) // no clock: such a topic has no MaxAhead
	}
	b.sources[topic.name] = g
	return g
}

// addGlobal adds a global table to the plan, and checks the options of its topic.
func (b *Builder) addGlobal(n *plan.Node, options *topicOptions, def state.Definition) {
	if options.get().bounded {
		b.mistake(n.Where, "topic %q is read as a table, which must find the same records whenever it is restored: leave MaxAhead out", n.Reads.Name)
	}
	if n.OnError != nil && n.OnError.Action == processor.DeadLetter {
		b.mistake(n.Where, "topic %q is read by every process as a global table, which writes no dead letters: let OnError skip the record or fail", n.Reads.Name)
	}
	global := &plan.Global{Source: n, Store: &plan.Store{Definition: def, Source: n.Reads.Name}}
	b.globals[n] = global
	b.deferStep(func() {
		if store := b.attach(n, def, n.Reads.Name); store != nil {
			global.Store = store
		}
	})
}

// Name returns the name of the table's store: that of the topic.
func (g *GlobalTable[K, V]) Name() string { return g.def.Name() }

// In returns the rows of the table for a step that it is attached to: Process(s, name, start, table). They are shared:
// do not modify what they refer to.
func (g *GlobalTable[K, V]) In(s state.Stores) *state.Lookup[K, V] {
	err := fmt.Errorf("the step has no global table %q: attach it where the step is declared", g.Name())
	if host, ok := s.(interface{ Shared() *state.Shared }); ok && host.Shared() != nil {
		var rows *state.Lookup[K, V]
		if rows, err = g.def.Lookup(host.Shared()); err == nil {
			return rows
		}
	}
	s.Fail(err)
	return nil
}

// attachTo lets step n look up rows of the table.
func (g *GlobalTable[K, V]) attachTo(b *Builder, n *plan.Node) {
	if g.b != b {
		b.mistake(n.Where, "%s uses a global table of another builder: read both with one", n.Label())
		return
	}
	n.Globals = append(n.Globals, b.globals[g.node])
}

// JoinGlobal combines each record of the stream with the row of a global table that has the key returned by key; records
// without such a row are dropped. Only the stream causes output. The keys and the partitions of the two sides need not
// be related, and a record without a key is joined like others. Records without a value are dropped and counted.
func JoinGlobal[K, V, G, W, R any](s *Stream[K, V], g *GlobalTable[G, W], key func(V) G, combine func(V, W) R) *Stream[K, R] {
	return joinGlobal(s, g, "join-global", key, combine != nil, func(v V, w W, ok bool) (R, bool) {
		if !ok {
			return *new(R), false
		}
		return combine(v, w), true
	})
}

// LeftJoinGlobal is like JoinGlobal with a result for each record of the stream; ok reports whether there is a row.
func LeftJoinGlobal[K, V, G, W, R any](s *Stream[K, V], g *GlobalTable[G, W], key func(V) G, combine func(v V, w W, ok bool) R) *Stream[K, R] {
	return joinGlobal(s, g, "left-join-global", key, combine != nil, func(v V, w W, ok bool) (R, bool) { return combine(v, w, ok), true })
}

func joinGlobal[K, V, G, W, R any](s *Stream[K, V], g *GlobalTable[G, W], kind string, key func(V) G, given bool, combine func(V, W, bool) (R, bool)) *Stream[K, R] {
	n := s.b.add(kind, g.Name(), s.output())
	s.b.needs(n, given && key != nil)
	g.attachTo(s.b, n)
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, R](l, n)
		rows := g.In(l.Host)
		out := new(processor.Record[K, R])
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.Tombstone {
				l.Host.Drop(n, plan.Tombstone)
				return nil
			}
			l.Enter(n)
			row, ok, err := rows.Get(key(r.Value))
			if err != nil {
				return err
			}
			value, emit := combine(r.Value, row, ok)
			if !emit {
				return nil
			}
			*out = processor.Record[K, R]{Key: r.Key, Value: value, Timestamp: r.Timestamp, Headers: r.Headers, NoKey: r.NoKey}
			return next(out)
		})}
	}
	return after[R](s, &settings{node: n}, 0)
}

// View returns the committed rows of the table in the database of the global tables.
func (g *GlobalTable[K, V]) View(r state.Reader) (*state.View[K, V], error) {
	return g.def.View(r)
}
