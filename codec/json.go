package codec

import (
	"encoding/json"
	"reflect"
)

// JSON is the codec of any type that encoding/json can write, with exactly its results: json.Marshal writes a value and
// json.Unmarshal reads it. Object keys of maps are sorted, so equal values have equal bytes.
func JSON[T any]() Codec[T] { return jsonCodec[T]{name: "json[" + reflect.TypeFor[T]().String() + "]"} }

type jsonCodec[T any] struct{ name string }

func (jsonCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	data, err := json.Marshal(v)
	return append(dst, data...), err
}

func (jsonCodec[T]) Decode(data []byte) (T, error) {
	var v T
	err := json.Unmarshal(data, &v)
	return v, err
}

func (c jsonCodec[T]) String() string { return c.name }
