package topology

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// heldValue is what is kept of a waiting record, beside its key and its time. Its bytes are those of Kafka Streams:
//
//	| time, 8 B | offset, 8 B | topic | partition, 4 B | headers, 4 B | ( key | value or -1 )* | -1 | -1 | value | 0, 8 B |
//
// where numbers are big-endian, topic, keys and values follow their lengths in 4 bytes, and -1 stands for the absent old
// values of a table.
type heldValue struct {
	origin  processor.Origin
	headers []processor.Header
	value   []byte
}

func (h *heldValue) append(dst []byte, timestamp int64) []byte {
	dst = binary.BigEndian.AppendUint64(dst, uint64(timestamp))
	dst = binary.BigEndian.AppendUint64(dst, uint64(h.origin.Offset))
	dst = appendSized(dst, []byte(h.origin.Topic))
	dst = binary.BigEndian.AppendUint32(dst, uint32(h.origin.Partition))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(h.headers)))
	for _, header := range h.headers {
		dst = appendSized(dst, []byte(header.Key))
		dst = appendSized(dst, header.Value)
	}
	dst = appendSized(appendSized(dst, nil), nil)
	dst = appendSized(dst, h.value)
	return binary.BigEndian.AppendUint64(dst, 0)
}

// appendSized appends the length of data, -1 for nil, and data.
func appendSized(dst, data []byte) []byte {
	size := int32(len(data))
	if data == nil {
		size = -1
	}
	return append(binary.BigEndian.AppendUint32(dst, uint32(size)), data...)
}

var errHeld = &state.Error{Err: fmt.Errorf("read a waiting record: %w", errors.Join(errors.New("its bytes end early"), state.ErrDamaged))}

// parse reads what append wrote. The value is a part of data; headers are copied.
func (h *heldValue) parse(data []byte) error {
	*h = heldValue{}
	r := heldReader{data: data}
	r.take(8) // the time, which is in the key, too
	h.origin.Offset = int64(binary.BigEndian.Uint64(r.take(8)))
	h.origin.Topic = string(r.sized())
	h.origin.Partition = int32(r.number())
	for n := r.number(); n > 0 && !r.short; n-- {
		key, value := string(r.sized()), r.sized()
		h.headers = append(h.headers, processor.Header{Key: key, Value: bytes.Clone(value)})
	}
	r.sized()
	r.sized()
	h.value = r.sized()
	if r.short {
		return errHeld
	}
	return nil
}

// heldReader reads numbers and byte strings. After the end it returns zeros.
type heldReader struct {
	data  []byte
	short bool
}

func (r *heldReader) take(n int) []byte {
	if n > len(r.data) {
		r.short, r.data = true, nil
		return make([]byte, 8)
	}
	taken := r.data[:n]
	r.data = r.data[n:]
	return taken
}

func (r *heldReader) number() uint32 { return binary.BigEndian.Uint32(r.take(4)) }

func (r *heldReader) sized() []byte {
	n := int32(r.number())
	if n < 0 {
		return nil
	}
	return r.take(int(n))
}
