package codec

import (
	"encoding"
	"encoding/binary"
	"encoding/json"
	"math"
	"reflect"
)

// For returns the default codec of a type, chosen by its kind, so that named types have one too:
//
//	string                            as String
//	int64, int                        as Int64, 8 bytes
//	int32, int16                      big-endian, 4 and 2 bytes, as Kafka's IntegerSerializer and ShortSerializer
//	float64                           as Float64
//	float32                           4 bytes, as Kafka's FloatSerializer
//	[]byte                            as Bytes
//	WindowKey[K]                      Windowed(For[K]()), without the size of the windows
//	everything else                   JSON
//
// A type with a MarshalJSON or MarshalText method gets JSON. Call For once and keep the codec: choosing it takes a
// moment, using it costs no more than the codec it returns.
func For[T any]() Codec[T] {
	if w, ok := any(*new(T)).(interface{ windowedCodec() any }); ok {
		return w.windowedCodec().(Codec[T])
	}
	if c, ok := forBasic[T](); ok {
		return c
	}
	t := reflect.TypeFor[T]()
	if encodesItself(t) {
		return JSON[T]()
	}
	kind := kinds[t.Kind()]
	if t.Kind() == reflect.Slice && t.Elem().Kind() == reflect.Uint8 {
		kind.name = "bytes"
	}
	if kind.name == "" {
		return JSON[T]()
	}
	return kindCodec[T]{kind: t.Kind(), name: kind.name, size: kind.size}
}

// kinds are the kinds with a fixed encoding, their names, and their sizes in bytes if fixed.
var kinds = map[reflect.Kind]struct {
	name string
	size int
}{
	reflect.String:  {"string", 0},
	reflect.Int:     {"int64", 8},
	reflect.Int64:   {"int64", 8},
	reflect.Int32:   {"int32", 4},
	reflect.Int16:   {"int16", 2},
	reflect.Float64: {"float64", 8},
	reflect.Float32: {"float32", 4},
}

// forBasic returns the codec of an unnamed basic type.
func forBasic[T any]() (Codec[T], bool) {
	for _, c := range []any{String, Int64, Float64, Bytes} {
		if c, ok := c.(Codec[T]); ok {
			return c, true
		}
	}
	return nil, false
}

// windowedCodec lets For make the codec of a key whose type it cannot name.
func (k WindowKey[K]) windowedCodec() any { return Codec[WindowKey[K]](Windowed(For[K]())) }

// kindCodec is the codec of the types of one kind.
type kindCodec[T any] struct {
	kind reflect.Kind
	name string
	size int // bytes; 0 if variable
}

func (c kindCodec[T]) Append(dst []byte, v T) ([]byte, error) {
	value := reflect.ValueOf(&v).Elem()
	switch c.kind {
	case reflect.String:
		return append(dst, value.String()...), nil
	case reflect.Slice:
		return append(dst, value.Bytes()...), nil
	case reflect.Float64:
		return Float64.Append(dst, value.Float())
	case reflect.Float32:
		bits := math.Float32bits(float32(value.Float()))
		if value.Float() != value.Float() {
			bits = 0x7fc00000 // the NaN of Java's floatToIntBits
		}
		return binary.BigEndian.AppendUint32(dst, bits), nil
	case reflect.Int32:
		return binary.BigEndian.AppendUint32(dst, uint32(value.Int())), nil
	case reflect.Int16:
		return binary.BigEndian.AppendUint16(dst, uint16(value.Int())), nil
	}
	return binary.BigEndian.AppendUint64(dst, uint64(value.Int())), nil
}

func (c kindCodec[T]) Decode(data []byte) (T, error) {
	var v T
	if c.size > 0 && len(data) != c.size {
		return v, sizeError(c.name, c.size, len(data))
	}
	value := reflect.ValueOf(&v).Elem()
	switch c.kind {
	case reflect.String:
		value.SetString(string(data))
	case reflect.Slice:
		value.SetBytes(append([]byte{}, data...))
	case reflect.Float64:
		value.SetFloat(math.Float64frombits(binary.BigEndian.Uint64(data)))
	case reflect.Float32:
		value.SetFloat(float64(math.Float32frombits(binary.BigEndian.Uint32(data))))
	case reflect.Int32:
		value.SetInt(int64(int32(binary.BigEndian.Uint32(data))))
	case reflect.Int16:
		value.SetInt(int64(int16(binary.BigEndian.Uint16(data))))
	default:
		value.SetInt(int64(binary.BigEndian.Uint64(data)))
	}
	return v, nil
}

func (c kindCodec[T]) String() string { return c.name }

// encodesItself reports whether a type has a method that encodes it as text or JSON.
func encodesItself(t reflect.Type) bool {
	for _, m := range []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[json.Unmarshaler](),
		reflect.TypeFor[encoding.TextMarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	} {
		if t.Implements(m) || reflect.PointerTo(t).Implements(m) {
			return true
		}
	}
	return t == reflect.TypeFor[json.Number]()
}
