// Package codec encodes values as the bytes of records and stores, and decodes them.
//
// A [Codec] belongs to a type and is a plain value: make one once, usually at package level, and share it. The bytes
// are those of Kafka's own serializers wherever those exist, so that programs in other languages can read what Rio
// writes, and vice versa.
//
//	String, Bytes     the bytes as they are
//	Int64, Float64    8 bytes, big-endian
//	JSON              what encoding/json reads and writes
//	Windowed          a key and the start of a window, as in the topics of Kafka Streams
//	For               the default codec of a type
//
// The shortest program:
//
//	data, err := codec.JSON[Position]().Append(nil, Position{Vehicle: "3490101813"})
//
// Codecs have no state and may be called from any goroutine. Decode returns values that do not alias its argument.
//
// A codec does not write a schema or a version. Your own codec implements the interface's three methods; equal values
// must have equal bytes, because bytes determine partitions and the order of rows.
package codec
