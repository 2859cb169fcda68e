package processor

import "time"

// Clock is what drives a timer.
type Clock int

const (
	// StreamTime advances with the event times of the records: the same input fires the same timers. A timer fires at
	// multiples of its interval, once the stream time reaches one, and before the record that advanced the time is
	// handled. If the time skips several multiples, it fires once, for the last.
	StreamTime Clock = iota

	// WallClock advances with the machine's clock. What such a timer emits is not reproducible by a replay.
	WallClock
)

// String returns "stream time" or "wall clock".
func (c Clock) String() string {
	if c == WallClock {
		return "wall clock"
	}
	return "stream time"
}

// Timing says when a timer fires.
type Timing struct {
	Clock Clock
	First time.Time     // zero: StreamTime at the next multiple of Every, WallClock after Every
	Every time.Duration // 0: once, at First
}

// Timer is a scheduled function.
type Timer struct{ stopped bool }

// Stop ends the timer; it never fires again.
func (t *Timer) Stop() { t.stopped = true }

// Stopped reports whether Stop has been called, or the timer was an alarm and has fired.
func (t *Timer) Stopped() bool { return t.stopped }

// Schedule calls fire every interval of clock until the timer is stopped. Timers are created when a task starts and end
// with it. The interval must be at least a millisecond.
func (c *Context[K, V]) Schedule(every time.Duration, clock Clock, fire func(now time.Time) error) *Timer {
	return c.host.Schedule(c.step, Timing{Clock: clock, Every: every}, fire)
}

// ScheduleFrom is like Schedule for a timer that fires at first, and then at first plus multiples of the interval. Those
// that lie in the past when the timer is created are left out.
func (c *Context[K, V]) ScheduleFrom(first time.Time, every time.Duration, clock Clock, fire func(now time.Time) error) *Timer {
	return c.host.Schedule(c.step, Timing{Clock: clock, First: first, Every: every}, fire)
}

// Alarm calls fire once, when clock reaches at; if it has already, the next time that it advances. Alarms end with the
// task: keep in a store what they are for, and set them again when the task starts. An alarm that a record sets is rolled
// back with the record if that fails.
func (c *Context[K, V]) Alarm(at time.Time, clock Clock, fire func(now time.Time) error) *Timer {
	return c.host.Schedule(c.step, Timing{Clock: clock, First: at}, fire)
}
