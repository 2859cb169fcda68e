package topology

import (
	"slices"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// WindowCodec returns the codec of keys with windows, for topics of the rows of windowed tables.
func WindowCodec[K any](windows Windows, key codec.Codec[K]) codec.WindowedCodec[K] {
	if windows.kind == sessionWindows {
		return codec.Windowed(key).Sessions()
	}
	if rule := windows.rule(); rule != "" {
		return codec.Windowed(key).Ends(rule, windows.endOf)
	}
	return codec.Windowed(key).Size(windows.size)
}

// keyWindow gives access to the window in a key of type K, which is a codec.WindowKey made by Window.
type keyWindow[K any] struct {
	get func(K) interval
	set func(*K, interval)

	step *plan.Node // the Window whose time closes the windows; nil if there is no single one
}

// closer returns the Window whose time closes the windows.
func (w *keyWindow[K]) closer() *plan.Node {
	if w == nil {
		return nil
	}
	return w.step
}

// unclosed returns the same access for the results of a step after which no Window's time says that a window is complete.
func (w *keyWindow[K]) unclosed() *keyWindow[K] {
	if w == nil {
		return nil
	}
	return &keyWindow[K]{get: w.get, set: w.set}
}

// windowOf returns the access to the windows of keys.
func windowOf[K any]() *keyWindow[codec.WindowKey[K]] {
	return &keyWindow[codec.WindowKey[K]]{
		get: func(k codec.WindowKey[K]) interval { return interval{k.Start.UnixMilli(), k.End.UnixMilli()} },
		set: func(k *codec.WindowKey[K], to interval) {
			k.Start, k.End = time.UnixMilli(to.start).UTC(), time.UnixMilli(to.end).UTC()
		},
	}
}

// Window assigns each record to the windows of its timestamp. The window becomes part of the key, so that ordinary
// aggregation follows: one row per key and window. Records whose windows are all closed are dropped and counted.
//
// Windows close by the greatest timestamp of the records that have reached this Window, across all keys of the
// partition. Records that an earlier filter dropped, records without a key and rows of joined tables do not close
// windows. Tombstones do, but for sliding windows.
//
// The sessions and sliding windows of a record depend on the other records of its key, so they are determined by the
// aggregate, and close by the records that have reached it. In between only steps that see nothing but values are allowed.
func Window[K, V any](s *Stream[K, V], windows Windows) *Stream[codec.WindowKey[K], V] {
	n := s.b.add("window", windows.String(), s.output())
	if err := windows.check(); err != nil {
		s.b.mistake(n.Where, "%v", err)
	}
	window := windowOf[K]()
	window.step = n
	s.b.timed[n] = !windows.byOthers()
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[codec.WindowKey[K], V](l, n)
		late, found := latePort[K, V](l, n, 0), latenessOf(l, n)
		found.wanted = late != nil
		find := windows.finder(l, n, found)
		out := new(processor.Record[codec.WindowKey[K], V])
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.NoKey {
				l.Host.Drop(n, plan.NoKey)
				return nil
			}
			found.late, found.taken = false, false
			windows, err := find(r.Timestamp)
			if err != nil {
				return err
			}
			for _, of := range windows {
				*out = processor.Record[codec.WindowKey[K], V]{Value: r.Value, Timestamp: r.Timestamp, Headers: r.Headers, Tombstone: r.Tombstone}
				out.Key.Key = r.Key
				window.set(&out.Key, of)
				if err := next(out); err != nil {
					return err
				}
			}
			if found.wanted && found.late && !found.taken {
				return late(r)
			}
			return nil
		})}
	}
	if windows.byOthers() {
		s.b.deferStep(func() { s.b.checkSteps(n, windows) })
	}
	return &Stream[codec.WindowKey[K], V]{
		b: s.b, node: n, made: &settings{node: n}, rekeyed: s.rekeyed, windows: windows, window: window,
		key: &form[codec.WindowKey[K]]{windows: windows.shape(), derived: func(b *Builder, at *plan.Node) codec.Codec[codec.WindowKey[K]] {
			return WindowCodec(windows, s.key.codecFor(b, at, ofKeys))
		}},
		value: carry[V](s.value),
	}
}

// finder returns a function that advances the time of window step n to that of a record and returns the record's open
// windows. It counts the record as late if there are none.
func (w Windows) finder(l *plan.Linker, n *plan.Node, found *lateness) func(at int64) ([]interval, error) {
	var of []interval
	if w.byOthers() {
		return func(at int64) ([]interval, error) { // the aggregate replaces it
			of = append(of[:0], interval{at, at})
			return of, nil
		}
	}
	time, assign := l.Time(n), w.assigner()
	return func(at int64) ([]interval, error) {
		now, err := time.Advance(at)
		if err != nil {
			return nil, err
		}
		closed := w.closedBefore(now)
		of = slices.DeleteFunc(assign(of[:0], at), func(window interval) bool { return window.end < closed })
		if found.late = len(of) == 0; found.late && !found.wanted {
			l.Host.Drop(n, plan.Late)
		}
		return of, nil
	}
}

// checkWindows reports a mistake if the windows of a topic's keys differ from those of the stream written to it:
// readers would compute other ends of windows.
func checkWindows[K, V any](s *Stream[K, V], n *plan.Node, topic Topic[K, V]) {
	keys, err := codec.WindowedKeysOf(topic.key)
	if keys == nil || err != nil { // plain keys, or already reported by use
		return
	}
	where := n.Where
	s.b.deferStep(func() {
		has, says := s.key.windowShape(), keys.Windows()
		if has.Kind != codec.NotWindowed && !has.Agrees(says) {
			s.b.mistake(where, "the keys written to topic %q have %v, but the topic is declared with %v", topic.name, has, says)
		}
	})
}

// windowShape returns the windows of keys of this form, as far as they are known.
func (f *form[T]) windowShape() codec.WindowShape {
	if f.chosen != nil {
		if keys, _ := codec.WindowedKeysOf(f.chosen); keys != nil {
			return keys.Windows()
		}
		return codec.WindowShape{}
	}
	shape := f.windows
	for i, from := range f.from {
		other := from.windowShape()
		switch {
		case i == 0:
			shape = other
		case shape != other: // merged streams with different windows
			return codec.WindowShape{}
		}
	}
	return shape
}
