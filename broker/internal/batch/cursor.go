package batch

import (
	"fmt"
	"io"
)

// A record is
//
//	length          varint   of what follows
//	attributes      1 byte   unused
//	timestampDelta  varlong  to the batch's base timestamp
//	offsetDelta     varint   to the batch's base offset
//	key             varint length, -1 for null, and as many bytes
//	value           varint length, -1 for null, and as many bytes
//	headers         varint count, and for each a key (never null) and a value like those above
//
// cursor iterates over the uncompressed records of one batch, and finds the positions of their parts without copying or
// allocating. It is the only decoder of records: Check validates batches with it, and Reader returns what it finds.
//
// Offset deltas increase and stay within the batch, so the records of a complete batch have deltas 0, 1, 2 and so on.
type cursor struct {
	records         []byte
	left            int32 // remaining records
	lastOffsetDelta int32

	at             int // end of the current record, start of the next
	offsetDelta    int32
	timestampDelta int64
	key, value     span
	headers        int // start of the headers, which end with the record
}

// span is a range of the records.
type span struct {
	from, to int // from is negative for null
}

func (s span) of(b []byte) []byte {
	if s.from < 0 {
		return nil
	}
	return b[s.from:s.to:s.to]
}

func newCursor(records []byte, h *Header) cursor {
	return cursor{records: records, left: h.Count, lastOffsetDelta: h.LastOffsetDelta, offsetDelta: -1}
}

// next moves to the next record. After the last one it returns io.EOF, or an error if bytes are left over.
func (c *cursor) next() error {
	if c.left == 0 {
		if c.at != len(c.records) {
			return fmt.Errorf("%w: %d bytes after the last record", ErrMalformed, len(c.records)-c.at)
		}
		return io.EOF
	}
	before := c.offsetDelta
	if problem := c.scan(); problem != "" {
		return fmt.Errorf("%w: record at byte %d: %s", ErrMalformed, c.at, problem)
	}
	if c.offsetDelta <= before || c.offsetDelta > c.lastOffsetDelta {
		return fmt.Errorf("%w: record at +%d follows +%d in a batch that ends at +%d", ErrMalformed, c.offsetDelta, before, c.lastOffsetDelta)
	}
	c.left--
	return nil
}

// scan decodes the record at c.at and moves past it, or returns what is wrong with it.
func (c *cursor) scan() (problem string) {
	length, at := varint(c.records, c.at)
	if at < 0 || length < 1 || int(length) > len(c.records)-at {
		return "its length is wrong"
	}
	b := c.records[:at+int(length)]
	c.timestampDelta, at = varlong(b, at+1)
	c.offsetDelta, at = varint(b, at)
	if c.key, at = readSpan(b, at); at < 0 {
		return "no timestamp, offset or key"
	}
	if c.value, at = readSpan(b, at); at < 0 {
		return "no value"
	}
	c.headers = at
	if at = skipHeaders(b, at); at < 0 {
		return "no headers"
	}
	if at != len(b) {
		return "longer than its parts"
	}
	c.at = len(b)
	return ""
}

// readSpan reads a length and the span after it. next is the position after the span, -1 if there is no valid one.
func readSpan(b []byte, at int) (s span, next int) {
	n, at := varint(b, at)
	switch {
	case at < 0 || n < -1 || int(n) > len(b)-at:
		return span{}, -1
	case n < 0:
		return span{from: -1}, at
	}
	return span{at, at + int(n)}, at + int(n)
}

// skipHeaders returns the end of the headers that begin at b[at], or -1.
func skipHeaders(b []byte, at int) int {
	if uint(at) < uint(len(b)) && b[at] == 0 {
		return at + 1
	}
	n, at := varint(b, at)
	if n < 0 {
		return -1
	}
	var key span
	for ; n > 0 && at >= 0; n-- {
		if key, at = readSpan(b, at); key.from < 0 {
			return -1
		}
		_, at = readSpan(b, at)
	}
	return at
}
