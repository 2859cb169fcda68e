package plan

import (
	"encoding/binary"

	"github.com/rio-streams/rio/processor"
)

// OriginHeader is the last header of every record of a repartition topic that was made from a source record. It
// identifies the source record, so that errors and dead letters after the topic name a record that the user can find.
// User code does not see it, and derived records do not inherit it. The value is
//
//	| partition, uvarint | offset, uvarint | topic … |
const OriginHeader = "__rio.origin"

// AppendOrigin appends the value of the header.
func AppendOrigin(dst []byte, o processor.Origin) []byte {
	dst = binary.AppendUvarint(dst, uint64(o.Partition))
	dst = binary.AppendUvarint(dst, uint64(o.Offset))
	return append(dst, o.Topic...)
}

// SplitOrigin removes the header from the headers of a record of a repartition topic. value is nil if there is none:
// timers have no source record, and older versions did not write the header.
func SplitOrigin(headers []processor.Header) (rest []processor.Header, value []byte) {
	last := len(headers) - 1
	switch {
	case last < 0 || headers[last].Key != OriginHeader:
		return headers, nil
	case last == 0:
		return nil, headers[0].Value
	}
	return headers[:last:last], headers[last].Value
}

// ParseOrigin decodes the value of the header. topic is the result for the previous record, so that equal names share
// one string.
func ParseOrigin(value []byte, topic string) (o processor.Origin, ok bool) {
	partition, n := binary.Uvarint(value)
	if n <= 0 {
		return o, false
	}
	offset, m := binary.Uvarint(value[n:])
	if m <= 0 {
		return o, false
	}
	if name := value[n+m:]; string(name) != topic {
		topic = string(name)
	}
	return processor.Origin{Topic: topic, Partition: int32(partition), Offset: int64(offset)}, topic != ""
}
