package main

import (
	"fmt"
	"strings"

	"github.com/rio-streams/rio/codec"
)

// A view converts the bytes of a key or a value to readable text. nil stays nil.
type view func([]byte) ([]byte, error)

// views are the types as which keys and values can be shown; the default is text.
var views = map[string]view{
	"text":     func(data []byte) ([]byte, error) { return data, nil },
	"int64":    viewOf(codec.Int64),
	"float64":  viewOf(codec.Float64),
	"windowed": viewOf(codec.Windowed(codec.String)),
}

// viewTypes are the names of the views; the first is the default.
var viewTypes = []string{"text", "int64", "float64", "windowed"}

// viewOf shows what a codec decodes: numbers of 8 bytes, big-endian, and a windowed key as key@start.
func viewOf[T any](c codec.Codec[T]) view {
	return func(data []byte) ([]byte, error) {
		if data == nil {
			return nil, nil
		}
		value, err := c.Decode(data)
		if err != nil {
			return nil, fmt.Errorf("%s", strings.TrimPrefix(err.Error(), "codec: "))
		}
		return fmt.Append(nil, value), nil
	}
}
