package batch

import "encoding/binary"

// SetBaseOffset sets the base offset of the batch at the start of b. The CRC does not cover it.
func SetBaseOffset(b []byte, offset int64) {
	binary.BigEndian.PutUint64(b[baseOffsetAt:], uint64(offset))
}

// SetLeaderEpoch sets the leader epoch of the batch at the start of b. The CRC does not cover it.
func SetLeaderEpoch(b []byte, epoch int32) {
	binary.BigEndian.PutUint32(b[leaderEpochAt:], uint32(epoch))
}

// SetLogAppendTime sets the timestamp of all records of the batch b, in ms. It updates the CRC, so no bytes may follow
// the batch.
func SetLogAppendTime(b []byte, ms int64) {
	a := Attributes(binary.BigEndian.Uint16(b[attributesAt:]))
	binary.BigEndian.PutUint16(b[attributesAt:], uint16(a|LogAppendTime))
	binary.BigEndian.PutUint64(b[maxTimestampAt:], uint64(ms))
	binary.BigEndian.PutUint32(b[crcAt:], checksum(b))
}
