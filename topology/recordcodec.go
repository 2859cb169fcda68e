package topology

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
)

// recordCodec encodes a whole record where it is the value: in the topic of a KeyBy after Records, and in the store of
// a Reduce.
//
//	| flags, 1 byte | timestamp, varint, ms | number of headers, uvarint | headers … | key length, uvarint | key | value … |
//
// Flag 1 means that there is no key, flag 2 that the record is a tombstone. A header is the length of its name and the
// name, and the length of its value plus one and the value; 0 is a null value. Lengths are uvarints.
type recordCodec[K, V any] struct {
	key   codec.Codec[K]
	value codec.Codec[V]
}

const (
	flagNoKey     = 1
	flagTombstone = 2
)

// String returns "record[string → json[app.Sale]]".
func (c recordCodec[K, V]) String() string { return fmt.Sprintf("record[%s → %s]", c.key, c.value) }

// Append implements codec.Codec.
func (c recordCodec[K, V]) Append(dst []byte, r processor.Record[K, V]) ([]byte, error) {
	flags := byte(0)
	if r.NoKey {
		flags |= flagNoKey
	}
	if r.Tombstone {
		flags |= flagTombstone
	}
	dst = binary.AppendVarint(append(dst, flags), r.Timestamp)
	dst = binary.AppendUvarint(dst, uint64(len(r.Headers)))
	for _, h := range r.Headers {
		dst = append(binary.AppendUvarint(dst, uint64(len(h.Key))), h.Key...)
		if h.Value == nil {
			dst = append(dst, 0)
			continue
		}
		dst = append(binary.AppendUvarint(dst, uint64(len(h.Value))+1), h.Value...)
	}
	var key []byte
	var err error
	if !r.NoKey {
		if key, err = c.key.Append(nil, r.Key); err != nil {
			return dst, fmt.Errorf("key: %w", err)
		}
	}
	dst = append(binary.AppendUvarint(dst, uint64(len(key))), key...)
	if r.Tombstone {
		return dst, nil
	}
	return c.value.Append(dst, r.Value)
}

// Decode implements codec.Codec.
func (c recordCodec[K, V]) Decode(data []byte) (r processor.Record[K, V], err error) {
	in := recordReader{data: data}
	flags := in.bytes(1)
	r.Timestamp = in.varint()
	for n := in.uvarint(); n > 0 && in.err == nil; n-- {
		h := processor.Header{Key: string(in.bytes(in.uvarint()))}
		if size := in.uvarint(); size > 0 {
			h.Value = append([]byte{}, in.bytes(size-1)...)
		}
		r.Headers = append(r.Headers, h)
	}
	key := in.bytes(in.uvarint())
	if in.err != nil {
		return r, fmt.Errorf("%s: %w", c, in.err)
	}
	r.NoKey, r.Tombstone = flags[0]&flagNoKey != 0, flags[0]&flagTombstone != 0
	if !r.NoKey {
		if r.Key, err = c.key.Decode(key); err != nil {
			return r, fmt.Errorf("key: %w", err)
		}
	}
	if !r.Tombstone {
		r.Value, err = c.value.Decode(in.data)
	}
	return r, err
}

// recordReader decodes the parts of a record. After an error it returns zero values.
type recordReader struct {
	data []byte
	err  error
}

var errShortRecord = errors.New("the bytes end within the record")

func (r *recordReader) bytes(n uint64) []byte {
	if r.err != nil || n > uint64(len(r.data)) {
		r.err = errShortRecord
		return nil
	}
	b := r.data[:n]
	r.data = r.data[n:]
	return b
}

func (r *recordReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.data)
	if r.err != nil || n <= 0 {
		r.err = errShortRecord
		return 0
	}
	r.data = r.data[n:]
	return v
}

func (r *recordReader) varint() int64 {
	v, n := binary.Varint(r.data)
	if r.err != nil || n <= 0 {
		r.err = errShortRecord
		return 0
	}
	r.data = r.data[n:]
	return v
}
