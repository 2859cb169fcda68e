package codec

import (
	stdjson "encoding/json"
	"fmt"
	"reflect"
	"sync"

	"github.com/go-json-experiment/json"
	v1 "github.com/go-json-experiment/json/v1"
)

// JSON is the codec of any type that encoding/json supports, with the same results and errors: Append writes what
// json.Marshal returns for a pointer to the value, and Decode reads what json.Unmarshal accepts. Map keys are sorted,
// so equal values have equal bytes.
//
// Decoding uses github.com/go-json-experiment/json, the future encoding/json, with the rules of the current one, in
// about half the time. What it rejects, encoding/json decodes again, and its result counts. Types with a json.Number,
// which the experimental package does not support, always use encoding/json.
func JSON[T any]() Codec[T] {
	t := reflect.TypeFor[T]()
	return &jsonCodec[T]{name: "json[" + t.String() + "]", standard: holdsNumber(t, map[reflect.Type]bool{})}
}

type jsonCodec[T any] struct {
	name     string
	standard bool      // use encoding/json only
	writers  sync.Pool // of *jsonWriter[T]
}

// jsonWriter holds the buffers of one call of Append, for reuse.
type jsonWriter[T any] struct {
	v       T
	encoder *stdjson.Encoder // writes to dst
	dst     []byte
}

// Write receives a whole encoded value followed by a newline.
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

// rules are those of encoding/json, except for the order and the texts of errors, which would cost a second pass over
// every message: encoding/json decodes rejected input again anyway.
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

// holdsNumber reports whether values of a type can contain a json.Number.
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
