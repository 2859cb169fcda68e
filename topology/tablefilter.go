package topology

import "github.com/rio-streams/rio/internal/plan"

// Filter keeps the rows for whose value keep returns true. A row that no longer passes is deleted. The table has no
// store of its own unless Stored names one.
func (t *Table[K, V]) Filter(keep func(V) bool) *Table[K, V] {
	return t.filter("filter-table", keep, true)
}

// FilterNot drops the rows for whose value drop returns true.
func (t *Table[K, V]) FilterNot(drop func(V) bool) *Table[K, V] {
	return t.filter("filter-not-table", drop, false)
}

func (t *Table[K, V]) filter(kind string, accept func(V) bool, want bool) *Table[K, V] {
	n := t.b.add(kind, "", t.output())
	t.b.needs(n, accept != nil)
	out := derive[V](t, n)
	filtered := func(l *plan.Linker, rows plan.Rows[K, V]) plan.Rows[K, V] {
		return func(key K) (V, int64, bool, error) {
			value, timestamp, found, err := rows(key)
			if found && err == nil {
				l.Enter(n)
				if found = accept(value) == want; !found {
					value = *new(V)
				}
			}
			return value, timestamp, found, err
		}
	}
	out.computed = func(l *plan.Linker) plan.Rows[K, V] { return filtered(l, t.rows(l)) }
	out.past = func(l *plan.Linker, at *int64) plan.Rows[K, V] { return filtered(l, t.rowsAsOf(l, at)) }
	out.inherited = t.history
	n.Build = func(l *plan.Linker) []any {
		next := out.changes(l)
		change := new(plan.Change[K, V])
		every := t.history() > 0 // as in Kafka Streams, changes of a versioned table that do not pass are tombstones
		return []any{plan.Table[K, V](func(c *plan.Change[K, V]) error {
			*change = *c
			l.Enter(n)
			if c.Had && accept(c.Old) != want {
				change.Had, change.Old = false, *new(V)
			}
			if c.Has && accept(c.New) != want {
				change.Has, change.New = false, *new(V)
			}
			if !change.Had && !change.Has && !every {
				return nil
			}
			return next(change)
		})}
	}
	return out
}
