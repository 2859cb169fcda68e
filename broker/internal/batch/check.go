package batch

import (
	"errors"
	"fmt"
	"io"
	"math"
)

// Check verifies one batch as a producer sends it: nothing comes behind it, its CRC is right, it holds what it says, and nothing that
// only a broker writes. The records are looked at if they are not compressed; Reader looks at those that are. It allocates nothing
// unless there is an error.
//
// ErrTruncated and ErrCRC are for what happens on the way (Kafka answers CORRUPT_MESSAGE), ErrMagic for clients before 0.11
// (UNSUPPORTED_FOR_MESSAGE_FORMAT) and ErrMalformed for what the producer got wrong (INVALID_RECORD).
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

// Verify is Check for a batch that lies in the log. Compaction may have taken records away, even all.
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

// intact reads the header of the one batch that is b. It looks at the CRC before it looks for nonsense, because a flipped bit is not the
// writer's mistake.
func intact(b []byte) (Header, error) {
	h, err := parse(b)
	if err != nil {
		return Header{}, err
	}
	if h.Size() != len(b) {
		return Header{}, fmt.Errorf("%w: %d bytes behind the batch", ErrMalformed, len(b)-h.Size())
	}
	if got := checksum(b); got != h.CRC {
		return Header{}, fmt.Errorf("%w: %08x, not %08x", ErrCRC, got, h.CRC)
	}
	if err := h.plausible(); err != nil {
		return Header{}, err
	}
	return h, nil
}

// plausible reports what no writer of a batch may write.
func (h *Header) plausible() error {
	if h.LastOffsetDelta < 0 || h.Count < 0 || int64(h.Count) > int64(h.LastOffsetDelta)+1 {
		return fmt.Errorf("%w: %d records, the last at +%d", ErrMalformed, h.Count, h.LastOffsetDelta)
	}
	if c := h.Attributes.Compression(); !c.known() {
		return fmt.Errorf("%w: %v is unknown", ErrMalformed, c)
	}
	return nil
}

// fromProducer reports what a broker or compaction may write, but no client.
func (h *Header) fromProducer() error {
	switch a := h.Attributes; {
	case h.Count-1 != h.LastOffsetDelta:
		return fmt.Errorf("%w: %d records, the last at +%d", ErrMalformed, h.Count, h.LastOffsetDelta)
	case a&(Control|LogAppendTime|DeleteHorizon) != 0:
		return fmt.Errorf("%w: attributes %#x are the broker's", ErrMalformed, int16(a))
	case h.Idempotent() && (h.ProducerEpoch < 0 || h.BaseSequence < 0):
		return fmt.Errorf("%w: producer %d has epoch %d and sequence %d", ErrMalformed, h.ProducerID, h.ProducerEpoch, h.BaseSequence)
	case a.Transactional() && !h.Idempotent():
		return fmt.Errorf("%w: transaction without a producer id", ErrMalformed)
	}
	return nil
}

// walk runs over the records, unless they are compressed.
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
