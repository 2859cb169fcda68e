package topology

import (
	"bytes"
	"math"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

// This file is the part of Final that works on bytes and times.

// closing says what closes the windows of a table, and where their rows are.
type closing struct {
	step   *plan.Node // the operator whose time closes them
	window *plan.Node // the Window that made them; nil if there are several
	store  string
}

// closing returns what closes the windows of a table whose rows node n keeps in a store. It is nil if that is not known.
func (w Windows) closing(n, window *plan.Node, store string) *closing {
	switch {
	case !w.windowed():
		return nil
	case w.byOthers():
		return &closing{n, window, store}
	case window == nil:
		return nil
	}
	return &closing{window, window, store}
}

// checkFinal reports why the windows of a table never become final.
func (b *Builder) checkFinal(n *plan.Node, windows Windows, closing *closing) {
	switch {
	case windows.kind == unlimitedWindows:
		b.mistake(n.Where, "Final of an unlimited window, which never closes")
	case closing == nil && !windows.windowed():
		b.mistake(n.Where, "Final of a table whose windows no Window of this topology has made, so that it is not known when they close")
	case closing == nil:
		b.mistake(n.Where, "Final of a table whose windows no single Window closes, because they are final or because there is a join, a Merge or a Process between: call Final before tables are joined, and merge, join and process streams before their Window")
	}
}

// finals emits the rows of closed windows in one task.
type finals struct {
	windows  Windows
	find     func(closedBefore int64) int64 // see Windows.starts
	due      *state.Due
	follower *plan.Follower
	key      []byte // reused for encoded keys

	// While windows are emitted: the bound of their ends, and the encoded key of the last one.
	closed  int64
	current []byte
}

// finalsOf returns the finals of step n.
func finalsOf(l *plan.Linker, n *plan.Node, windows Windows) *finals {
	return l.Shared(n, func() any { return &finals{windows: windows, find: windows.firstDue(), closed: math.MinInt64} }).(*finals)
}

// follow calls emit for the windows that the operator's time closes, given their encoded keys.
func (f *finals) follow(l *plan.Linker, n *plan.Node, closing *closing, emit func(key []byte) error) {
	store, err := l.Host.Store(closing.store)
	if err == nil {
		f.due, err = state.NewDue(store)
	}
	if err != nil {
		l.Host.Fail(err)
		return
	}
	visit := func(key []byte) error {
		f.current = append(f.current[:0], key...)
		return l.Within(n, func() error { return emit(f.current) })
	}
	f.follower = l.Time(closing.step).Follow(func(before, now int64) error {
		f.closed = f.windows.closedBefore(now)
		from, to := f.find(f.windows.closedBefore(before)), f.find(f.closed)
		if from >= to {
			return nil
		}
		f.current = f.current[:0]
		err := f.due.Take(from, to, visit)
		f.current = f.current[:0]
		return err
	})
}

// firstDue returns a function that, given a bound of the ends of closed windows, returns the time (see state.Due) of the
// first window that is not closed. Windows between the times of two bounds have closed from one to the other.
func (w Windows) firstDue() func(closed int64) int64 {
	size, advance := w.size.Milliseconds(), w.advance.Milliseconds()
	var last interval
	return func(closed int64) int64 {
		switch {
		case closed <= 0:
			return math.MinInt64
		case w.kind == sessionWindows:
			return closed
		case w.kind == slidingWindows:
			return closed - size
		case w.kind == calendarWindows:
			if closed-1 < last.start || closed-1 >= last.end {
				last = w.period(closed - 1)
			}
			return last.start
		}
		return (max(closed-size, 0) + advance - 1) / advance * advance
	}
}

// wants reports whether a window that was written must be remembered until it closes.
func (f *finals) wants(start, end int64) bool {
	if f.windows.kind == sessionWindows {
		return f.due.Wants(end)
	}
	return f.due.Wants(start)
}

// emitted reports whether the windows with this end have been emitted.
func (f *finals) emitted(end int64) bool {
	return end < f.windows.closedBefore(f.follower.Done())
}

// busy reports whether windows are being emitted.
func (f *finals) busy() bool { return len(f.current) > 0 }

// reached reports whether a window is the one that is being emitted, or was emitted before it for the same record.
func (f *finals) reached(key []byte) bool {
	tail := f.windows.keyTail()
	split, other := len(key)-tail, len(f.current)-tail
	order := bytes.Compare(key[split:], f.current[other:])
	return order < 0 || order == 0 && bytes.Compare(key[:split], f.current[:other]) <= 0
}
