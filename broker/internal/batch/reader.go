package batch

// DefaultMaxSize is what Reader.MaxSize is if it is not said.
const DefaultMaxSize = 128 << 20

// retained is the largest buffer that a Reader keeps from one batch to the next.
const retained = 16 << 20

// Reader reads the records of batches, one batch after another, and keeps its buffers. The zero Reader is ready. It does not look at
// the CRC: Check and Verify do.
type Reader struct {
	MaxSize int // bytes that the records of a compressed batch may take; 0 is DefaultMaxSize

	decompressor decompressor
	buffer       []byte
	header       Header
	cursor       cursor
	record       Record
	err          error // what ended the batch
}

// Reset turns to the batch at the start of b, and decompresses its records.
func (r *Reader) Reset(b []byte) (Header, error) {
	r.header, r.err = Parse(b)
	if r.err != nil {
		return Header{}, r.err
	}
	records := b[HeaderSize:r.header.Size()]
	// A batch that compaction has emptied says how its records were compressed, but there is not even a frame.
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

// Next returns the next record, and io.EOF behind the last one. Its bytes lie in the batch, or in the reader's buffer if the
// batch is compressed, and stay until the next Reset; the Record itself is the same each time.
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
