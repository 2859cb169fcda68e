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
	due    int64 // the next time it fires; for the wall clock, 0 until the first tick
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

// advance advances the task's stream time to that of the current record and fires due timers. It does not affect the
// operators, which use the time of the records that reach them. Timers are due at multiples of their interval, so they
// need no state: stream time, which is committed, tells which have fired.
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

// Tick sets the wall-clock time and fires due timers. The first tick starts them.
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

// NextTick returns when the next Tick is due, and false if none is.
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

// fire runs a timer as a work item of its own: if it fails and the policy is to continue, its effects are rolled back.
// The current work is restored afterwards.
func (t *Task) fire(tm *timer, now int64) error {
	before := t.current
	t.current = work{timer: tm, time: now}
	defer func() { t.current = before }()
	return t.perform(func() error { return tm.fire(time.UnixMilli(now).UTC()) })
}
