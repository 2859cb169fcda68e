package topology

import (
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/rio-streams/rio/codec"
)

// Windows says how event time is divided into windows: make one with Tumbling, Hopping, Sliding, Sessions, Daily,
// Weekly, Monthly or Unlimited.
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

// closedBefore returns the bound of the windows that are closed at a time of their operator: those that end before it.
// As in Kafka Streams, a window that excludes its end is closed once end <= time - grace, a sliding window once
// end < time - grace, and a session once end < time - grace - gap.
func (w Windows) closedBefore(time int64) int64 {
	if time < 0 { // no record yet
		return math.MinInt64
	}
	closed := time - w.grace.Milliseconds()
	switch w.kind {
	case slidingWindows:
		return closed
	case sessionWindows:
		return closed - w.size.Milliseconds()
	}
	return closed + 1
}

// keyTail is the number of bytes of the window at the end of an encoded key. Keys of one length sort by them in time.
func (w Windows) keyTail() int {
	if w.kind == sessionWindows {
		return 16
	}
	return 8
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

// Grace sets how long after its end a window accepts late records, and a session after its end and the gap. Default:
// zero; a record that arrives after another one has reached the end of its window is dropped and counted.
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
	case w.kind == sessionWindows && (w.size < time.Millisecond || w.size%time.Millisecond != 0):
		return fmt.Errorf("sessions with a gap of %v: the gap must be whole milliseconds, at least one", w.size)
	case w.size < time.Millisecond || w.size%time.Millisecond != 0:
		return fmt.Errorf("a window of %v: the size must be whole milliseconds, at least one", w.size)
	case w.checkRule() != nil:
		return w.checkRule()
	case w.kind == timeWindows && (w.advance < time.Millisecond || w.advance > w.size || w.advance%time.Millisecond != 0):
		return fmt.Errorf("a window of %v that advances by %v: the advance must be whole milliseconds, at least one and at most the size", w.size, w.advance)
	}
	return checkGrace(w.grace)
}
