package topology

import (
	"slices"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

// Sliding gives each record of a key the window of the given size that ends with it, both ends included, and adds it to
// the windows of later records. There is also a window that begins right after each record, so that every set of
// records that lie at most size apart has a window. Of records before 1970 plus the size, one window holds all.
//
// A window is closed when its end plus the grace is before the time of the aggregate. It is the algorithm of Kafka
// Streams' SlidingWindows, with the same windows in the same order.
func Sliding(size time.Duration) Windows { return Windows{kind: slidingWindows, size: size} }

// slid is a sliding window of a key: its start and the greatest timestamp of its records.
type slid struct{ start, latest int64 }

// slide is a change of a sliding window.
type slide struct {
	start int64
	from  int  // index of the window whose value it begins with, or none
	adds  bool // the value of the record is added
}

const none = -1

// slides appends the changes that a record at a time makes, given the windows of its key that start from twice the size
// before it to right after it.
func slides(dst []slide, windows []slid, at, size int64) []slide {
	if at < size {
		return earlySlides(dst, windows, at)
	}
	left, right := none, none // whose values a new window at the left or right of the record begins with
	hasLeft, hasRight := false, false
	previous := int64(none) // the time of the record before this one
	for i := len(windows) - 1; i >= 0; i-- {
		start, latest := windows[i].start, windows[i].latest
		end := start + size
		switch {
		case start == at+1:
			hasRight = true
			continue
		case end < at:
			left, previous = i, latest
		default:
			dst = append(dst, slide{start, i, true})
			if end > at {
				right = max(right, i)
				continue
			}
			if latest >= at { // a record of this time has made all windows
				return dst
			}
			hasLeft, previous = true, latest
			continue
		}
		break
	}
	if previous >= 0 && !exists(windows, previous+1) && previous+1+size >= at {
		dst = append(dst, slide{previous + 1, none, true})
	}
	if !hasLeft {
		if previous < at-size {
			left = none
		}
		dst = append(dst, slide{at - size, left, true})
	}
	if !hasRight && right >= 0 && windows[right].latest > at {
		dst = append(dst, slide{at + 1, right, false})
	}
	return dst
}

// earlySlides is slides for a record whose window would start before 1970. The window that starts there takes its place.
func earlySlides(dst []slide, windows []slid, at int64) []slide {
	first, right := none, none
	hasRight := false
	previous := int64(none)
	for i, window := range windows {
		switch {
		case window.start == 0:
			first = i
			if window.latest < at {
				previous = window.latest
			}
		case window.start <= at:
			right = i
			dst = append(dst, slide{window.start, i, true})
		default:
			hasRight = true
		}
	}
	if right == none {
		right = first
	}
	if !hasRight && right >= 0 && windows[right].latest > at {
		dst = append(dst, slide{at + 1, right, false})
	}
	if previous >= 0 && !exists(windows, previous+1) {
		dst = append(dst, slide{previous + 1, none, true})
	}
	return append(dst, slide{0, first, true})
}

// exists reports whether a window starts at a time.
func exists(windows []slid, start int64) bool {
	return slices.ContainsFunc(windows, func(w slid) bool { return w.start == start })
}

// sliding returns the updater for sliding windows.
func (w *windowRows[K, A]) sliding(operator *plan.Time) func(key K, at int64) error {
	size := w.windows.size.Milliseconds()
	var old []state.Row[K, A]
	var windows []slid
	var changes []slide
	return func(key K, at int64) error {
		now, err := operator.Advance(at)
		if err != nil {
			return err
		}
		closed := w.windows.closedBefore(now)
		if at+size < closed {
			w.late()
			return nil
		}
		old, windows = old[:0], windows[:0]
		for row, err := range w.rows.FetchKey(key, time.UnixMilli(max(0, at-2*size)), time.UnixMilli(at+1)) {
			if err != nil {
				return err
			}
			old, windows = append(old, row), append(windows, slid{w.window.get(row.Key).start, row.Timestamp})
		}
		changes = slides(changes[:0], windows, at, size)
		late := true
		for _, c := range changes {
			if c.adds && c.start+size < closed {
				continue
			}
			late = false
			if err := w.slide(key, c, at, old); err != nil {
				return err
			}
		}
		if late {
			w.late()
		} else {
			w.found.taken = true
		}
		return nil
	}
}

// slide applies the change of one window.
func (w *windowRows[K, A]) slide(key K, c slide, at int64, old []state.Row[K, A]) error {
	var value A
	timestamp, keep := at, true
	if c.from >= 0 {
		value, timestamp = old[c.from].Value, max(at, old[c.from].Timestamp)
	}
	if c.adds {
		w.l.Enter(w.node)
		value, keep = w.update(value, c.from >= 0)
	}
	w.window.set(&key, interval{c.start, c.start + w.windows.size.Milliseconds()})
	if keep {
		return w.put(key, value, timestamp)
	}
	return w.remove(key, timestamp)
}
