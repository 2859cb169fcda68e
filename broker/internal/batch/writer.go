package batch

import (
	"encoding/binary"
	"math"
)

// Writer builds batches, one after another, and keeps its buffers. The zero Writer is ready for Reset.
type Writer struct {
	// Header is the header of the batch. Until the first record it may be changed; after Finish it is what was written.
	Header Header

	plain      []byte // room for a header, and the records
	packed     []byte // room for a header, and the records compressed
	compressor compressor
	headers    []byte // of the record that is appended
	newest     int64  // timestamp
}

// Reset starts a batch with the identity of h: its base offset, leader epoch, attributes and producer. Finish computes the rest.
//
// With LogAppendTime, h.MaxTimestamp is the time of all records. With DeleteHorizon, h.BaseTimestamp stays. Both stay if no record comes.
func (w *Writer) Reset(h Header) {
	w.Header = h
	w.Header.Count = 0
	if w.plain == nil {
		w.plain = make([]byte, HeaderSize)
	}
	w.plain = w.plain[:HeaderSize]
	w.newest = math.MinInt64
}

// Append adds a record. Offsets increase; the first may be beyond the base offset. A nil key or value is null.
func (w *Writer) Append(offset, timestamp int64, key, value []byte, headers []RecordHeader) {
	w.headers = appendHeaders(w.headers[:0], headers)
	w.AppendRecord(&Record{Offset: offset, Timestamp: timestamp, Key: key, Value: value, headers: w.headers})
}

// noHeaders is their count.
var noHeaders = []byte{0}

// AppendRecord adds a record that a Reader returned, with its headers, which it does not look at.
func (w *Writer) AppendRecord(r *Record) {
	h := &w.Header
	if h.Count == 0 && !h.Attributes.DeleteHorizon() {
		h.BaseTimestamp = r.Timestamp
	}
	h.Count++
	w.newest = max(w.newest, r.Timestamp)
	headers := r.headers
	if len(headers) == 0 {
		headers = noHeaders
	}
	timestampDelta, offsetDelta := r.Timestamp-h.BaseTimestamp, r.Offset-h.BaseOffset
	size := 1 + varintSize(timestampDelta) + varintSize(offsetDelta) + spanSize(r.Key) + spanSize(r.Value) + len(headers)
	b := binary.AppendVarint(w.plain, int64(size))
	b = append(b, 0) // attributes
	b = binary.AppendVarint(b, timestampDelta)
	b = binary.AppendVarint(b, offsetDelta)
	b = appendSpan(b, r.Key)
	b = appendSpan(b, r.Value)
	w.plain = append(b, headers...)
}

// Len returns how many records the batch has so far.
func (w *Writer) Len() int { return int(w.Header.Count) }

// Size returns how many bytes the batch would have so far without compression.
func (w *Writer) Size() int { return max(HeaderSize, len(w.plain)) }

// Finish ends the batch, which takes all offsets up to lastOffset, whether it has records for them or not. The bytes are valid until
// the next Reset. A batch without records has no compression.
func (w *Writer) Finish(lastOffset int64) []byte {
	h := &w.Header
	h.LastOffsetDelta = int32(lastOffset - h.BaseOffset)
	if h.Count > 0 && !h.Attributes.LogAppendTime() {
		h.MaxTimestamp = w.newest
	}
	how := h.Attributes.Compression()
	if h.Count == 0 || !how.known() {
		how = None
		h.Attributes = h.Attributes.WithCompression(None)
	}
	b := w.plain
	if how != None {
		w.packed = w.compressor.append(append(w.packed[:0], w.plain[:HeaderSize]...), w.plain[HeaderSize:], how)
		b = w.packed
	}
	h.Length = int32(len(b) - frameSize)
	h.encode(b)
	h.CRC = checksum(b)
	binary.BigEndian.PutUint32(b[crcAt:], h.CRC)
	return b
}
