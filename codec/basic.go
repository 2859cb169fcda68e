package codec

import (
	"encoding/binary"
	"math"
)

// Codecs of the basic types. Their bytes are those of Kafka's own serializers.
var (
	// String encodes text as UTF-8, like Kafka's StringSerializer.
	String Codec[string] = stringCodec{}

	// Bytes leaves bytes unchanged. Decode copies them; an empty value decodes to an empty slice, never to nil.
	Bytes Codec[[]byte] = bytesCodec{}

	// Int64 is two's complement, 8 bytes, big-endian, like Kafka's LongSerializer.
	//
	//	+----+----+----+----+----+----+----+----+
	//	| most significant  …  least significant|
	//	+----+----+----+----+----+----+----+----+
	//
	// In byte order, negative numbers sort after positive ones, here as in Kafka Streams.
	Int64 Codec[int64] = int64Codec{}

	// Float64 is IEEE 754 double precision, 8 bytes, big-endian, like Kafka's DoubleSerializer. Every NaN is written
	// like in Java's doubleToLongBits, as 0x7ff8000000000000.
	Float64 Codec[float64] = float64Codec{}
)

type stringCodec struct{}

func (stringCodec) Append(dst []byte, v string) ([]byte, error) { return append(dst, v...), nil }
func (stringCodec) Decode(data []byte) (string, error)          { return string(data), nil }
func (stringCodec) String() string                              { return "string" }

type bytesCodec struct{}

func (bytesCodec) Append(dst []byte, v []byte) ([]byte, error) { return append(dst, v...), nil }
func (bytesCodec) Decode(data []byte) ([]byte, error)          { return append([]byte{}, data...), nil }
func (bytesCodec) String() string                              { return "bytes" }

type int64Codec struct{}

func (int64Codec) Append(dst []byte, v int64) ([]byte, error) {
	return binary.BigEndian.AppendUint64(dst, uint64(v)), nil
}

func (int64Codec) Decode(data []byte) (int64, error) {
	if len(data) != 8 {
		return 0, sizeError("int64", 8, len(data))
	}
	return int64(binary.BigEndian.Uint64(data)), nil
}

func (int64Codec) String() string { return "int64" }

type float64Codec struct{}

func (float64Codec) Append(dst []byte, v float64) ([]byte, error) {
	bits := math.Float64bits(v)
	if math.IsNaN(v) {
		bits = 0x7ff8000000000000
	}
	return binary.BigEndian.AppendUint64(dst, bits), nil
}

func (float64Codec) Decode(data []byte) (float64, error) {
	if len(data) != 8 {
		return 0, sizeError("float64", 8, len(data))
	}
	return math.Float64frombits(binary.BigEndian.Uint64(data)), nil
}

func (float64Codec) String() string { return "float64" }
