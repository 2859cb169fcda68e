package state

import (
	"encoding/binary"
	"fmt"
	"math"
)

// layout defines the bytes of a key. A key has three forms:
//
//	encoded    what the key codec writes
//	physical   the key of the row in the database, after the prefix of the store
//	changelog  the key of the changelog record, as Kafka Streams writes it
//
// In a key-value store all three are the same. In a store of windows they are, with start in ms since 1970, 8 bytes BE,
//
//	encoded             | key …         | start |
//	changelog           | key …         | start | 0 0 0 0 |      a sequence number, always 0
//	physical, by start  | start ^ sign  | key … |                rows of one start are adjacent
//	physical, by key    | bucket ^ sign | key … | start |        rows of one key within a bucket are adjacent
//
// in a store of sessions, with end and start of the session,
//
//	encoded, changelog  | key … | end | start |
//	physical            | bucket of end ^ sign | key … | end | start |
//
// and in a store of several rows per key and time, with the time instead of a start,
//
//	encoded, changelog  | key … | time | sequence number, 4 bytes BE |
//	physical            | bucket ^ sign | key … | time | sequence number |
//
// where a bucket is a time range identified by its first millisecond, a multiple of its width. All physical forms
// begin with a time, so that all expired windows are one range. The sign bit of the leading time is flipped so that
// times before 1970 sort before later ones. (No bucket contains both, so the time after the key needs no flipping.)
type layout struct {
	kind   kind
	bucket int64 // byKey, bySession and bySequence: width of a bucket in ms
}

// kind is how the rows of a store are arranged.
type kind uint8

const (
	plain      kind = iota // no windows
	byStart                // windows by start
	byKey                  // windows by key within a bucket
	bySession              // sessions by key within a bucket
	bySequence             // several rows per key and time, by key within a bucket
)

const (
	timeSize     = 8
	sequenceSize = 4
	signBit      = 1 << 63
)

// appendTime appends a time so that bytes sort like times.
func appendTime(dst []byte, ms int64) []byte {
	return binary.BigEndian.AppendUint64(dst, uint64(ms)^signBit)
}

// readTime decodes what appendTime wrote.
func readTime(data []byte) int64 { return int64(binary.BigEndian.Uint64(data) ^ signBit) }

// lead returns the time at the beginning of the physical key of a window, given its time.
func (l layout) lead(time int64) int64 {
	if l.kind == byStart {
		return time
	}
	into := time % l.bucket
	if into < 0 {
		into += l.bucket
	}
	if time < math.MinInt64+into {
		return math.MinInt64
	}
	return time - into
}

// stamp returns the timestamp of the changelog record of a row. It is at least the time of the window, so that the
// changelog before the horizon of a store can be deleted by time.
func (l layout) stamp(physical []byte, timestamp int64) int64 {
	if l.kind == plain {
		return timestamp
	}
	return max(timestamp, l.time(physical))
}

// time returns the time by which a window is found and expires, given its physical key: its start, or the end of a
// session.
func (l layout) time(physical []byte) int64 {
	if l.kind == byStart {
		return readTime(physical)
	}
	return int64(binary.BigEndian.Uint64(physical[len(physical)-l.suffix():]))
}

// suffix is the number of bytes after the key in an encoded key.
func (l layout) suffix() int {
	switch l.kind {
	case plain:
		return 0
	case bySession:
		return 2 * timeSize
	case bySequence:
		return timeSize + sequenceSize
	}
	return timeSize
}

// sequence is the number of bytes that a changelog key has after the encoded key.
func (l layout) sequence() int {
	if l.kind == byStart || l.kind == byKey {
		return sequenceSize
	}
	return 0
}

// arrange converts dst[head:], which has eight spare bytes followed by an encoded key, into a physical key.
func (l layout) arrange(dst []byte, head int) ([]byte, error) {
	tail := len(dst) - l.suffix()
	if tail < head+timeSize {
		return dst, fmt.Errorf("the key of %s ends in %d bytes of time; the key codec wrote only %d bytes", l.noun(), l.suffix(), len(dst)-head-timeSize)
	}
	appendTime(dst[:head], l.lead(int64(binary.BigEndian.Uint64(dst[tail:]))))
	if l.kind == byStart {
		return dst[:tail], nil
	}
	return dst, nil
}

// noun returns "a window" or "a session".
func (l layout) noun() string {
	if l.kind == bySession {
		return "a session"
	}
	return "a window"
}

// appendEncoded appends the encoded form of a physical key.
func (l layout) appendEncoded(dst, physical []byte) []byte {
	switch l.kind {
	case plain:
		return append(dst, physical...)
	case byKey, bySession, bySequence:
		return append(dst, physical[timeSize:]...)
	}
	dst = append(dst, physical[timeSize:]...)
	return binary.BigEndian.AppendUint64(dst, uint64(readTime(physical)))
}

// appendChangelog appends the changelog form of a physical key.
func (l layout) appendChangelog(dst, physical []byte) []byte {
	return append(l.appendEncoded(dst, physical), make([]byte, l.sequence())...)
}

// appendRestored appends the physical form of a changelog key.
func (l layout) appendRestored(dst, changelog []byte) ([]byte, error) {
	if l.kind == plain {
		return append(dst, changelog...), nil
	}
	n := len(changelog) - l.sequence()
	if n < l.suffix() {
		return dst, fmt.Errorf("the changelog key of %s has at least %d bytes, got %d", l.noun(), l.suffix()+l.sequence(), len(changelog))
	}
	head := len(dst)
	dst = append(appendTime(dst, 0), changelog[:n]...)
	return l.arrange(dst, head)
}

// check returns an error if a physical key from the database cannot have this layout.
func (l layout) check(physical []byte) error {
	least := timeSize
	switch l.kind {
	case plain:
		least = 0
	case byKey, bySession, bySequence:
		least += l.suffix()
	}
	if len(physical) < least {
		return fmt.Errorf("a key has at least %d bytes, got %d: %w", least, len(physical), ErrDamaged)
	}
	return nil
}
