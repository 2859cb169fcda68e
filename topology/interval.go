package topology

import (
	"errors"
	"fmt"
	"time"
)

// Interval says how far apart the timestamps of two records may be: make one with Within.
type Interval struct {
	before, after, grace time.Duration
	given                bool
}

// Within pairs records whose timestamps differ by at most d.
func Within(d time.Duration) Interval { return Interval{before: d, after: d, given: true} }

// Before sets how much earlier than the record on the left the one on the right may be; a negative d requires it to be
// later.
func (i Interval) Before(d time.Duration) Interval {
	i.before = d
	return i
}

// After sets how much later than the record on the left the one on the right may be; a negative d requires it to be
// earlier.
func (i Interval) After(d time.Duration) Interval {
	i.after = d
	return i
}

// Grace sets for how long after its interval a record still waits for records that arrive late. Default: zero.
func (i Interval) Grace(d time.Duration) Interval {
	i.grace = d
	return i
}

// String returns "within 1m0s", or "from 1m0s before to 2m0s after, grace 10s".
func (i Interval) String() string {
	text := fmt.Sprintf("within %v", i.after)
	if i.before != i.after {
		text = fmt.Sprintf("from %v before to %v after", i.before, i.after)
	}
	if i.grace > 0 {
		text += fmt.Sprintf(", grace %v", i.grace)
	}
	return text
}

func (i Interval) check() error {
	switch {
	case !i.given:
		return errors.New("no interval: make one with topology.Within")
	case i.before+i.after < 0:
		return fmt.Errorf("an interval %v: it ends before it begins", i)
	case i.before%time.Millisecond != 0 || i.after%time.Millisecond != 0:
		return fmt.Errorf("an interval %v: it must be whole milliseconds", i)
	}
	return checkGrace(i.grace)
}

// checkGrace returns an error if windows and intervals cannot have a grace.
func checkGrace(d time.Duration) error {
	if d < 0 || d%time.Millisecond != 0 {
		return fmt.Errorf("a grace of %v: it must be whole milliseconds, and not negative", d)
	}
	return nil
}

// size is the length of the interval; retention is how long a record can meet one that comes later.
func (i Interval) size() time.Duration { return i.before + i.after }

func (i Interval) retention() time.Duration { return i.before + i.after + i.grace }

// memory is how long Distinct remembers an id: the oldest record that is not late may be a duplicate of one that is
// older by after. A row is found while it is newer than this.
func (i Interval) memory() time.Duration { return i.retention() + i.after + time.Millisecond }
