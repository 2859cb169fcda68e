package batch

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// Check verifies one batch as a producer sends it: no bytes follow it, its CRC is right, its contents are consistent,
// and it has nothing that only a broker may write. It checks uncompressed records; Reader checks compressed ones. It
// does not allocate unless there is an error.
//
// ErrTruncated and ErrCRC mean damage in transit (Kafka answers CORRUPT_MESSAGE), ErrMagic a client before 0.11
// (UNSUPPORTED_FOR_MESSAGE_FORMAT), and ErrMalformed a mistake of the producer (INVALID_RECORD).
func Check(b []byte) (Header, error) {
	h, err := intact(b)
	if err != nil {
		return Header{}, err
	}
	if err := h.fromProducer(); err != nil {
		return Header{}, err
	}
	return h, walk(b, &h)
}

// Verify is like Check for a batch in the log. Compaction may have removed records, even all.
func Verify(b []byte) (Header, error) {
	h, err := intact(b)
	if err != nil {
		return Header{}, err
	}
	if h.BaseOffset < 0 || h.BaseOffset > math.MaxInt64-int64(h.LastOffsetDelta) {
		return Header{}, fmt.Errorf("%w: base offset %d", ErrMalformed, h.BaseOffset)
	}
	return h, walk(b, &h)
}

// intact decodes the header of b, which is one batch. It checks the CRC before the contents, because a flipped bit is
// not a mistake of the writer.
func intact(b []byte) (Header, error) {
	h, err := parse(b)
	if err != nil {
		return Header{}, err
	}
	if h.Size() != len(b) {
		return Header{}, fmt.Errorf("%w: %d bytes after the batch", ErrMalformed, len(b)-h.Size())
	}
	if got := checksum(b); got != h.CRC {
		return Header{}, fmt.Errorf("%w: %08x, want %08x", ErrCRC, got, h.CRC)
	}
	if err := h.plausible(); err != nil {
		return Header{}, err
	}
	return h, nil
}

// plausible returns an error if no writer may write such a header.
func (h *Header) plausible() error {
	if h.LastOffsetDelta < 0 || h.Count < 0 || int64(h.Count) > int64(h.LastOffsetDelta)+1 {
		return fmt.Errorf("%w: %d records, the last at +%d", ErrMalformed, h.Count, h.LastOffsetDelta)
	}
	if c := h.Attributes.Compression(); !c.known() {
		return fmt.Errorf("%w: unknown compression %v", ErrMalformed, c)
	}
	return nil
}

// fromProducer returns an error if a broker or compaction may write such a header, but no client.
func (h *Header) fromProducer() error {
	switch a := h.Attributes; {
	case h.Count-1 != h.LastOffsetDelta:
		return fmt.Errorf("%w: %d records, the last at +%d", ErrMalformed, h.Count, h.LastOffsetDelta)
	case a&(Control|LogAppendTime|DeleteHorizon) != 0:
		return fmt.Errorf("%w: attributes %#x are reserved for the broker", ErrMalformed, int16(a))
	case h.Idempotent() && (h.ProducerEpoch < 0 || h.BaseSequence < 0):
		return fmt.Errorf("%w: producer %d has epoch %d and sequence %d", ErrMalformed, h.ProducerID, h.ProducerEpoch, h.BaseSequence)
	case a.Transactional() && !h.Idempotent():
		return fmt.Errorf("%w: transaction without a producer id", ErrMalformed)
	}
	return nil
}

// walk checks the records, unless they are compressed.
func walk(b []byte, h *Header) error {
	if h.Attributes.Compression() != None {
		return nil
	}
	c := newCursor(b[HeaderSize:], h)
	for {
		if err := c.next(); err != nil {
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
	}
}
