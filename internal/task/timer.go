package task

import (
	"container/heap"
	"fmt"
	"time"

	"github.com/rio-streams/rio/processor"
)

// timer is a scheduled function of a step.
type timer struct {
	step   string
	every  int64 // milliseconds; 0 for an alarm
	due    int64 // the next time it fires
	number int   // in the order of creation: of two that are due at once, the older one fires first
	fire   func(time.Time) error
	handle *processor.Timer
}

// timers are those of one clock.
type timers struct {
	now    int64 // -1 before the clock has a time
	queue  queue
	idle   []*timer // start when the clock advances
	number int      // of the next timer
}

// created is a timer that the current work has created. It runs once the work has succeeded.
type created struct {
	*timer
	clock processor.Clock
}

func (t *Task) schedule(step string, timing processor.Timing, fire func(time.Time) error) *processor.Timer {
	handle := new(processor.Timer)
	alarm := timing.Every == 0 && !timing.First.IsZero()
	if timing.Every < time.Millisecond && !alarm {
		t.Fail(fmt.Errorf("%s: a timer every %v: the interval must be at least a millisecond", step, timing.Every))
		return handle
	}
	tm := &timer{step: step, every: timing.Every.Milliseconds(), due: unset, fire: fire, handle: handle}
	if !timing.First.IsZero() {
		tm.due = timing.First.UnixMilli()
	}
	t.created = append(t.created, created{tm, timing.Clock})
	return handle
}

// unset is the due time of a timer whose clock decides when it fires first.
const unset = -1 << 63

// startTimers starts the timers that the current work has created.
func (t *Task) startTimers() {
	for _, c := range t.created {
		t.timers(c.clock).add(c.timer, c.clock == processor.StreamTime)
	}
	clear(t.created)
	t.created = t.created[:0]
}

func (t *Task) timers(clock processor.Clock) *timers {
	if clock == processor.WallClock {
		return &t.byWallClock
	}
	return &t.byStreamTime
}

// add adds a timer. One that is already due fires when the clock advances. Without a first time, a timer of a clock that
// is aligned fires at multiples of its interval.
func (ts *timers) add(tm *timer, aligned bool) {
	tm.number = ts.number
	ts.number++
	switch {
	case tm.due == unset && (ts.now < 0 || !aligned):
		ts.idle = append(ts.idle, tm)
		return
	case tm.due == unset:
		tm.due = boundary(ts.now, tm.every) + tm.every
	case tm.due <= ts.now && tm.every > 0:
		tm.due += ((ts.now-tm.due)/tm.every + 1) * tm.every
	case tm.due <= ts.now:
		tm.due = ts.now + 1
	}
	heap.Push(&ts.queue, tm)
}

// boundary returns the last multiple of every that is not after now.
func boundary(now, every int64) int64 { return now - now%every }

// next returns the timer that is due at a time, and the time it fires for; nil if none is. It returns timers in the order
// of their times. One that is due several times fires once, for the last.
func (ts *timers) next(now int64) (due *timer, at int64) {
	for len(ts.queue) > 0 && ts.queue[0].due <= now {
		tm := ts.queue[0]
		switch at := tm.due; {
		case tm.handle.Stopped():
			heap.Pop(&ts.queue)
		case tm.every == 0:
			heap.Pop(&ts.queue)
			tm.handle.Stop()
			return tm, at
		case now-at >= tm.every: // its turn is that of the last
			tm.due += (now - at) / tm.every * tm.every
			heap.Fix(&ts.queue, 0)
		default:
			tm.due += tm.every
			heap.Fix(&ts.queue, 0)
			return tm, at
		}
	}
	return nil, 0
}

// advance advances the task's stream time to that of the current record and fires due timers. It does not affect the
// operators, which use the time of the records that reach them. Timers at multiples of their interval need no state: stream
// time, which is committed, tells which have fired.
func (t *Task) advance(timestamp int64) error {
	if timestamp <= t.streamTime {
		return nil
	}
	t.streamTime = timestamp
	ts := &t.byStreamTime
	ts.start(func(tm *timer) int64 { return boundary(timestamp, tm.every) + tm.every })
	for tm, at := ts.next(timestamp); tm != nil; tm, at = ts.next(timestamp) {
		ts.now = at
		if err := t.fire(tm, at); err != nil {
			return err
		}
	}
	ts.now = timestamp
	return nil
}

// Tick sets the wall-clock time and fires due timers. The first tick starts them.
func (t *Task) Tick(now time.Time) error {
	if err := t.enter("Tick", processing, restoring, processing); err != nil {
		return err
	}
	ms, ts := now.UnixMilli(), &t.byWallClock
	ts.now = max(ts.now, ms)
	ts.start(func(tm *timer) int64 { return ms + tm.every })
	for tm, _ := ts.next(ms); tm != nil; tm, _ = ts.next(ms) {
		if err := t.fire(tm, ms); err != nil {
			return err
		}
	}
	return nil
}

// start starts the idle timers, at the times that first returns.
func (ts *timers) start(first func(*timer) int64) {
	for _, tm := range ts.idle {
		tm.due = first(tm)
		heap.Push(&ts.queue, tm)
	}
	ts.idle = nil
}

// NextTick returns when the next Tick is due, and false if none is.
func (t *Task) NextTick() (time.Time, bool) {
	ts := &t.byWallClock
	if len(ts.idle) > 0 {
		return time.UnixMilli(0), true
	}
	for len(ts.queue) > 0 && ts.queue[0].handle.Stopped() {
		heap.Pop(&ts.queue)
	}
	if len(ts.queue) == 0 {
		return time.Time{}, false
	}
	return time.UnixMilli(ts.queue[0].due), true
}

// fire runs a timer as a work item of its own: if it fails and the policy is to continue, its effects are rolled back.
// The current work is restored afterwards.
func (t *Task) fire(tm *timer, now int64) error {
	before := t.current
	t.current = work{timer: tm, time: now}
	defer func() { t.current = before }()
	return t.perform(func() error { return tm.fire(time.UnixMilli(now).UTC()) })
}

// queue is a heap of timers by the time at which they are due.
type queue []*timer

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	if q[i].due != q[j].due {
		return q[i].due < q[j].due
	}
	return q[i].number < q[j].number
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push implements heap.Interface.
func (q *queue) Push(tm any) { *q = append(*q, tm.(*timer)) }

// Pop implements heap.Interface.
func (q *queue) Pop() any {
	last := len(*q) - 1
	tm := (*q)[last]
	(*q)[last] = nil
	*q = (*q)[:last]
	return tm
}
