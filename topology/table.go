package topology

import (
	"errors"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Table is the latest value of each key. Records change it one by one; a tombstone deletes its key.
type Table[K, V any] struct {
	b       *Builder
	node    *plan.Node
	made    *settings
	key     *form[K]
	value   *form[V]
	name    string                                 // of its store; empty if it has none
	def     func() *state.KeyValueDefinition[K, V] // of its store, known in Build; nil if it has none
	windows Windows                                // set when K is a window key
	closing *closing                               // what closes the windows; nil if that is not known
	rules   *aggregation[V]                        // nil unless an aggregate made it

	buffered bool // made by Suppress, which has a store without rows of the table
	grouped  bool // the rows are groups of another table's
	moved    bool // a grouped table gets its values through a topic

	keys codec.Codec[K] // of its store, known in Build; nil without TTL

	versioned *versioned[K, V]     // nil unless it is kept with its history
	inherited func() time.Duration // history of the table that it is computed from; nil if it cannot be read as of a time

	// past returns the rows, as of the time in at, of a table that is computed from a versioned one and has no store.
	past func(l *plan.Linker, at *int64) plan.Rows[K, V]

	// computed returns the rows of a table that is computed from other tables, and has no store.
	computed func(*plan.Linker) plan.Rows[K, V]
}

// rows returns the rows of the table in a task.
func (t *Table[K, V]) rows(l *plan.Linker) plan.Rows[K, V] {
	switch {
	case t.versioned != nil:
		return t.versioned.readOnly(l.Host).GetWithTime
	case t.def == nil:
		return t.computed(l)
	}
	return t.def().ReadOnly(l.Host).GetWithTime
}

// TableFrom reads a topic as a table: each record is the new value of its key. The rows are kept in a store with the
// name of the topic, which is restored from the topic itself. A row is decoded once and then shared: do not modify what
// it refers to. Reading a topic twice returns the same table.
func TableFrom[K, V any](b *Builder, topic Topic[K, V]) *Table[K, V] {
	if before, ok := b.sources[topic.name]; ok {
		if t, ok := before.(*Table[K, V]); ok {
			use(b, t.node, topic)
			b.follow(t.node, topic.name, topic.options, processor.Decode)
			return t
		}
		b.mistake(callSite(), "topic %q is read elsewhere in this topology with other types or as a stream: read it once and use the result twice", topic.name)
	}
	n := b.add("table", topic.name)
	n.Reads = use(b, n, topic)
	b.follow(n, topic.name, topic.options, processor.Decode)
	b.checkTableTime(n, topic.name, topic.options)
	def := state.NewKeyValue(topic.name, topic.key, topic.value).Immutable()
	t := &Table[K, V]{
		b: b, node: n, made: &settings{node: n}, key: chosen(topic.key), value: chosen(topic.value), name: topic.name,
		def: func() *state.KeyValueDefinition[K, V] { return def },
	}
	b.deferStep(func() {
		if t.versioned == nil {
			b.attach(n, def, topic.name)
		} else {
			b.attach(n, t.versioned.define(topic.name), "") // with a changelog: compaction of the topic would lose history
		}
	})
	n.Queue = func(l *plan.Linker) plan.Queue {
		q := newQueue(&topic, func() { l.Enter(n) }, l.Host.Now)
		if t.versioned != nil {
			q.deliver = t.upsertVersion(l, plan.TableOutput[K, V](l, n))
			return q
		}
		rows := def.In(l.Host)
		q.deliver = upsert(l, n, rows, plan.TableOutput[K, V](l, n))
		q.load = upsert(l, n, rows, func(*plan.Change[K, V]) error { return nil })
		return q
	}
	b.sources[topic.name] = t
	return t
}

// output returns the graph edge of the table's changes.
func (t *Table[K, V]) output() plan.Input { return plan.Input{From: t.node} }

// upsert writes records into a table's store and passes the changes on.
func upsert[K, V any](l *plan.Linker, n *plan.Node, rows *state.KeyValue[K, V], next plan.Table[K, V]) plan.Stream[K, V] {
	change := new(plan.Change[K, V])
	return func(r *processor.Record[K, V]) error {
		if r.NoKey {
			l.Host.Drop(n, plan.NoKey)
			return nil
		}
		var c state.Change[V]
		var err error
		if r.Tombstone {
			c, err = rows.Remove(r.Key, r.Timestamp)
		} else {
			c, err = rows.Replace(r.Key, r.Value, r.Timestamp)
		}
		if err != nil {
			return err
		}
		*change = plan.Change[K, V]{Key: r.Key, Old: c.Old, New: c.New, Had: c.Had, Has: c.Has, OldTimestamp: c.OldTimestamp, Timestamp: r.Timestamp}
		return next(change)
	}
}

// ToStream returns the table's changes as a stream: the new value of a key, or a tombstone each time it is deleted.
func (t *Table[K, V]) ToStream() *Stream[K, V] {
	n := t.b.add("to-stream", "", t.output())
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, V](l, n)
		out := new(processor.Record[K, V])
		return []any{plan.Table[K, V](func(c *plan.Change[K, V]) error {
			headers, _ := l.Host.Inherit()
			*out = processor.Record[K, V]{Key: c.Key, Value: c.New, Timestamp: c.Timestamp, Headers: headers, Tombstone: !c.Has}
			return next(out)
		})}
	}
	return &Stream[K, V]{b: t.b, node: n, made: &settings{node: n}, key: carry[K](t.key), value: carry[V](t.value)}
}

// To writes the table's changes to a topic: the new value of a key, or a tombstone when it is deleted.
func (t *Table[K, V]) To(topic Topic[K, V]) { t.ToStream().To(topic) }

// Name returns the name of the table's store: that of the aggregate, of the topic, or the one given by Stored. It is
// empty if the table has no store.
func (t *Table[K, V]) Name() string { return t.name }

// In returns the rows of the table for a step that it is attached to: Process(s, name, start, table). They are the
// current rows of the task's own partition, and shared: do not modify what they refer to.
func (t *Table[K, V]) In(s state.Stores) *state.ReadOnly[K, V] {
	if t.versioned != nil {
		return t.versioned.readOnly(s)
	}
	if t.def == nil {
		panic("topology: the table has no store: name one with Stored") // Build has refused to attach it
	}
	return t.def().ReadOnly(s)
}

// View returns the committed rows of the table in the database of a task. Programs read them with runner.Local.
func (t *Table[K, V]) View(r state.Reader) (*state.View[K, V], error) {
	if t.versioned != nil {
		return t.versioned.view(r)
	}
	if t.def == nil {
		return nil, errors.New("topology: the table has no store: name one with Stored")
	}
	return t.def().View(r)
}

// attachTo lets step n use the rows of the table.
func (t *Table[K, V]) attachTo(b *Builder, n *plan.Node) {
	if t.b != b {
		b.mistake(n.Where, "%s uses a table of another builder: read both with one", n.Label())
		return
	}
	b.deferStep(func() {
		if t.def == nil {
			b.mistake(n.Where, "%s uses the rows of a table without a store, the %s at %s: name a store with Stored", n.Label(), t.node.Label(), t.node.Where)
			return
		}
		if store := b.stores[t.name]; store != nil { // otherwise its own mistake was reported
			b.addStore(n, store)
		}
	})
}
