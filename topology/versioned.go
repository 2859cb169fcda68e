package topology

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// versioned is how the rows of a versioned table are kept. Its functions are set by Versioned, so that they are compiled
// for versioned tables only.
type versioned[K, V any] struct {
	history  time.Duration
	define   func(name string) state.Definition
	readOnly func(state.Stores) *state.ReadOnly[K, V]
	view     func(state.Reader) (*state.View[K, V], error)

	// write writes the new row of a change, fills in the old one, and reports whether the row was written.
	write func(state.Stores) func(*plan.Change[K, V]) (written bool, err error)
}

// Versioned keeps not only the latest row of each key, but all rows of the last history, in the time of the table's
// records: Join finds the row at the time of the stream's record, and rows may come in any order. It is for the tables of
// TableFrom and ToTable, and for computed tables with Stored; also tables that MapTable and Filter compute from a
// versioned one can be read as of a time. A row that is older than the history is dropped and counted.
//
// Rows that come late are part of ToStream and To; joins and groups of tables leave them out and count them. A versioned table of a topic has a
// changelog, because compaction of the topic would lose its history. The setting min.compaction.lag.ms of the changelog
// keeps it from losing history.
//
// It is a function although it brings no type in, because a method would be compiled for every table.
func Versioned[K, V any](t *Table[K, V], history time.Duration) *Table[K, V] {
	if !t.b.checkSetting(t.made, "Versioned", t.whyNotVersioned(history)) {
		return t
	}
	where := callSite()
	t.b.deferStep(func() {
		if t.def == nil {
			t.b.mistake(where, "Versioned on %s: the table has no store: name one with Stored", t.made.label())
		}
	})
	var def *state.VersionedDefinition[K, V]
	t.versioned = &versioned[K, V]{
		history: history,
		define: func(name string) state.Definition {
			def = state.NewVersioned(name, t.key.codecFor(t.b, t.node, ofKeys), t.value.codecFor(t.b, t.node, ofValues), history)
			return def
		},
		readOnly: func(s state.Stores) *state.ReadOnly[K, V] { return def.ReadOnly(s) },
		view:     func(r state.Reader) (*state.View[K, V], error) { return def.View(r) },
		write: func(s state.Stores) func(*plan.Change[K, V]) (bool, error) {
			rows := def.In(s)
			return func(c *plan.Change[K, V]) (bool, error) {
				var v state.VersionChange[V]
				var err error
				if c.Has {
					v, err = rows.Put(c.Key, c.New, c.Timestamp)
				} else {
					v, err = rows.Delete(c.Key, c.Timestamp)
				}
				c.Old, c.Had, c.OldTimestamp, c.Late = v.Old, v.Had, v.OldTimestamp, !v.Latest
				return v.Written, err
			}
		},
	}
	return t
}

// whyNotVersioned says why a table cannot keep its history.
func (t *Table[K, V]) whyNotVersioned(history time.Duration) string {
	switch {
	case t.windows.windowed():
		return "the rows of windows have their times in their keys"
	case t.rules != nil || t.computed == nil && t.node.Reads == nil && t.node.Kind != "to-table":
		return "the step that makes the table needs its latest rows only: keep the history of ToTable(table.ToStream(), name)"
	case history < time.Millisecond || history%time.Millisecond != 0:
		return fmt.Sprintf("a history of %v: it must be whole milliseconds, at least one", history)
	}
	return ""
}

// history returns for how long the rows of the table can be looked up, in Build; 0 if the table is not versioned.
func (t *Table[K, V]) history() time.Duration {
	switch {
	case t.versioned != nil:
		return t.versioned.history
	case t.def == nil && t.inherited != nil:
		return t.inherited()
	}
	return 0
}

// rowsAt returns the rows of the table: those of the time in at if it is versioned, and the current ones otherwise.
func (t *Table[K, V]) rowsAt(l *plan.Linker, at *int64) plan.Rows[K, V] {
	if t.history() > 0 {
		return t.rowsAsOf(l, at)
	}
	return t.rows(l)
}

// rowsAsOf returns the rows of a versioned table as of the time in at.
func (t *Table[K, V]) rowsAsOf(l *plan.Linker, at *int64) plan.Rows[K, V] {
	if t.versioned == nil {
		return t.past(l, at)
	}
	rows := t.versioned.readOnly(l.Host)
	return func(key K) (V, int64, bool, error) { return rows.GetAsOf(key, *at) }
}

// keepVersions writes changes to the store of the table, and passes on those that are written.
func (t *Table[K, V]) keepVersions(l *plan.Linker, next plan.Table[K, V]) plan.Table[K, V] {
	write := t.versioned.write(l.Host)
	return func(c *plan.Change[K, V]) error {
		written, err := write(c)
		if err != nil {
			return err
		}
		if !written {
			l.Host.Drop(t.node, plan.Late)
			return nil
		}
		return next(c)
	}
}

// inOrder passes the changes of the table to a step that keeps latest rows, without the late ones.
func (t *Table[K, V]) inOrder(l *plan.Linker, n *plan.Node, next plan.Table[K, V]) plan.Table[K, V] {
	if t.history() == 0 {
		return next
	}
	return func(c *plan.Change[K, V]) error {
		if c.Late {
			l.Host.Drop(n, plan.OutOfOrder)
			return nil
		}
		return next(c)
	}
}

// upsertVersion is upsert for a versioned table.
func (t *Table[K, V]) upsertVersion(l *plan.Linker, next plan.Table[K, V]) plan.Stream[K, V] {
	keep := t.keepVersions(l, next)
	change := new(plan.Change[K, V])
	return func(r *processor.Record[K, V]) error {
		if r.NoKey {
			l.Host.Drop(t.node, plan.NoKey)
			return nil
		}
		*change = plan.Change[K, V]{Key: r.Key, New: r.Value, Has: !r.Tombstone, Timestamp: r.Timestamp}
		return keep(change)
	}
}
