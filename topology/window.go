package topology

import (
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Windows says how event time is divided: make one with Tumbling or Hopping.
type Windows struct {
	kind                 windowKind
	size, advance, grace time.Duration
}

// windowKind says how windows are made. Each kind has its cases in the methods of Windows.
type windowKind uint8

const (
	notWindowed windowKind = iota // the zero value: of a stream that Window did not make
	timeWindows                   // of one size, one every advance
)

// interval is a window, in milliseconds since 1970: start included, end not.
type interval struct{ start, end int64 }

// windowed reports whether there are windows.
func (w Windows) windowed() bool { return w.kind != notWindowed }

// shape is what the keys say of the windows.
func (w Windows) shape() codec.WindowShape {
	return codec.WindowShape{Kind: codec.ByStart, Size: w.size}
}

// assigner returns a function that appends the windows of a time, the oldest first.
func (w Windows) assigner() func(dst []interval, at int64) []interval {
	size, advance := w.size.Milliseconds(), w.advance.Milliseconds()
	// The arithmetic is that of Kafka Streams' TimeWindows: windows start at multiples of the advance, none before the epoch.
	return func(dst []interval, at int64) []interval {
		for start := max(0, at-size+advance) / advance * advance; start <= at; start += advance {
			dst = append(dst, interval{start, start + size})
		}
		return dst
	}
}

// least is how long a store must keep a window after its start: until no record can come for it.
func (w Windows) least() time.Duration { return w.size + w.grace }

// Tumbling divides time into windows of the given size, one after the other, aligned to the epoch; a record belongs to
// exactly one. A window includes its start and excludes its end.
func Tumbling(size time.Duration) Windows {
	return Windows{kind: timeWindows, size: size, advance: size}
}

// Hopping opens a window of the given size every advance, so that a record belongs to size/advance of them.
func Hopping(size, advance time.Duration) Windows {
	return Windows{kind: timeWindows, size: size, advance: advance}
}

// Grace is how long after its end a window still takes late records. By default it is zero: a record that comes after
// another has reached the end of its window is dropped and counted.
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
		return fmt.Errorf("a window of %v that advances by %v: the advance must be whole milliseconds, from one to the size", w.size, w.advance)
	case w.grace < 0 || w.grace%time.Millisecond != 0:
		return fmt.Errorf("a grace of %v: it must be whole milliseconds, and not negative", w.grace)
	}
	return nil
}

// Window puts each record into the windows of its time. A window is part of the key, so that what follows is ordinary
// aggregation: one row for each key and window. Records whose windows have all closed are dropped and counted.
//
// The time by which windows close is the greatest time of the records that have reached the Window, of all keys of the
// partition. What a filter before it left out, records without a key and rows of joined tables close nothing.
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
			return codec.Windowed(s.key.need(b, at, ofKeys)).Size(windows.size)
		}},
		value: carry[V](s.value),
	}
}

// checkWindows notes a mistake if a topic's keys have other windows than those of the stream that is written to it: their readers
// would see other ends of windows.
func checkWindows[K, V any](s *Stream[K, V], n *plan.Node, topic Topic[K, V]) {
	keys, err := codec.WindowedKeysOf(topic.key)
	if keys == nil || err != nil { // of a plain key, or noted by use
		return
	}
	where := n.Where
	s.b.finish(func() {
		has, says := s.key.windowShape(), keys.Windows()
		if has.Kind != codec.NotWindowed && !has.Agrees(says) {
			s.b.mistake(where, "what is written to topic %q has %v, but the topic's keys are declared with %v", topic.name, has, says)
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
		case shape != other: // merged
			return codec.WindowShape{}
		}
	}
	return shape
}
