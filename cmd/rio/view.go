package main

import (
	"fmt"
	"strings"

	"github.com/rio-streams/rio/codec"
)

// A view turns the bytes of a key or a value into text that can be read. nil stays nil.
type view func([]byte) ([]byte, error)

// views are the types that keys and values can be shown as; text is what they are without.
var views = map[string]view{
	"text":     func(data []byte) ([]byte, error) { return data, nil },
	"int64":    viewOf(codec.Int64),
	"float64":  viewOf(codec.Float64),
	"windowed": viewOf(codec.Windowed(codec.String)),
}

// viewTypes are the names of views, the usual one first.
var viewTypes = []string{"text", "int64", "float64", "windowed"}

// viewOf shows what a codec decodes: numbers as 8 bytes, big endian, and a key within a window as key@start.
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
