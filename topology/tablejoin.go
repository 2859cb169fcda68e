package topology

import "github.com/rio-streams/rio/internal/plan"

// JoinTables combines the rows of two tables that have the same key. A change of either side changes the result; a key
// that is missing on one side has none. Late rows of a Versioned side change nothing. The timestamp of a result is the later one of its rows. Both sides need the
// same number of partitions. combine is called for the old and the new rows of each change, and when a join looks a row
// up, so it must depend on its arguments only. The table has no store of its own unless Stored names one.
func JoinTables[K, V, W, R any](left *Table[K, V], right *Table[K, W], combine func(V, W) R) *Table[K, R] {
	sides := sides{left: true, right: true}
	return joinTables(left, right, "join-tables", sides, combine != nil, func(v V, _ bool, w W, _ bool) R { return combine(v, w) })
}

// LeftJoinTables is like JoinTables with a result for each row on the left; ok reports whether there is one on the
// right.
func LeftJoinTables[K, V, W, R any](left *Table[K, V], right *Table[K, W], combine func(v V, w W, ok bool) R) *Table[K, R] {
	sides := sides{left: true}
	return joinTables(left, right, "left-join-tables", sides, combine != nil, func(v V, _ bool, w W, ok bool) R { return combine(v, w, ok) })
}

// OuterJoinTables is like JoinTables with a result for each key that has a row on any side; hasV and hasW report on
// which.
func OuterJoinTables[K, V, W, R any](left *Table[K, V], right *Table[K, W], combine func(v V, hasV bool, w W, hasW bool) R) *Table[K, R] {
	return joinTables(left, right, "outer-join-tables", sides{}, combine != nil, combine)
}

// sides says which rows a join requires: without them there is no result.
type sides struct{ left, right bool }

func joinTables[K, V, W, R any](left *Table[K, V], right *Table[K, W], kind string, needs sides, given bool, combine func(V, bool, W, bool) R) *Table[K, R] {
	b := left.b
	if right.b != b {
		b.mistake(callSite(), "the two tables of the %s come from two builders: read both with one", kind)
		right = &Table[K, W]{b: b, node: b.add(kind, ""), key: new(form[K]), value: new(form[W])}
	}
	n := b.add(kind, "", left.output(), right.output())
	b.needs(n, given)
	b.copartition[n] = true
	b.deferStep(func() {
		if l, r := left.key.name(b, n), right.key.name(b, n); l != r {
			b.mistake(n.Where, "the two sides of the join are not co-partitioned: the keys on the left are %s and on the right %s; use one codec", l, r)
		}
	})
	out := derive[R](left, n)
	out.closing = nil // there are two

	// joined returns the result for a pair of rows, if there is one.
	joined := func(l *plan.Linker, v V, hasV bool, w W, hasW bool) (result R, has bool) {
		if needs.left && !hasV || needs.right && !hasW || !hasV && !hasW {
			return result, false
		}
		l.Enter(n)
		return combine(v, hasV, w, hasW), true
	}
	out.computed = func(l *plan.Linker) plan.Rows[K, R] {
		lefts, rights := left.rows(l), right.rows(l)
		return func(key K) (result R, timestamp int64, has bool, err error) {
			v, at, hasV, err := lefts(key)
			if err != nil || needs.left && !hasV {
				return result, 0, false, err
			}
			w, other, hasW, err := rights(key)
			if err != nil {
				return result, 0, false, err
			}
			result, has = joined(l, v, hasV, w, hasW)
			return result, latest(at, hasV, other, hasW), has, nil
		}
	}
	n.Build = func(l *plan.Linker) []any {
		next := out.changes(l)
		lefts, rights := left.rows(l), right.rows(l)
		change := new(plan.Change[K, R])
		fromLeft := func(c *plan.Change[K, V]) error {
			w, at, has, err := rights(c.Key)
			if err != nil || !has && (needs.right || !c.Had && !c.Has) {
				return err
			}
			*change = plan.Change[K, R]{Key: c.Key, OldTimestamp: latest(c.OldTimestamp, c.Had, at, has), Timestamp: latest(c.Timestamp, true, at, has)}
			change.Old, change.Had = joined(l, c.Old, c.Had, w, has)
			change.New, change.Has = joined(l, c.New, c.Has, w, has)
			return next(change)
		}
		fromRight := func(c *plan.Change[K, W]) error {
			v, at, has, err := lefts(c.Key)
			if err != nil || !has && (needs.left || !c.Had && !c.Has) {
				return err
			}
			*change = plan.Change[K, R]{Key: c.Key, OldTimestamp: latest(c.OldTimestamp, c.Had, at, has), Timestamp: latest(c.Timestamp, true, at, has)}
			change.Old, change.Had = joined(l, v, has, c.Old, c.Had)
			change.New, change.Has = joined(l, v, has, c.New, c.Has)
			return next(change)
		}
		return []any{left.inOrder(l, n, fromLeft), right.inOrder(l, n, fromRight)}
	}
	return out
}

// latest returns the later one of the timestamps of the rows that exist.
func latest(a int64, hasA bool, b int64, hasB bool) int64 {
	switch {
	case !hasA:
		return b
	case !hasB:
		return a
	}
	return max(a, b)
}
