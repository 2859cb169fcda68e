package topology

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/rio-streams/rio/codec"
)

// changed is a change of a table's row on its way to the partition of another key: the value to subtract, the one to
// add, or both.
type changed[V any] struct {
	old, new V
	had, has bool
}

// String returns "-old +new", for test scripts and consoles.
func (c changed[V]) String() string {
	switch {
	case !c.has:
		return "-" + show(c.old)
	case !c.had:
		return "+" + show(c.new)
	}
	return "-" + show(c.old) + " +" + show(c.new)
}

// changeCodec encodes changes as Kafka Streams does since 3.5 (KIP-904, ChangedSerializer):
//
//	| old value … | 0 |
//	| new value … | 1 |
//	| length of the new value, zigzag varint | new value … | old value … | 2 |
//
// It also decodes 3, 4 and 5, which are the same with one more byte before the last one: whether the change is the
// latest of its row. Kafka Streams reads but never writes them.
type changeCodec[V any] struct{ value codec.Codec[V] }

const (
	oldOnly  = 0
	newOnly  = 1
	oldToNew = 2
	ordered  = 3 // what is added to the others
)

// String returns "change[json[app.Sale]]".
func (c changeCodec[V]) String() string { return fmt.Sprintf("change[%s]", c.value) }

// Append implements codec.Codec.
func (c changeCodec[V]) Append(dst []byte, v changed[V]) (_ []byte, err error) {
	switch {
	case !v.has:
		if dst, err = c.value.Append(dst, v.old); err != nil {
			return dst, err
		}
		return append(dst, oldOnly), nil
	case !v.had:
		if dst, err = c.value.Append(dst, v.new); err != nil {
			return dst, err
		}
		return append(dst, newOnly), nil
	}
	data, err := c.value.Append(nil, v.new)
	if err != nil {
		return dst, err
	}
	dst = append(binary.AppendVarint(dst, int64(len(data))), data...)
	if dst, err = c.value.Append(dst, v.old); err != nil {
		return dst, err
	}
	return append(dst, oldToNew), nil
}

var errShortChange = errors.New("the bytes end within the change of a row")

// Decode implements codec.Codec.
func (c changeCodec[V]) Decode(data []byte) (v changed[V], err error) {
	if len(data) == 0 {
		return v, errShortChange
	}
	kind, data := data[len(data)-1], data[:len(data)-1]
	if kind >= ordered && kind <= ordered+oldToNew {
		if len(data) == 0 {
			return v, errShortChange
		}
		kind, data = kind-ordered, data[:len(data)-1]
	}
	switch kind {
	case oldOnly:
		v.had = true
		v.old, err = c.value.Decode(data)
	case newOnly:
		v.has = true
		v.new, err = c.value.Decode(data)
	case oldToNew:
		length, n := binary.Varint(data)
		if n <= 0 || length < 0 || length > int64(len(data)-n) {
			return v, errShortChange
		}
		v.had, v.has = true, true
		if v.new, err = c.value.Decode(data[n : n+int(length)]); err == nil {
			v.old, err = c.value.Decode(data[n+int(length):])
		}
	default:
		err = fmt.Errorf("the change of a row ends with %d: Kafka Streams writes 0, 1 or 2 there", kind)
	}
	return v, err
}
