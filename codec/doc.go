// Package codec turns values into the bytes of records and stores, and back.
//
// A [Codec] belongs to a type and is a plain value: one is made once, at package level as a rule, and used by everyone. The bytes are those
// of Kafka's own serializers wherever those exist, so that programs in other languages read what Rio writes, and the
// other way round.
//
//	String, Bytes     the bytes as they are
//	Int64, Float64    8 bytes, big-endian
//	JSON              what encoding/json reads and writes
//	Windowed          a key and the start of a window, as in the topics of Kafka Streams
//	For               the codec that suits a type
//
// The shortest program:
//
//	data, err := codec.JSON[Position]().Append(nil, Position{Vehicle: "3490101813"})
//
// Codecs have no state and may be called from any goroutine. Decode returns values that do not alias its argument.
//
// A codec does not write a schema or a version. A type of one's own implements the interface with three methods; equal values
// must have equal bytes, because bytes decide about partitions and about the order of rows.
package codec
