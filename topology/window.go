package topology

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Windows says how event time is divided: make one with Tumbling or Hopping.
type Windows struct {
	size, advance, grace time.Duration
}

// Tumbling divides time into windows of the given size, one after the other, aligned to the epoch; a record belongs to
// exactly one. A window includes its start and excludes its end.
func Tumbling(size time.Duration) Windows { return Windows{size: size, advance: size} }

// Hopping opens a window of the given size every advance, so that a record belongs to size/advance of them.
func Hopping(size, advance time.Duration) Windows { return Windows{size: size, advance: advance} }

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
	size, advance, grace := windows.size.Milliseconds(), windows.advance.Milliseconds(), windows.grace.Milliseconds()
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[codec.WindowKey[K], V](l, n)
		clock := l.Host.Clock(n.Clock)
		out := new(processor.Record[codec.WindowKey[K], V])
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) error {
			if r.NoKey {
				l.Host.Drop(n, plan.NoKey)
				return nil
			}
			// The rule and the arithmetic are those of Kafka Streams' TimeWindows: windows start at multiples of the
			// advance, none before the epoch, and a window is closed once end <= time - grace.
			open := clock.Advance(r.Timestamp) - grace
			late := true
			for start := max(0, r.Timestamp-size+advance) / advance * advance; start <= r.Timestamp; start += advance {
				if start+size <= open {
					continue
				}
				late = false
				*out = processor.Record[codec.WindowKey[K], V]{Value: r.Value, Timestamp: r.Timestamp, Headers: r.Headers, Tombstone: r.Tombstone}
				out.Key = codec.WindowKey[K]{Key: r.Key, Start: time.UnixMilli(start).UTC(), End: time.UnixMilli(start + size).UTC()}
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
		key: &form[codec.WindowKey[K]]{derived: func(b *Builder, at *plan.Node) codec.Codec[codec.WindowKey[K]] {
			return codec.Windowed(s.key.need(b, at, ofKeys)).Size(windows.size)
		}},
		value: carry[V](s.value),
	}
}
