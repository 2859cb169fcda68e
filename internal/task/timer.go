package task

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/processor"
)

// timer is a scheduled function of a step.
type timer struct {
	step   string
	clock  processor.Clock
	every  int64 // milliseconds
	due    int64 // the next time it fires; for the wall clock 0 until the first tick
	fire   func(time.Time) error
	handle *processor.Timer
}

func (t *Task) schedule(step string, clock processor.Clock, every time.Duration, fire func(time.Time) error) *processor.Timer {
	handle := new(processor.Timer)
	if every < time.Millisecond {
		t.Fail(fmt.Errorf("%s: a timer every %v: the interval must be at least a millisecond", step, every))
		return handle
	}
	tm := &timer{step: step, clock: clock, every: every.Milliseconds(), fire: fire, handle: handle}
	if clock == processor.StreamTime && t.streamTime >= 0 {
		tm.due = boundary(t.streamTime, tm.every) + tm.every
	}
	t.timers = append(t.timers, tm)
	return handle
}

// boundary returns the last multiple of every that is not after now.
func boundary(now, every int64) int64 { return now - now%every }

// advance moves the task's stream time to that of the record in hand and fires what is due. The operators do not hear of it: their
// time is that of the records that reach them. Timers due at multiples of their
// interval need no memory: stream time, which is committed, tells which have fired.
func (t *Task) advance(timestamp int64) error {
	if timestamp <= t.streamTime {
		return nil
	}
	before := t.streamTime
	t.streamTime = timestamp
	for _, tm := range t.timers {
		if tm.clock != processor.StreamTime || tm.handle.Stopped() {
			continue
		}
		if before < 0 { // the first record starts the timer
			tm.due = boundary(timestamp, tm.every) + tm.every
			continue
		}
		if timestamp >= tm.due {
			now := boundary(timestamp, tm.every)
			tm.due = now + tm.every
			if err := t.fire(tm, now); err != nil {
				return err
			}
		}
	}
	return nil
}

// Tick tells the wall clock's time and fires the timers that are due. The first tick starts them.
func (t *Task) Tick(now time.Time) error {
	if err := t.enter("Tick", processing, restoring, processing); err != nil {
		return err
	}
	ms := now.UnixMilli()
	for _, tm := range t.timers {
		if tm.clock != processor.WallClock || tm.handle.Stopped() {
			continue
		}
		if tm.due == 0 {
			tm.due = ms + tm.every
			continue
		}
		if ms >= tm.due {
			tm.due += (ms-tm.due)/tm.every*tm.every + tm.every
			if err := t.fire(tm, ms); err != nil {
				return err
			}
		}
	}
	return nil
}

// NextTick returns when Tick has something to do, and whether there is such a time.
func (t *Task) NextTick() (time.Time, bool) {
	var next int64
	found := false
	for _, tm := range t.timers {
		if tm.clock == processor.WallClock && !tm.handle.Stopped() && (!found || tm.due < next) {
			next, found = tm.due, true
		}
	}
	return time.UnixMilli(next), found
}

// fire runs a timer as a unit of its own: if it fails and the policy goes on, nothing of it remains. The work that was in
// hand is in hand again afterwards.
func (t *Task) fire(tm *timer, now int64) error {
	before := t.hand
	t.hand = work{timer: tm, time: now}
	defer func() { t.hand = before }()
	return t.perform(func() error { return tm.fire(time.UnixMilli(now).UTC()) })
}
