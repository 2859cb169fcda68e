package codec

import (
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"sync"
)

// JSON is the codec of any type that encoding/json can handle, with its results to the byte and its errors: Append writes what
// json.Marshal makes of a pointer to the value, and Decode reads what json.Unmarshal accepts. Object keys of maps are sorted, so
// equal values have equal bytes.
//
// Structs of strings, numbers, booleans, times and such structs are read and written directly, in a fraction of the time; what
// is unusual in a message is left to encoding/json.
func JSON[T any]() Codec[T] {
	t := reflect.TypeFor[T]()
	c := &jsonCodec[T]{name: "json[" + t.String() + "]", fields: planFields(t)}
	c.pool.New = func() any {
		w := &jsonWork[T]{}
		w.encoder = json.NewEncoder(w)
		w.value = reflect.ValueOf(&w.v).Elem()
		return w
	}
	return c
}

type jsonCodec[T any] struct {
	name   string
	fields *jsonStruct // nil: encoding/json does all
	pool   sync.Pool   // of *jsonWork[T]
}

// jsonWork is what one call needs, used again by the next one.
type jsonWork[T any] struct {
	v       T
	value   reflect.Value // v
	encoder *json.Encoder // writes to dst
	dst     []byte
}

// Write takes a whole encoded value and the newline behind it.
func (w *jsonWork[T]) Write(data []byte) (int, error) {
	w.dst = append(w.dst, data[:len(data)-1]...)
	return len(data), nil
}

func (c *jsonCodec[T]) take() *jsonWork[T] { return c.pool.Get().(*jsonWork[T]) }

func (c *jsonCodec[T]) give(w *jsonWork[T]) {
	var zero T
	w.v, w.dst = zero, nil
	c.pool.Put(w)
}

func (c *jsonCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	w := c.take()
	defer c.give(w)
	w.v = v
	if c.fields != nil {
		if out, ok := c.fields.append(dst, w.value); ok {
			return out, nil
		}
	}
	w.dst = dst
	if err := w.encoder.Encode(&w.v); err != nil {
		return dst, fmt.Errorf("codec: %s: %w", c.name, err)
	}
	return w.dst, nil
}

func (c *jsonCodec[T]) Decode(data []byte) (T, error) {
	w := c.take()
	defer c.give(w)
	if c.fields != nil {
		if rest, ok := c.fields.decode(data, w.value); ok && len(skipSpace(rest)) == 0 {
			return w.v, nil
		}
	}
	var v T
	if err := json.Unmarshal(data, &v); err != nil {
		var zero T
		return zero, fmt.Errorf("codec: %s: %w", c.name, err)
	}
	return v, nil
}

func (c *jsonCodec[T]) String() string { return c.name }

var _ io.Writer = (*jsonWork[int])(nil)
