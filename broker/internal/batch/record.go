package batch

import (
	"encoding/binary"
	"fmt"
)

// Record is one record of a batch. Timestamps are milliseconds since 1970.
type Record struct {
	Offset    int64
	Timestamp int64
	Key       []byte // nil is null
	Value     []byte // nil is null: a tombstone

	headers []byte // encoded headers; empty for none
}

// RecordHeader is a header of a record. A key may occur more than once.
type RecordHeader struct {
	Key   string
	Value []byte // nil is null
}

// Headers returns the headers, in order. Their values alias the batch, like Key and Value.
func (r *Record) Headers() ([]RecordHeader, error) {
	if len(r.headers) == 0 {
		return nil, nil
	}
	if end := skipHeaders(r.headers, 0); end != len(r.headers) {
		return nil, fmt.Errorf("%w: headers of the record at %d", ErrMalformed, r.Offset)
	}
	n, at := varint(r.headers, 0)
	if n == 0 {
		return nil, nil
	}
	headers := make([]RecordHeader, n)
	for i := range headers {
		var key, value span
		key, at = readSpan(r.headers, at)
		value, at = readSpan(r.headers, at)
		headers[i] = RecordHeader{Key: string(key.of(r.headers)), Value: value.of(r.headers)}
	}
	return headers, nil
}

func appendHeaders(b []byte, headers []RecordHeader) []byte {
	b = binary.AppendVarint(b, int64(len(headers)))
	for _, h := range headers {
		b = binary.AppendVarint(b, int64(len(h.Key)))
		b = append(b, h.Key...)
		b = appendSpan(b, h.Value)
	}
	return b
}

func appendSpan(b, part []byte) []byte {
	if part == nil {
		return binary.AppendVarint(b, -1)
	}
	b = binary.AppendVarint(b, int64(len(part)))
	return append(b, part...)
}

func spanSize(part []byte) int {
	if part == nil {
		return 1
	}
	return varintSize(int64(len(part))) + len(part)
}
