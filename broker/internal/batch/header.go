package batch

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
)

// HeaderSize is the size of the batch header in bytes.
const HeaderSize = 61

// Positions of the header fields. All are big-endian.
const (
	baseOffsetAt      = 0
	lengthAt          = 8
	leaderEpochAt     = 12
	magicAt           = 16
	crcAt             = 17
	attributesAt      = 21 // the CRC covers everything from here on
	lastOffsetDeltaAt = 23
	baseTimestampAt   = 27
	maxTimestampAt    = 35
	producerIDAt      = 43
	producerEpochAt   = 51
	baseSequenceAt    = 53
	countAt           = 57
)

// frameSize is the size of the part that Length does not count.
const frameSize = leaderEpochAt

const magic = 2

// The errors of this package wrap one of these.
var (
	ErrTruncated = errors.New("batch: truncated")              // fewer bytes than its length
	ErrMagic     = errors.New("batch: not of magic 2")         // a message set of Kafka before 0.11
	ErrCRC       = errors.New("batch: CRC does not match")     // bytes changed in transit or on the disk
	ErrMalformed = errors.New("batch: malformed")              // the bytes are undamaged, but invalid
	ErrTooLarge  = errors.New("batch: too large uncompressed") // more than Reader.MaxSize
)

// Header is the fixed part of a batch. Timestamps are milliseconds since 1970.
type Header struct {
	BaseOffset      int64
	Length          int32 // bytes of the batch after its first 12
	LeaderEpoch     int32
	CRC             uint32 // Castagnoli CRC of everything from the attributes on
	Attributes      Attributes
	LastOffsetDelta int32
	BaseTimestamp   int64 // base of the records' timestamp deltas
	MaxTimestamp    int64
	ProducerID      int64 // -1 for none
	ProducerEpoch   int16
	BaseSequence    int32
	Count           int32 // number of records
}

// Size returns the size of the batch in bytes.
func (h *Header) Size() int { return frameSize + int(h.Length) }

// LastOffset returns the last offset of the batch, whether its record still exists or was compacted away.
func (h *Header) LastOffset() int64 { return h.BaseOffset + int64(h.LastOffsetDelta) }

// LastSequence returns the sequence number of the last record, which wraps to 0 after the largest int32; -1 for a batch
// without a base sequence.
func (h *Header) LastSequence() int32 {
	if h.BaseSequence < 0 {
		return -1
	}
	return int32((int64(h.BaseSequence) + int64(h.LastOffsetDelta)) & math.MaxInt32)
}

// Idempotent reports whether the batch has a producer id, so that duplicates can be recognized.
func (h *Header) Idempotent() bool { return h.ProducerID >= 0 }

// Parse decodes the header of the batch at the start of b, which must hold the whole batch and may hold more. It checks
// neither the CRC nor the records.
func Parse(b []byte) (Header, error) {
	h, err := parse(b)
	if err != nil {
		return Header{}, err
	}
	if err := h.plausible(); err != nil {
		return Header{}, err
	}
	return h, nil
}

// parse is like Parse without checking the contents.
func parse(b []byte) (Header, error) {
	if len(b) <= magicAt {
		return Header{}, fmt.Errorf("%w: %d bytes are too few for a header", ErrTruncated, len(b))
	}
	if b[magicAt] != magic {
		return Header{}, fmt.Errorf("%w but %d", ErrMagic, int8(b[magicAt]))
	}
	length := int32(binary.BigEndian.Uint32(b[lengthAt:]))
	if length < HeaderSize-frameSize || length > math.MaxInt32-frameSize {
		return Header{}, fmt.Errorf("%w: length %d", ErrMalformed, length)
	}
	if len(b) < frameSize+int(length) {
		return Header{}, fmt.Errorf("%w: %d bytes of %d", ErrTruncated, len(b), frameSize+int(length))
	}
	return decode(b), nil
}

func decode(b []byte) Header {
	b = b[:HeaderSize]
	return Header{
		BaseOffset:      int64(binary.BigEndian.Uint64(b[baseOffsetAt:])),
		Length:          int32(binary.BigEndian.Uint32(b[lengthAt:])),
		LeaderEpoch:     int32(binary.BigEndian.Uint32(b[leaderEpochAt:])),
		CRC:             binary.BigEndian.Uint32(b[crcAt:]),
		Attributes:      Attributes(binary.BigEndian.Uint16(b[attributesAt:])),
		LastOffsetDelta: int32(binary.BigEndian.Uint32(b[lastOffsetDeltaAt:])),
		BaseTimestamp:   int64(binary.BigEndian.Uint64(b[baseTimestampAt:])),
		MaxTimestamp:    int64(binary.BigEndian.Uint64(b[maxTimestampAt:])),
		ProducerID:      int64(binary.BigEndian.Uint64(b[producerIDAt:])),
		ProducerEpoch:   int16(binary.BigEndian.Uint16(b[producerEpochAt:])),
		BaseSequence:    int32(binary.BigEndian.Uint32(b[baseSequenceAt:])),
		Count:           int32(binary.BigEndian.Uint32(b[countAt:])),
	}
}

// encode writes h to the start of b.
func (h *Header) encode(b []byte) {
	b = b[:HeaderSize]
	binary.BigEndian.PutUint64(b[baseOffsetAt:], uint64(h.BaseOffset))
	binary.BigEndian.PutUint32(b[lengthAt:], uint32(h.Length))
	binary.BigEndian.PutUint32(b[leaderEpochAt:], uint32(h.LeaderEpoch))
	b[magicAt] = magic
	binary.BigEndian.PutUint32(b[crcAt:], h.CRC)
	binary.BigEndian.PutUint16(b[attributesAt:], uint16(h.Attributes))
	binary.BigEndian.PutUint32(b[lastOffsetDeltaAt:], uint32(h.LastOffsetDelta))
	binary.BigEndian.PutUint64(b[baseTimestampAt:], uint64(h.BaseTimestamp))
	binary.BigEndian.PutUint64(b[maxTimestampAt:], uint64(h.MaxTimestamp))
	binary.BigEndian.PutUint64(b[producerIDAt:], uint64(h.ProducerID))
	binary.BigEndian.PutUint16(b[producerEpochAt:], uint16(h.ProducerEpoch))
	binary.BigEndian.PutUint32(b[baseSequenceAt:], uint32(h.BaseSequence))
	binary.BigEndian.PutUint32(b[countAt:], uint32(h.Count))
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// checksum returns the CRC of the batch b. No bytes may follow it.
func checksum(b []byte) uint32 { return crc32.Checksum(b[attributesAt:], castagnoli) }
