package codec

import (
	stdjson "encoding/json"
	"fmt"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"
	v1 "github.com/go-json-experiment/json/v1"
)

// JSON is the codec of any type that encoding/json can handle, with its results and its errors: Append writes what
// json.Marshal makes of a pointer to the value, and Decode reads what json.Unmarshal accepts. Object keys of maps are
// sorted, so equal values have equal bytes.
//
// Decoding is done by github.com/go-json-experiment/json, the next encoding/json, under the rules of today's, in about
// half the time. What it refuses is read again by encoding/json, which has the last word, and so are types with a
// json.Number, which it does not know.
func JSON[T any]() Codec[T] {
	t := reflect.TypeFor[T]()
	return &jsonCodec[T]{name: "json[" + t.String() + "]", standard: holdsNumber(t, map[reflect.Type]bool{})}
}

type jsonCodec[T any] struct {
	name     string
	standard bool      // encoding/json does all the work
	writers  sync.Pool // of *jsonWriter[T]
}

// jsonWriter is what one call of Append needs, used again by the next one.
type jsonWriter[T any] struct {
	v       T
	encoder *stdjson.Encoder // writes to dst
	dst     []byte
}

// Write takes a whole encoded value and the newline behind it.
func (w *jsonWriter[T]) Write(data []byte) (int, error) {
	w.dst = append(w.dst, data[:len(data)-1]...)
	return len(data), nil
}

func (c *jsonCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	w, ok := c.writers.Get().(*jsonWriter[T])
	if !ok {
		w = new(jsonWriter[T])
		w.encoder = stdjson.NewEncoder(w)
	}
	w.v, w.dst = v, dst
	err := w.encoder.Encode(&w.v)
	if err != nil {
		err = fmt.Errorf("codec: %s: %w", c.name, err)
	} else {
		dst = w.dst
	}
	w.v, w.dst = *new(T), nil
	c.writers.Put(w)
	return dst, err
}

// rules are those of encoding/json, but for the order and the texts of its errors, which cost a second look at every
// message: what is refused is read again anyway.
var rules = json.JoinOptions(v1.DefaultOptionsV1(), v1.ReportErrorsWithLegacySemantics(false))

func (c *jsonCodec[T]) Decode(data []byte) (T, error) {
	var v T
	if !c.standard && json.Unmarshal(data, &v, rules) == nil {
		return v, nil
	}
	v = *new(T)
	if err := stdjson.Unmarshal(data, &v); err != nil {
		return *new(T), fmt.Errorf("codec: %s: %w", c.name, err)
	}
	return v, nil
}

func (c *jsonCodec[T]) String() string { return c.name }

// holdsNumber reports whether there is a json.Number somewhere in values of a type.
func holdsNumber(t reflect.Type, seen map[reflect.Type]bool) bool {
	if t == reflect.TypeFor[stdjson.Number]() {
		return true
	}
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array:
		return holdsNumber(t.Elem(), seen)
	case reflect.Map:
		return holdsNumber(t.Key(), seen) || holdsNumber(t.Elem(), seen)
	case reflect.Struct:
		for field := range t.Fields() {
			if holdsNumber(field.Type, seen) {
				return true
			}
		}
	}
	return false
}
