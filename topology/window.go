package topology

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Windows says how event time is divided into windows: make one with Tumbling, Hopping, Sliding,
// Sessions, Daily, Weekly, Monthly or Unlimited.
type Windows struct {
	kind                 windowKind
	size, advance, grace time.Duration // the size of sessions is their gap, that of calendar windows their greatest

	// Of calendar windows.
	unit  calendarUnit
	zone  *time.Location
	first time.Weekday

	from int64 // start of an unlimited window, in ms since 1970
}

// windowKind is the kind of windows. The methods of Windows have a case for each.
type windowKind uint8

const (
	notWindowed windowKind = iota // the zero value: for a stream without Window
	timeWindows                   // of fixed size, one every advance
	sessionWindows
	slidingWindows
	calendarWindows
	unlimitedWindows
)

// interval is a window, in milliseconds since 1970: start inclusive, end exclusive unless the kind of windows says
// otherwise.
type interval struct{ start, end int64 }

// windowed reports whether there are windows.
func (w Windows) windowed() bool { return w.kind != notWindowed }

// byOthers reports whether the window of a record depends on the other records of its key, so that only the aggregate,
// which keeps them, knows it.
func (w Windows) byOthers() bool { return w.kind == sessionWindows || w.kind == slidingWindows }

// shape returns what the keys encode of the windows.
func (w Windows) shape() codec.WindowShape {
	if w.kind == sessionWindows {
		return codec.WindowShape{Kind: codec.ByEndAndStart}
	}
	if rule := w.rule(); rule != "" {
		return codec.WindowShape{Kind: codec.ByStart, Rule: rule}
	}
	return codec.WindowShape{Kind: codec.ByStart, Size: w.size}
}

// assigner returns a function that appends the windows of a time, the oldest first.
func (w Windows) assigner() func(dst []interval, at int64) []interval {
	switch w.kind {
	case calendarWindows:
		return w.calendarAssigner()
	case unlimitedWindows:
		return func(dst []interval, at int64) []interval {
			if at < w.from {
				return dst
			}
			return append(dst, interval{w.from, theEnd})
		}
	}
	size, advance := w.size.Milliseconds(), w.advance.Milliseconds()
	// As in Kafka Streams' TimeWindows, windows start at multiples of the advance, none before the epoch.
	return func(dst []interval, at int64) []interval {
		for start := max(0, at-size+advance) / advance * advance; start <= at; start += advance {
			dst = append(dst, interval{start, start + size})
		}
		return dst
	}
}

// minRetention is how long a store must keep a window after its start, or a session after its end: until no record can
// arrive for it.
func (w Windows) minRetention() time.Duration {
	if w.kind == slidingWindows { // a record reads the windows of the records before it
		return 2*w.size + w.grace
	}
	return w.size + w.grace
}

// Tumbling divides time into adjacent windows of the given size, aligned to the epoch; a record belongs to exactly one.
// A window includes its start and excludes its end.
func Tumbling(size time.Duration) Windows {
	return Windows{kind: timeWindows, size: size, advance: size}
}

// Hopping starts a window of the given size every advance, so that a record belongs to size/advance of them.
func Hopping(size, advance time.Duration) Windows {
	return Windows{kind: timeWindows, size: size, advance: advance}
}

// Grace sets how long after its end a window accepts late records; a session after its end and the gap. Default: zero; a record that arrives after another
// one has reached the end of its window is dropped and counted.
func (w Windows) Grace(d time.Duration) Windows {
	w.grace = d
	return w
}

// String returns "tumbling 5m0s, grace 1m0s".
func (w Windows) String() string {
	shape := fmt.Sprintf("tumbling %v", w.size)
	switch {
	case w.kind == sessionWindows:
		shape = fmt.Sprintf("sessions %v", w.size)
	case w.kind == slidingWindows:
		shape = fmt.Sprintf("sliding %v", w.size)
	case w.rule() != "":
		shape = w.rule()
	case w.advance != w.size:
		shape = fmt.Sprintf("hopping %v every %v", w.size, w.advance)
	}
	if w.grace > 0 {
		shape += fmt.Sprintf(", grace %v", w.grace)
	}
	return shape
}

func (w Windows) check() error {
	switch {
	case !w.windowed():
		return errors.New("no windows: make them with topology.Tumbling, topology.Sessions or another kind")
	case w.kind == sessionWindows && w.size < time.Millisecond, w.kind == sessionWindows && w.size%time.Millisecond != 0:
		return fmt.Errorf("sessions with a gap of %v: the gap must be whole milliseconds, at least one", w.size)
	case w.size < time.Millisecond || w.size%time.Millisecond != 0:
		return fmt.Errorf("a window of %v: the size must be whole milliseconds, at least one", w.size)
	case w.checkRule() != nil:
		return w.checkRule()
	case w.kind == timeWindows && (w.advance < time.Millisecond || w.advance > w.size || w.advance%time.Millisecond != 0):
		return fmt.Errorf("a window of %v that advances by %v: the advance must be whole milliseconds, at least one and at most the size", w.size, w.advance)
	case w.grace < 0 || w.grace%time.Millisecond != 0:
		return fmt.Errorf("a grace of %v: it must be whole milliseconds, and not negative", w.grace)
	}
	return nil
}

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
// windows.
//
// The sessions and sliding windows of a record depend on the other records of its key, so they are determined by the
// aggregate, and close by the records that have reached it. In between only steps that see nothing but values are allowed.
func Window[K, V any](s *Stream[K, V], windows Windows) *Stream[codec.WindowKey[K], V] {
	n := s.b.add("window", windows.String(), s.output())
	if err := windows.check(); err != nil {
		s.b.mistake(n.Where, "%v", err)
	}
	window := windowOf[K]()
	s.b.timed[n] = !windows.byOthers()
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[codec.WindowKey[K], V](l, n)
		find := windows.finder(l, n)
		out := new(processor.Record[codec.WindowKey[K], V])
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.NoKey {
				l.Host.Drop(n, plan.NoKey)
				return nil
			}
			for _, of := range find(r.Timestamp) {
				*out = processor.Record[codec.WindowKey[K], V]{Value: r.Value, Timestamp: r.Timestamp, Headers: r.Headers, Tombstone: r.Tombstone}
				out.Key.Key = r.Key
				window.set(&out.Key, of)
				if err := next(out); err != nil {
					return err
				}
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

// finder returns a function that advances the clock of window step n to the time of a record and returns the record's
// open windows. It counts the record as late if there are none.
func (w Windows) finder(l *plan.Linker, n *plan.Node) func(at int64) []interval {
	var of []interval
	if w.byOthers() {
		return func(at int64) []interval { // the aggregate replaces it
			of = append(of[:0], interval{at, at})
			return of
		}
	}
	clock, grace, assign := l.Host.Clock(n.Clock), w.grace.Milliseconds(), w.assigner()
	return func(at int64) []interval {
		open := clock.Advance(at) - grace // as in Kafka Streams, a window is closed once end <= time - grace
		of = slices.DeleteFunc(assign(of[:0], at), func(window interval) bool { return window.end <= open })
		if len(of) == 0 {
			l.Host.Drop(n, plan.Late)
		}
		return of
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
