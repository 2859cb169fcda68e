package topology

import (
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

// Sessions puts records of a key into one session as long as each is at most gap away from another one. A session
// begins with its first record and ends with its last, both included. A record between two sessions merges them.
//
// Aggregate needs Merging to merge the values of sessions. When a record changes the bounds of a session, or merges
// sessions, the table emits a tombstone for each old one before the new value, as Kafka Streams does. The timestamp of a
// row is the end of the session.
//
// A record is late if the session that it would make or extend has been closed: if the session's end plus the gap and
// the grace is before the time of the aggregate.
func Sessions(gap time.Duration) Windows { return Windows{kind: sessionWindows, size: gap} }

// Merging sets the function that makes one value of the values of two sessions, the earlier one first. An Aggregate
// begins with its first value, merges the old sessions into it and then adds the record's value. The function must not
// modify its arguments.
func (t *Table[K, V]) Merging(merge func(V, V) V) *Table[K, V] {
	why := ""
	switch {
	case t.rules == nil:
		why = notAnAggregate
	case t.windows.kind != sessionWindows:
		why = "only sessions merge"
	case t.rules.kind != "aggregate" && t.rules.kind != "cogroup":
		why = "a Count adds, and a Reduce combines the values of merged sessions"
	case merge == nil:
		why = "the function is nil"
	}
	if t.b.checkSetting(t.made, "Merging", why) {
		t.rules.merge = merge
	}
	return t
}

// windowRows updates the rows of windows that depend on the other records of the key.
type windowRows[K, A any] struct {
	l       *plan.Linker
	node    *plan.Node
	windows Windows
	window  *keyWindow[K]
	rows    *state.KeyValue[K, A]
	rules   *aggregation[A]
	update  func(old A, had bool) (now A, keep bool) // adds the value of the record
	next    plan.Table[K, A]
	found   *lateness
	change  plan.Change[K, A] // reused
}

// updater returns the function that adds a record, given its key, whose window it ignores, and its timestamp.
func (w *windowRows[K, A]) updater() func(key K, at int64) error {
	operator := w.l.Time(w.node)
	if w.windows.kind == slidingWindows {
		return w.sliding(operator)
	}
	return w.sessions(operator)
}

// late counts a late record, unless its Window passes it on.
func (w *windowRows[K, A]) late() {
	if w.found.late = true; !w.found.wanted {
		w.l.Host.Drop(w.node, plan.Late)
	}
}

// sessions returns the updater for sessions.
func (w *windowRows[K, A]) sessions(operator *plan.Time) func(key K, at int64) error {
	gap := w.windows.size.Milliseconds()
	var old []state.Row[K, A]
	return func(key K, at int64) error {
		now, err := operator.Advance(at)
		if err != nil {
			return err
		}
		merged := interval{at, at}
		old = old[:0]
		for row, err := range w.rows.FetchKey(key, time.UnixMilli(at-gap), time.UnixMilli(at+gap)) {
			if err != nil {
				return err
			}
			of := w.window.get(row.Key)
			merged = interval{min(merged.start, of.start), max(merged.end, of.end)}
			old = append(old, row)
		}
		if merged.end < w.windows.closedBefore(now) {
			w.late()
			return nil
		}
		w.found.taken = true
		value, some := w.rules.first()
		for _, row := range old {
			if some {
				value = w.rules.merge(value, row.Value)
			} else {
				value, some = row.Value, true
			}
		}
		value, keep := w.update(value, some)
		if merged == (interval{at, at}) && keep {
			old = old[:0] // if there is one, it remains
		}
		for _, row := range old {
			if err := w.remove(row.Key, row.Timestamp); err != nil {
				return err
			}
		}
		if !keep {
			return nil
		}
		w.window.set(&key, merged)
		return w.put(key, value, merged.end)
	}
}

// put writes a row and emits the change.
func (w *windowRows[K, A]) put(key K, value A, timestamp int64) error {
	c, err := w.rows.Replace(key, value, timestamp)
	return w.emit(key, c, err)
}

// remove deletes a row and emits the change.
func (w *windowRows[K, A]) remove(key K, timestamp int64) error {
	c, err := w.rows.Remove(key, timestamp)
	return w.emit(key, c, err)
}

func (w *windowRows[K, A]) emit(key K, c state.Change[A], err error) error {
	if err != nil || !c.Had && !c.Has { // deleted before it existed
		return err
	}
	w.change = plan.Change[K, A]{Key: key, Old: c.Old, New: c.New, Had: c.Had, Has: c.Has, OldTimestamp: c.OldTimestamp, Timestamp: c.Timestamp}
	return w.next(&w.change)
}

// needsMerge reports a mistake if an aggregate cannot merge sessions.
func (b *Builder) needsMerge(n *plan.Node, given bool) {
	if !given {
		b.mistake(n.Where, "%s merges sessions: say how two values become one with .Merging(func)", n.Label())
	}
}

// valueSteps are the kinds of steps that see nothing but values, and verbs those that determine the windows.
var (
	valueSteps = map[string]bool{"filter": true, "filter-not": true, "map": true, "flat-map": true, "branch": true, "split": true, "merge": true}
	verbs      = map[string]bool{"aggregate": true, "count": true, "reduce": true, "cogroup": true}
)

// checkSteps reports a mistake for each step between Window n and the aggregates that uses the windows: they are not
// known yet.
func (b *Builder) checkSteps(n *plan.Node, windows Windows) {
	reached := map[*plan.Node]bool{n: true}
	for _, step := range b.nodes { // in topological order
		for _, in := range step.Inputs {
			switch {
			case !reached[in.From] || verbs[step.Kind] || in.From == n && in.Port > 0: // late records have no windows
			case valueSteps[step.Kind]:
				reached[step] = true
			default:
				b.mistake(step.Where, "%s comes between the Window at %s and its aggregate, but the aggregate determines the windows (%v): only steps that see nothing but values, such as Map and Filter, may come between", step.Label(), n.Where, windows)
			}
		}
	}
}
