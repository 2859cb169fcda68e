package topology

import (
	"fmt"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
)

// Final makes a table of the rows of windows that have closed. Each row leaves once, with its last value, when the time
// that closes its window passes the window's end and the grace: a session's end, the gap and the grace. It has the
// timestamp of the row and the headers of the record that brought the time. Rows that were deleted before have no
// result, and there are no tombstones.
//
//	hourly := topology.Window(sales, topology.Tumbling(time.Hour).Grace(time.Minute))
//	totals := topology.Aggregate(hourly, "hourly-totals", Total.Add)
//	totals.To(Live)                  // every update
//	topology.Final(totals).To(Final) // each window once
//
// t must be an aggregate of a windowed stream, a table made of one by ToTable, or computed from one of them by MapTable,
// Rows or Filter. Final keeps nothing of its own: it reads the rows of t. Windows that one record closes leave before the
// results of that record, in the order of their start and then of their key; sessions in the order of their end, start
// and key. None is lost if the time jumps. Final does not close windows: it acts when records close them, or IdleAfter.
//
// If Retention keeps closed sessions, a late record at most a gap after one still extends it, as in Kafka Streams. The
// longer session is another window and has a result of its own.
func Final[K, V any](t *Table[codec.WindowKey[K], V]) *Table[codec.WindowKey[K], V] {
	b := t.b
	n := b.add("final", "", t.output())
	b.checkFinal(n, t.windows, t.closing)
	out := derive[V](t, n)
	out.closing = nil
	var keys codec.Codec[codec.WindowKey[K]]
	b.deferStep(func() { keys = t.key.codecFor(b, n, ofKeys) })

	out.computed = func(l *plan.Linker) plan.Rows[codec.WindowKey[K], V] {
		f, rows := finalsOf(l, n, t.windows), t.rows(l)
		return func(key codec.WindowKey[K]) (value V, timestamp int64, found bool, err error) {
			emitted := f.emitted(key.End.UnixMilli())
			if !emitted && f.busy() {
				if f.key, err = keys.Append(f.key[:0], key); err != nil {
					return value, 0, false, err
				}
				emitted = f.reached(f.key)
			}
			if !emitted {
				return value, 0, false, nil
			}
			return rows(key)
		}
	}
	n.Build = func(l *plan.Linker) []any {
		f, rows, next := finalsOf(l, n, t.windows), t.rows(l), out.changes(l)
		change := new(plan.Change[codec.WindowKey[K], V])
		f.follow(l, n, t.closing, func(encoded []byte) error {
			l.Enter(n)
			key, err := keys.Decode(encoded)
			if err != nil {
				return fmt.Errorf("%s: decode key: %w", n.Label(), err)
			}
			value, timestamp, found, err := rows(key)
			if err != nil || !found { // it was deleted, or a Filter has dropped it
				return err
			}
			*change = plan.Change[codec.WindowKey[K], V]{Key: key, New: value, Has: true, Timestamp: timestamp}
			return next(change)
		})
		return []any{plan.Table[codec.WindowKey[K], V](func(c *plan.Change[codec.WindowKey[K], V]) (err error) {
			if c.Has && f.wants(c.Key.Start.UnixMilli(), c.Key.End.UnixMilli()) {
				if f.key, err = keys.Append(f.key[:0], c.Key); err == nil {
					f.due.Add(f.key)
				}
			}
			return err
		})}
	}
	return out
}
