package topology

import (
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Windows says how event time is divided into windows: make one with Tumbling or Hopping.
type Windows struct {
	kind                 windowKind
	size, advance, grace time.Duration
}

// windowKind is the kind of windows. The methods of Windows have a case for each.
type windowKind uint8

const (
	notWindowed windowKind = iota // the zero value: for a stream without Window
	timeWindows                   // of fixed size, one every advance
)

// interval is a window, in milliseconds since 1970: start inclusive, end exclusive.
type interval struct{ start, end int64 }

// windowed reports whether there are windows.
func (w Windows) windowed() bool { return w.kind != notWindowed }

// shape returns what the keys encode of the windows.
func (w Windows) shape() codec.WindowShape {
	return codec.WindowShape{Kind: codec.ByStart, Size: w.size}
}

// assigner returns a function that appends the windows of a time, the oldest first.
func (w Windows) assigner() func(dst []interval, at int64) []interval {
	size, advance := w.size.Milliseconds(), w.advance.Milliseconds()
	// As in Kafka Streams' TimeWindows, windows start at multiples of the advance, none before the epoch.
	return func(dst []interval, at int64) []interval {
		for start := max(0, at-size+advance) / advance * advance; start <= at; start += advance {
			dst = append(dst, interval{start, start + size})
		}
		return dst
	}
}

// minRetention is how long a store must keep a window after its start: until no record can arrive for it.
func (w Windows) minRetention() time.Duration { return w.size + w.grace }

// Tumbling divides time into adjacent windows of the given size, aligned to the epoch; a record belongs to exactly one.
// A window includes its start and excludes its end.
func Tumbling(size time.Duration) Windows {
	return Windows{kind: timeWindows, size: size, advance: size}
}

// Hopping starts a window of the given size every advance, so that a record belongs to size/advance of them.
func Hopping(size, advance time.Duration) Windows {
	return Windows{kind: timeWindows, size: size, advance: advance}
}

// Grace sets how long after its end a window accepts late records. Default: zero; a record that arrives after another
// one has reached the end of its window is dropped and counted.
func (w Windows) Grace(d time.Duration) Windows {
	w.grace = d
	return w
}

// String returns "tumbling 5m0s, grace 1m0s".
func (w Windows) String() string {
	shape := fmt.Sprintf("tumbling %v", w.size)
	if w.advance != w.size {
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
		return errors.New("no windows: make them with topology.Tumbling or topology.Hopping")
	case w.size < time.Millisecond || w.size%time.Millisecond != 0:
		return fmt.Errorf("a window of %v: the size must be whole milliseconds, at least one", w.size)
	case w.advance < time.Millisecond || w.advance > w.size || w.advance%time.Millisecond != 0:
		return fmt.Errorf("a window of %v that advances by %v: the advance must be whole milliseconds, at least one and at most the size", w.size, w.advance)
	case w.grace < 0 || w.grace%time.Millisecond != 0:
		return fmt.Errorf("a grace of %v: it must be whole milliseconds, and not negative", w.grace)
	}
	return nil
}

// Window assigns each record to the windows of its timestamp. The window becomes part of the key, so that ordinary
// aggregation follows: one row per key and window. Records whose windows are all closed are dropped and counted.
//
// Windows close by the greatest timestamp of the records that have reached this Window, across all keys of the
// partition. Records that an earlier filter dropped, records without a key and rows of joined tables do not close
// windows.
func Window[K, V any](s *Stream[K, V], windows Windows) *Stream[codec.WindowKey[K], V] {
	n := s.b.add("window", windows.String(), s.output())
	if err := windows.check(); err != nil {
		s.b.mistake(n.Where, "%v", err)
	}
	s.b.timed[n] = true
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[codec.WindowKey[K], V](l, n)
		clock, grace := l.Host.Clock(n.Clock), windows.grace.Milliseconds()
		assign, of := windows.assigner(), []interval(nil)
		out := new(processor.Record[codec.WindowKey[K], V])
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.NoKey {
				l.Host.Drop(n, plan.NoKey)
				return nil
			}
			open := clock.Advance(r.Timestamp) - grace // as in Kafka Streams, a window is closed once end <= time - grace
			late := true
			of = assign(of[:0], r.Timestamp)
			for _, window := range of {
				if window.end <= open {
					continue
				}
				late = false
				*out = processor.Record[codec.WindowKey[K], V]{Value: r.Value, Timestamp: r.Timestamp, Headers: r.Headers, Tombstone: r.Tombstone}
				out.Key = codec.WindowKey[K]{Key: r.Key, Start: time.UnixMilli(window.start).UTC(), End: time.UnixMilli(window.end).UTC()}
				if err := next(out); err != nil {
					return err
				}
			}
			if late {
				l.Host.Drop(n, plan.Late)
			}
			return nil
		})}
	}
	return &Stream[codec.WindowKey[K], V]{
		b: s.b, node: n, made: &settings{node: n}, rekeyed: s.rekeyed, windows: windows,
		key: &form[codec.WindowKey[K]]{windows: windows.shape(), derived: func(b *Builder, at *plan.Node) codec.Codec[codec.WindowKey[K]] {
			return codec.Windowed(s.key.codecFor(b, at, ofKeys)).Size(windows.size)
		}},
		value: carry[V](s.value),
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
