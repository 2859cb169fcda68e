package topology

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Suppression says how long Suppress holds changes back, and how many: make one with UntilWindowCloses or
// UntilTimeLimit.
type Suppression struct {
	closes, limited bool
	delay           time.Duration // the limit, or the grace after the end of a window
	graceGiven      bool
	records, bytes  int64
	early           bool

	end func(key []byte) int64 // of windows; set by Build
}

// UntilWindowCloses holds the changes of a window back until it has closed: until the time has passed its end and the
// grace, of a session its end, the gap and the grace. Then its last value leaves. A window that was deleted sends
// nothing.
//
// It is the buffer of Kafka Streams, whose sliding windows and sessions leave a millisecond before their aggregate
// considers them closed. A late record within that millisecond makes such a window leave again.
func UntilWindowCloses() Suppression {
	return Suppression{closes: true, records: math.MaxInt64, bytes: math.MaxInt64}
}

// UntilTimeLimit holds the changes of a key back for a duration after the timestamp of the first one. Then the last one
// leaves, be it a value or a tombstone.
func UntilTimeLimit(d time.Duration) Suppression {
	return Suppression{limited: true, delay: d, records: math.MaxInt64, bytes: math.MaxInt64}
}

// Grace sets the grace of windows that were not made in this topology, such as those of a table read from a topic; of
// sessions it includes the gap. The grace of others is known. Default: zero.
func (s Suppression) Grace(d time.Duration) Suppression {
	s.delay, s.graceGiven = d, true
	return s
}

// MaxRecords bounds the number of keys whose changes are held back in a partition. Default: no bound. If the buffer is
// full, the application stops, unless EmitEarlyWhenFull is set.
func (s Suppression) MaxRecords(n int64) Suppression {
	s.records = n
	return s
}

// MaxBytes bounds the bytes that are held back in a partition: of keys, values and headers, and some 32 bytes and the
// name of the input topic for each key. Default: no bound.
func (s Suppression) MaxBytes(n int64) Suppression {
	s.bytes = n
	return s
}

// EmitEarlyWhenFull makes the oldest changes leave early if the buffer is full.
func (s Suppression) EmitEarlyWhenFull() Suppression {
	s.early = true
	return s
}

// check returns the mistake in a suppression of a table with these windows and keys, "" if there is none.
func (s Suppression) check(windows Windows, keys codec.WindowedKeys) string {
	bounded := s.records < math.MaxInt64 || s.bytes < math.MaxInt64
	switch {
	case !s.closes && !s.limited:
		return "it needs topology.UntilWindowCloses or UntilTimeLimit"
	case s.delay < 0 || s.delay%time.Millisecond != 0:
		return fmt.Sprintf("%v must be whole milliseconds, and not negative", s.delay)
	case s.records < 0 || s.bytes < 0:
		return "MaxRecords and MaxBytes must not be negative"
	case s.early && !bounded:
		return "EmitEarlyWhenFull has no effect without MaxRecords or MaxBytes"
	case s.early && s.closes:
		return "EmitEarlyWhenFull would emit windows before they close: use UntilTimeLimit"
	case s.graceGiven && (s.limited || windows.windowed()):
		return "Grace is for windows that were not made in this topology, until they close"
	case s.limited:
		return ""
	case keys == nil:
		return "the keys of the table have no windows that could close: use UntilTimeLimit"
	case windows.kind == unlimitedWindows:
		return "an unlimited window never closes"
	case !windows.windowed() && keys.Windows().Kind == codec.ByStart && endOf(keys) == nil:
		return "the codec of the keys does not know where the windows end: use topology.WindowCodec"
	}
	return ""
}

// endOf returns the function for the ends of windows by their starts; nil if the codec does not know them.
func endOf(keys codec.WindowedKeys) func(start time.Time) time.Time {
	if known, ok := keys.(interface {
		EndOf(start time.Time) time.Time
	}); ok && !known.EndOf(time.UnixMilli(0)).IsZero() {
		return known.EndOf
	}
	return nil
}

// resolveSuppression checks a suppression and completes it for the windows of a table.
func (b *Builder) resolveSuppression(n *plan.Node, s Suppression, windows Windows, keys codec.WindowedKeys) Suppression {
	if why := s.check(windows, keys); why != "" {
		b.mistake(n.Where, "%s: %s", n.Label(), why)
		return s
	}
	if !s.closes {
		return s
	}
	if windows.windowed() {
		s.delay = windows.grace
	}
	if windows.kind == sessionWindows {
		s.delay += windows.size
	}
	if keys.Windows().Kind == codec.ByEndAndStart {
		s.end = func(key []byte) int64 { return int64(binary.BigEndian.Uint64(key[len(key)-16:])) }
		return s
	}
	end := endOf(keys)
	s.end = func(key []byte) int64 {
		start := int64(binary.BigEndian.Uint64(key[len(key)-8:]))
		return end(time.UnixMilli(start)).UnixMilli()
	}
	return s
}

// suppressor holds changes back in one task.
type suppressor struct {
	host   plan.Host
	node   *plan.Node
	time   *plan.Time
	buffer *state.Buffer
	until  Suppression
	emit   func(key []byte, c *state.Buffered) error
}

func newSuppressor(l *plan.Linker, n *plan.Node, def *state.BufferDefinition, until Suppression) *suppressor {
	return &suppressor{host: l.Host, node: n, time: l.Time(n), buffer: def.In(l.Host), until: until}
}

// hold puts a change into the buffer, and emits the changes that are due.
func (s *suppressor) hold(key []byte, c *state.Buffered) error {
	now, err := s.time.Advance(c.Timestamp)
	if err != nil {
		return err
	}
	c.Time = c.Timestamp
	if s.until.closes {
		c.Time = s.until.end(key)
	}
	origin := s.host.Origin()
	c.Topic, c.Partition, c.Offset = origin.Topic, origin.Partition, origin.Offset
	headers, _ := s.host.Inherit()
	for _, h := range headers {
		c.Headers = append(c.Headers, state.BufferedHeader(h))
	}
	if err := s.buffer.Put(key, c); err != nil {
		return err
	}
	due := now - s.until.delay.Milliseconds()
	for {
		first, found, err := s.buffer.First()
		if err != nil {
			return err
		}
		if !found || first > due {
			return s.bound()
		}
		if err := s.release(); err != nil {
			return err
		}
	}
}

// bound keeps the bounds of the buffer.
func (s *suppressor) bound() error {
	for {
		records, bytes, err := s.buffer.Len()
		switch {
		case err != nil:
			return err
		case records == 0 || int64(records) <= s.until.records && bytes <= s.until.bytes:
			return nil
		case !s.until.early:
			return &state.Error{Store: s.node.Name, Err: fmt.Errorf("%s (%s) is full: it holds back the changes of %d keys, %d bytes; raise MaxRecords or MaxBytes, or set EmitEarlyWhenFull", s.node.Label(), s.node.Where, records, bytes)}
		}
		if err := s.release(); err != nil {
			return err
		}
	}
}

// release removes the first change from the buffer and emits it.
func (s *suppressor) release() error {
	return s.buffer.TakeFirst(func(key []byte, c *state.Buffered) error {
		if s.until.closes && c.New == nil {
			return nil
		}
		var headers []processor.Header
		for _, h := range c.Headers {
			headers = append(headers, processor.Header(h))
		}
		return s.host.As(headers, c.Timestamp, func() error { return s.emit(key, c) })
	})
}
