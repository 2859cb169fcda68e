package topology

import (
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Stored keeps the rows of a computed table (MapTable, Filter, a join of tables) in a store of its own, with a
// changelog. Without it, rows are computed from those of the inputs when they are needed. A store lets a Process step
// and runner.Local read the rows, and makes lookups cheap if the functions are expensive.
func (t *Table[K, V]) Stored(name string) *Table[K, V] {
	why := ""
	switch {
	case t.node.Reads != nil:
		why = "the table is kept from the topic " + t.node.Reads.Name + ", whose name its store has"
	case t.computed == nil:
		why = "the table already has a store, " + t.name
	}
	if t.b.checkSetting(t.made, "Stored", why) {
		t.keep(name)
	}
	return t
}

// keep gives the table a store.
func (t *Table[K, V]) keep(name string) {
	var def *state.KeyValueDefinition[K, V]
	t.name, t.def = name, func() *state.KeyValueDefinition[K, V] { return def }
	t.b.deferStep(func() {
		def = t.store(name)
		kept := state.Definition(def)
		if t.versioned != nil {
			kept = t.versioned.define(name)
		}
		if store := t.b.attach(t.node, kept, ""); store != nil {
			store.Config, store.TTL = t.made.topicConfig(), t.made.ttl
		}
	})
}

// store returns the definition of the table's store.
func (t *Table[K, V]) store(name string) *state.KeyValueDefinition[K, V] {
	def := state.NewKeyValue(name, t.key.codecFor(t.b, t.node, ofKeys), t.value.codecFor(t.b, t.node, ofValues))
	retention := max(t.made.retention, t.windows.minRetention())
	switch t.windows.kind {
	case notWindowed:
		return def
	case sessionWindows:
		return def.Sessions(t.windows.size, retention)
	case slidingWindows:
		return def.WindowedByKey(t.windows.size, retention)
	}
	return def.Windowed(t.windows.size, retention)
}

// changes returns what the step that makes the table passes its changes to: the next steps, after the store if the
// table has one.
func (t *Table[K, V]) changes(l *plan.Linker) plan.Table[K, V] {
	next := plan.TableOutput[K, V](l, t.node)
	switch {
	case t.versioned != nil:
		return t.keepVersions(l, next)
	case t.def == nil:
		return next
	}
	rows := t.def().In(l.Host)
	if x := t.lifetimes(l, rows, next); x != nil {
		put := t.putting(l, rows, x, next)
		return func(c *plan.Change[K, V]) error { return put(c.Key, c.New, c.Has, c.Timestamp) }
	}
	return func(c *plan.Change[K, V]) error {
		var err error
		if c.Late {
			err = replaceLate(rows, c)
		} else if c.Has {
			err = rows.Put(c.Key, c.New, c.Timestamp)
		} else {
			err = rows.Delete(c.Key, c.Timestamp)
		}
		if err != nil {
			return err
		}
		return next(c)
	}
}

// replaceLate writes a change of a versioned table to a store that is not versioned, which takes changes as they come.
func replaceLate[K, V any](rows *state.KeyValue[K, V], c *plan.Change[K, V]) error {
	var kept state.Change[V]
	var err error
	if c.Has {
		kept, err = rows.Replace(c.Key, c.New, c.Timestamp)
	} else {
		kept, err = rows.Remove(c.Key, c.Timestamp)
	}
	c.Old, c.Had, c.OldTimestamp, c.Late = kept.Old, kept.Had, kept.OldTimestamp, false
	return err
}

// derive returns the table that step n computes from t, with the keys of t.
func derive[W, K, V any](t *Table[K, V], n *plan.Node) *Table[K, W] {
	return &Table[K, W]{b: t.b, node: n, made: &settings{node: n}, key: carry[K](t.key), value: carry[W](t.value), windows: t.windows, closing: t.closing}
}

// ToTable makes the stream a table, kept in the store name: each record is the new value of its key, and a tombstone
// deletes it. Records without a key are dropped and counted.
//
// It is a function although it brings no type in, because a method would be compiled for every type of stream, with a
// store each.
func ToTable[K, V any](s *Stream[K, V], name string) *Table[K, V] {
	n := s.b.add("to-table", name, s.output())
	s.needsKey(n)
	t := &Table[K, V]{b: s.b, node: n, made: &settings{node: n}, key: carry[K](s.key), value: carry[V](s.value), windows: s.windows}
	t.closing = s.windows.closing(n, s.window.closer(), name)
	t.keep(name)
	n.Build = func(l *plan.Linker) []any {
		if t.versioned != nil {
			return []any{t.upsertVersion(l, plan.TableOutput[K, V](l, n))}
		}
		rows, next := t.def().In(l.Host), plan.TableOutput[K, V](l, n)
		x := t.lifetimes(l, rows, next)
		if x == nil {
			return []any{plan.Stream[K, V](upsert(l, n, rows, next))}
		}
		put := t.putting(l, rows, x, next)
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.NoKey {
				l.Host.Drop(n, plan.NoKey)
				return nil
			}
			return put(r.Key, r.Value, !r.Tombstone, r.Timestamp)
		})}
	}
	return t
}
