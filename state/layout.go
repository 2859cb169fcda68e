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
// and in a store of several rows per key and time, with the time instead of a start,
//
//	encoded, changelog  | key … | time | sequence number, 4 bytes BE |
//	physical            | bucket ^ sign | key … | time | sequence number |
//
// where a bucket is a time range identified by its first millisecond, a multiple of its width. Both physical forms
// begin with the time, so that all expired windows are one range. The sign bit of the leading time is flipped so that
// times before 1970 sort before later ones. (No bucket contains both, so the start after the key needs no flipping.)
type layout struct {
	kind   kind
	bucket int64 // byKey and bySequence: width of a bucket in ms
}

// kind is how the rows of a store are arranged.
type kind uint8

const (
	plain      kind = iota // no windows
	byStart                // windows by start
	byKey                  // windows by key within a bucket
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

// lead returns the time at the beginning of the physical key of a window.
func (l layout) lead(start int64) int64 {
	if l.kind == byStart {
		return start
	}
	into := start % l.bucket
	if into < 0 {
		into += l.bucket
	}
	if start < math.MinInt64+into {
		return math.MinInt64
	}
	return start - into
}

// stamp returns the timestamp of the changelog record of a row. It is at least the start of the window, so that the
// changelog before the horizon of a store can be deleted by time.
func (l layout) stamp(physical []byte, timestamp int64) int64 {
	if l.kind == plain {
		return timestamp
	}
	return max(timestamp, l.start(physical))
}

// start returns the start of a window from its physical key.
func (l layout) start(physical []byte) int64 {
	if l.kind == byStart {
		return readTime(physical)
	}
	return int64(binary.BigEndian.Uint64(physical[len(physical)-l.suffix():]))
}

// suffix is the number of bytes after the key in the encoded key of a window.
func (l layout) suffix() int {
	if l.kind == bySequence {
		return timeSize + sequenceSize
	}
	return timeSize
}

// arrange converts dst[head:], which has eight spare bytes followed by an encoded key, into a physical key.
func (l layout) arrange(dst []byte, head int) ([]byte, error) {
	tail := len(dst) - l.suffix()
	if tail < head+timeSize {
		return dst, fmt.Errorf("a window's key ends in %d bytes of time; the key codec wrote only %d bytes", l.suffix(), len(dst)-head-timeSize)
	}
	start := int64(binary.BigEndian.Uint64(dst[tail:]))
	appendTime(dst[:head], l.lead(start))
	if l.kind == byStart {
		return dst[:tail], nil
	}
	return dst, nil
}

// appendEncoded appends the encoded form of a physical key.
func (l layout) appendEncoded(dst, physical []byte) []byte {
	switch l.kind {
	case plain:
		return append(dst, physical...)
	case byKey, bySequence:
		return append(dst, physical[timeSize:]...)
	}
	dst = append(dst, physical[timeSize:]...)
	return binary.BigEndian.AppendUint64(dst, uint64(readTime(physical)))
}

// appendChangelog appends the changelog form of a physical key.
func (l layout) appendChangelog(dst, physical []byte) []byte {
	dst = l.appendEncoded(dst, physical)
	if l.kind == byStart || l.kind == byKey {
		dst = append(dst, 0, 0, 0, 0)
	}
	return dst
}

// appendRestored appends the physical form of a changelog key.
func (l layout) appendRestored(dst, changelog []byte) ([]byte, error) {
	if l.kind == plain {
		return append(dst, changelog...), nil
	}
	if len(changelog) < timeSize+sequenceSize {
		return dst, fmt.Errorf("a window's changelog key has at least 12 bytes, got %d", len(changelog))
	}
	n := len(changelog)
	if l.kind != bySequence {
		n -= sequenceSize
	}
	head := len(dst)
	dst = append(appendTime(dst, 0), changelog[:n]...)
	return l.arrange(dst, head)
}

// check returns an error if a physical key from the database cannot have this layout.
func (l layout) check(physical []byte) error {
	least := 0
	switch l.kind {
	case byKey, bySequence:
		least = timeSize + l.suffix()
	case byStart:
		least = timeSize
	}
	if len(physical) < least {
		return fmt.Errorf("a key has at least %d bytes, got %d: %w", least, len(physical), ErrDamaged)
	}
	return nil
}
