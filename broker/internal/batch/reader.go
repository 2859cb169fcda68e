package batch

// DefaultMaxSize is the default of Reader.MaxSize.
const DefaultMaxSize = 128 << 20

// retained is the largest buffer that a Reader keeps from one batch to the next.
const retained = 16 << 20

// Reader reads the records of one batch after another, and reuses its buffers. The zero Reader is ready for use. It
// does not check the CRC: Check and Verify do.
type Reader struct {
	MaxSize int // limit of the decompressed size in bytes; 0 means DefaultMaxSize

	decompressor decompressor
	buffer       []byte
	header       Header
	cursor       cursor
	record       Record
	err          error // the error that ended the batch
}

// Reset starts reading the batch at the start of b, and decompresses its records.
func (r *Reader) Reset(b []byte) (Header, error) {
	r.header, r.err = Parse(b)
	if r.err != nil {
		return Header{}, r.err
	}
	records := b[HeaderSize:r.header.Size()]
	// A batch that compaction has emptied keeps its compression type, but has no compressed data.
	if r.header.Attributes.Compression() != None && len(records) > 0 {
		if records, r.err = r.decompress(records); r.err != nil {
			return Header{}, r.err
		}
	}
	r.cursor = newCursor(records, &r.header)
	return r.header, nil
}

func (r *Reader) decompress(records []byte) ([]byte, error) {
	limit := r.MaxSize
	if limit <= 0 {
		limit = DefaultMaxSize
	}
	if cap(r.buffer) > retained {
		r.buffer = nil
	}
	var err error
	r.buffer, err = r.decompressor.append(r.buffer[:0], records, r.header.Attributes.Compression(), limit)
	return r.buffer, err
}

// Next returns the next record, and io.EOF after the last one. The record's bytes are valid until the next Reset, the
// Record itself until the next call of Next.
func (r *Reader) Next() (*Record, error) {
	if r.err != nil {
		return nil, r.err
	}
	c, h := &r.cursor, &r.header
	if r.err = c.next(); r.err != nil {
		return nil, r.err
	}
	r.record = Record{
		Offset:    h.BaseOffset + int64(c.offsetDelta),
		Timestamp: h.BaseTimestamp + c.timestampDelta,
		Key:       c.key.of(c.records),
		Value:     c.value.of(c.records),
		headers:   c.records[c.headers:c.at:c.at],
	}
	if h.Attributes.LogAppendTime() {
		r.record.Timestamp = h.MaxTimestamp
	}
	return &r.record, nil
}
