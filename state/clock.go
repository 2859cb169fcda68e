package state

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// LatestTime is the latest allowed timestamp of a record or a row, in milliseconds since 1970: in the year 2262, the
// limit of nanoseconds in an int64, which Kafka clients use internally. The earliest is 0.
const LatestTime = math.MaxInt64 / 1_000_000

// never is a time that is earlier than that of any record.
const never = math.MinInt64

// Times holds the times of clocks by name, in milliseconds since 1970. The empty name applies to all clocks without an
// entry of their own. A clock without any time starts anew.
type Times map[string]int64

func (t Times) of(name string) int64 {
	if ms, found := t[name]; found {
		return ms
	}
	if ms, found := t[""]; found {
		return ms
	}
	return never
}

// Clock is the time of an operator, or of a store of windows: the greatest event time of the records that have reached
// it. Its set rolls it back when a record fails and stores it with the rows. Only the task's goroutine uses it.
type Clock struct {
	name               string
	now                int64
	begun              int64 // at the last Begin
	flushed, committed int64 // at the last Flush, and at the last committed one
}

// newClock returns a clock that has not seen a record.
func newClock(name string) *Clock {
	return &Clock{name: name, now: never, begun: never, flushed: never, committed: never}
}

// Advance moves the clock forward to the timestamp of a record, in milliseconds since 1970, and returns the time of the
// clock: the greatest timestamp so far.
func (c *Clock) Advance(timestamp int64) int64 {
	c.now = max(c.now, timestamp)
	return c.now
}

// Now returns the time of the clock, in milliseconds since 1970. A clock that has not seen a record returns
// math.MinInt64.
func (c *Clock) Now() int64 { return c.now }

// Clock returns the clock of an operator. The name must identify the operator in all runs of the application and must
// not be that of a store. The clock starts at its time at the last commit.
func (s *Set) Clock(name string) (*Clock, error) {
	for _, c := range s.clocks {
		if c.name == name {
			return c, nil
		}
	}
	c := newClock(name)
	return c, s.initClock(c)
}

// initClock sets a clock to its time at the last commit: that in Options.Times or, without any, that in the database.
func (s *Set) initClock(c *Clock) error {
	kept, err := readClock(s.db, c.name)
	if err != nil {
		return err
	}
	at := kept
	if s.times != nil {
		at = s.times.of(c.name)
	}
	*c = Clock{name: c.name, now: at, begun: at, flushed: kept, committed: kept}
	s.clocks = append(s.clocks, c)
	return nil
}

// readClock returns the time of a clock in a database.
func readClock(r Reader, name string) (int64, error) {
	v, found, err := r.Get(nil, clockKeyOf(name))
	switch {
	case err != nil:
		return never, fmt.Errorf("state: read the time of %s: %w", name, err)
	case !found:
		return never, nil
	case len(v) != timeSize:
		return never, fmt.Errorf("state: the time of %s has %d bytes instead of %d: %w", name, len(v), timeSize, ErrDamaged)
	}
	return int64(binary.BigEndian.Uint64(v)), nil
}

// Times calls each for the clocks that have a time, in the order in which they were opened. Commit these times together
// with the input offsets; Options.Times restores them.
func (s *Set) Times(each func(name string, ms int64)) {
	for _, c := range s.clocks {
		if c.now != never {
			each(c.name, c.now)
		}
	}
}

// TimesMoved reports whether a clock has advanced since the last commit.
func (s *Set) TimesMoved() bool {
	return slices.ContainsFunc(s.clocks, func(c *Clock) bool { return c.now != c.committed })
}

// flushTimes writes the clocks that have advanced into the batch.
func (s *Set) flushTimes(b Batch) {
	for _, c := range s.clocks {
		c.begun = c.now
		switch c.now {
		case c.committed:
		case never: // not among Options.Times
			b.Delete(clockKeyOf(c.name))
		default:
			b.Set(clockKeyOf(c.name), binary.BigEndian.AppendUint64(nil, uint64(c.now)))
		}
		c.flushed = c.now
	}
}

func clockKeyOf(name string) []byte { return append(slices.Clone(clockKey), name...) }
