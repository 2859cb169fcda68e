package state

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
)

// LatestTime is the latest time that a record or a row may have, in milliseconds since 1970: in the year 2262, where the nanoseconds of
// an int64 end, in which Kafka clients count on the way. The earliest is 0.
const LatestTime = math.MaxInt64 / 1_000_000

// never is a time before every record.
const never = math.MinInt64

// Times holds the times of clocks by their names, in milliseconds since 1970. The empty name stands for all clocks without an
// entry of their own; a clock that has none either begins anew.
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

// Clock is the time of an operator, or of a store of windows: the greatest event time of the records that have reached it. Its
// set takes it back when a record fails and keeps it with the rows. Only the task's goroutine uses it.
type Clock struct {
	name               string
	now                int64
	begun              int64 // at the last Begin
	flushed, committed int64 // at the last Flush, and at the last one that was committed
}

// newClock makes a clock that has not seen a record.
func newClock(name string) *Clock {
	return &Clock{name: name, now: never, begun: never, flushed: never, committed: never}
}

// Advance moves the clock to the time of a record, in milliseconds since 1970, and returns the clock's time: the greatest so far.
func (c *Clock) Advance(timestamp int64) int64 {
	c.now = max(c.now, timestamp)
	return c.now
}

// Clock returns the clock of an operator. The name stands for the operator in all runs of the application and is not that of a
// store. The clock goes on where the last commit left it.
func (s *Set) Clock(name string) (*Clock, error) {
	for _, c := range s.clocks {
		if c.name == name {
			return c, nil
		}
	}
	c := newClock(name)
	return c, s.adopt(c)
}

// adopt sets a clock to its time at the last commit. If the owner knows no times, it is what the database has.
func (s *Set) adopt(c *Clock) error {
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

// readClock returns the time that a database has for a clock.
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

// Times calls each with the clocks that have a time, in the order in which they were opened. They belong into the
// commit of the offsets up to which the set has worked; Options.Times takes it back.
func (s *Set) Times(each func(name string, ms int64)) {
	for _, c := range s.clocks {
		if c.now != never {
			each(c.name, c.now)
		}
	}
}

// TimesMoved reports whether a clock has moved since the last commit.
func (s *Set) TimesMoved() bool {
	return slices.ContainsFunc(s.clocks, func(c *Clock) bool { return c.now != c.committed })
}

// flushTimes writes the clocks that have moved into the batch.
func (s *Set) flushTimes(b Batch) {
	for _, c := range s.clocks {
		c.begun = c.now
		switch c.now {
		case c.committed:
		case never: // the owner knows better than the database
			b.Delete(clockKeyOf(c.name))
		default:
			b.Set(clockKeyOf(c.name), binary.BigEndian.AppendUint64(nil, uint64(c.now)))
		}
		c.flushed = c.now
	}
}

func clockKeyOf(name string) []byte { return append(slices.Clone(clockKey), name...) }
