package batch

import (
	"encoding/binary"
	"math"
)

// Writer builds one batch after another, and reuses its buffers. The zero Writer is ready for Reset.
type Writer struct {
	// Header is the header of the batch. It may be changed until the first record; after Finish it is the header that
	// was written.
	Header Header

	plain      []byte // space for a header, then the records
	packed     []byte // space for a header, then the compressed records
	compressor compressor
	headers    []byte // of the record being appended
	newest     int64  // largest timestamp
}

// Reset starts a batch with the base offset, leader epoch, attributes and producer of h. Finish computes the rest.
//
// With LogAppendTime, h.MaxTimestamp is the timestamp of all records. With DeleteHorizon, h.BaseTimestamp is kept. Both
// are kept if the batch has no records.
func (w *Writer) Reset(h Header) {
	w.Header = h
	w.Header.Count = 0
	if w.plain == nil {
		w.plain = make([]byte, HeaderSize)
	}
	w.plain = w.plain[:HeaderSize]
	w.newest = math.MinInt64
}

// Append adds a record. Offsets must increase; the first may be after the base offset. A nil key or value is null.
func (w *Writer) Append(offset, timestamp int64, key, value []byte, headers []RecordHeader) {
	w.headers = appendHeaders(w.headers[:0], headers)
	w.AppendRecord(&Record{Offset: offset, Timestamp: timestamp, Key: key, Value: value, headers: w.headers})
}

// noHeaders is the encoding of an empty list of headers.
var noHeaders = []byte{0}

// AppendRecord adds a record returned by a Reader. It copies the headers without decoding them.
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

// Len returns the number of records so far.
func (w *Writer) Len() int { return int(w.Header.Count) }

// Size returns the uncompressed size of the batch so far.
func (w *Writer) Size() int { return max(HeaderSize, len(w.plain)) }

// Finish ends the batch, which covers all offsets up to lastOffset, with or without records. The bytes are valid until
// the next Reset. A batch without records is not compressed.
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
