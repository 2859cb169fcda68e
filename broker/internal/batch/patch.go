package batch

import "encoding/binary"

// SetBaseOffset gives the batch at the start of b its place in the log. The CRC does not cover it.
func SetBaseOffset(b []byte, offset int64) {
	binary.BigEndian.PutUint64(b[baseOffsetAt:], uint64(offset))
}

// SetLeaderEpoch says under which leader the batch at the start of b was written. The CRC does not cover it.
func SetLeaderEpoch(b []byte, epoch int32) {
	binary.BigEndian.PutUint32(b[leaderEpochAt:], uint32(epoch))
}

// SetLogAppendTime gives all records of the batch b the time ms. It renews the CRC, so b is one batch and nothing more.
func SetLogAppendTime(b []byte, ms int64) {
	a := Attributes(binary.BigEndian.Uint16(b[attributesAt:]))
	binary.BigEndian.PutUint16(b[attributesAt:], uint16(a|LogAppendTime))
	binary.BigEndian.PutUint64(b[maxTimestampAt:], uint64(ms))
	binary.BigEndian.PutUint32(b[crcAt:], checksum(b))
}
