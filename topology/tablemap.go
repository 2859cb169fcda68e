package topology

import (
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// MapTable transforms the value of each row. f is called for the old and the new row of each change, and when a join
// looks a row up, so it must depend on its argument only. The table has no store of its own unless Stored names one.
func MapTable[K, V, W any](t *Table[K, V], f func(V) W) *Table[K, W] {
	return mapRows(t, "map-table", f != nil, func(_ K, value V, _ int64) W { return f(value) })
}

// Rows makes the whole row the value, so that the function of any step sees its key and its timestamp. The records have
// no headers. RowValues undoes it.
func Rows[K, V any](t *Table[K, V]) *Table[K, processor.Record[K, V]] {
	out := mapRows(t, "rows", true, func(key K, value V, timestamp int64) processor.Record[K, V] {
		return processor.Record[K, V]{Key: key, Value: value, Timestamp: timestamp}
	})
	out.value = formOfRecords(t.key, t.value)
	return out
}

// RowValues undoes Rows: the value of each row is that of the record.
func RowValues[K, L, V any](t *Table[K, processor.Record[L, V]]) *Table[K, V] {
	out := mapRows(t, "row-values", true, func(_ K, r processor.Record[L, V], _ int64) V { return r.Value })
	out.value = valueForm[L, V](t.value)
	return out
}

func mapRows[K, V, W any](t *Table[K, V], kind string, given bool, f func(key K, value V, timestamp int64) W) *Table[K, W] {
	n := t.b.add(kind, "", t.output())
	t.b.needs(n, given)
	out := derive[W](t, n)
	mapped := func(l *plan.Linker, rows plan.Rows[K, V]) plan.Rows[K, W] {
		return func(key K) (mapped W, timestamp int64, found bool, err error) {
			value, timestamp, found, err := rows(key)
			if found && err == nil {
				l.Enter(n)
				mapped = f(key, value, timestamp)
			}
			return mapped, timestamp, found, err
		}
	}
	out.computed = func(l *plan.Linker) plan.Rows[K, W] { return mapped(l, t.rows(l)) }
	out.past = func(l *plan.Linker, at *int64) plan.Rows[K, W] { return mapped(l, t.rowsAsOf(l, at)) }
	out.inherited = t.history
	n.Build = func(l *plan.Linker) []any {
		next := out.changes(l)
		change := new(plan.Change[K, W])
		return []any{plan.Table[K, V](func(c *plan.Change[K, V]) error {
			*change = plan.Change[K, W]{Key: c.Key, Had: c.Had, Has: c.Has, OldTimestamp: c.OldTimestamp, Timestamp: c.Timestamp, Late: c.Late}
			l.Enter(n)
			if c.Had {
				change.Old = f(c.Key, c.Old, c.OldTimestamp)
			}
			if c.Has {
				change.New = f(c.Key, c.New, c.Timestamp)
			}
			return next(change)
		})}
	}
	return out
}
