package kafkatest

import (
	"encoding/binary"
	"hash/crc32"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// Attributes of a record batch of version 2, https://kafka.apache.org/documentation/#recordbatch.
const (
	logAppendTimeBit  = 0x08
	transactionalBit  = 0x10
	controlBit        = 0x20
	batchHeaderBytes  = 61
	batchLengthOffset = 8
	batchMagicOffset  = 16
	batchCRCOffset    = 17
)

// batchOf makes a batch without a producer, which a test can modify before seal. Timestamps and offsets are relative to the
// first record.
func batchOf(records ...kafka.Record) *kmsg.RecordBatch {
	b := &kmsg.RecordBatch{
		Magic: 2, PartitionLeaderEpoch: -1, ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1,
		NumRecords: int32(len(records)), LastOffsetDelta: int32(len(records) - 1),
	}
	for i, r := range records {
		if i == 0 {
			b.FirstTimestamp, b.MaxTimestamp = r.Timestamp, r.Timestamp
		}
		b.MaxTimestamp = max(b.MaxTimestamp, r.Timestamp)
		record := kmsg.Record{OffsetDelta: int32(i), TimestampDelta64: r.Timestamp - b.FirstTimestamp, Key: r.Key, Value: r.Value}
		record.Length = int32(len(record.AppendTo(nil)) - 1) // without the length itself, which takes one byte as long as it is 0
		b.Records = record.AppendTo(b.Records)
	}
	return b
}

// values makes a batch of these values.
func values(values ...string) *kmsg.RecordBatch {
	var records []kafka.Record
	for _, value := range values {
		records = append(records, kafka.Record{Timestamp: morning.UnixMilli(), Value: []byte(value)})
	}
	return batchOf(records...)
}

// seal encodes a batch, with its length and its checksum.
func seal(b *kmsg.RecordBatch) []byte {
	encoded := b.AppendTo(nil)
	binary.BigEndian.PutUint32(encoded[batchLengthOffset:], uint32(len(encoded)-12)) // length of the bytes after this field
	return sealed(encoded)
}

// sealed sets the checksum of an encoded batch.
func sealed(encoded []byte) []byte {
	const after = batchCRCOffset + 4
	binary.BigEndian.PutUint32(encoded[batchCRCOffset:], crc32.Checksum(encoded[after:], crc32.MakeTable(crc32.Castagnoli)))
	return encoded
}

// batchesIn returns the complete batches in a fetch response. The last batch may be truncated, which is not an error.
func (s *subject) batchesIn(raw []byte) (batches []kmsg.RecordBatch) {
	s.Helper()
	for len(raw) >= batchHeaderBytes {
		size := 12 + int(binary.BigEndian.Uint32(raw[batchLengthOffset:]))
		if size > len(raw) {
			return batches
		}
		var b kmsg.RecordBatch
		s.must(b.ReadFrom(raw[:size]))
		if crc := crc32.Checksum(raw[batchCRCOffset+4:size], crc32.MakeTable(crc32.Castagnoli)); crc != uint32(b.CRC) {
			s.Errorf("the batch at %d has checksum %x, want %x", b.FirstOffset, uint32(b.CRC), crc)
		}
		batches = append(batches, b)
		raw = raw[size:]
	}
	return batches
}

// recordsIn returns the records of an uncompressed batch.
func (s *subject) recordsIn(b kmsg.RecordBatch) (records []kafka.Record) {
	s.Helper()
	for raw := b.Records; len(raw) > 0; {
		length, prefix := binary.Varint(raw)
		size := prefix + int(length)
		var r kmsg.Record
		s.must(r.ReadFrom(raw[:size]))
		records = append(records, kafka.Record{
			Offset: b.FirstOffset + int64(r.OffsetDelta), Timestamp: b.FirstTimestamp + r.TimestampDelta64, Key: r.Key, Value: r.Value,
		})
		raw = raw[size:]
	}
	return records
}

// valuesIn returns the values in a fetch response, without control records.
func (s *subject) valuesIn(raw []byte) (values []string) {
	s.Helper()
	for _, b := range s.batchesIn(raw) {
		if b.Attributes&controlBit != 0 {
			continue
		}
		for _, r := range s.recordsIn(b) {
			values = append(values, string(r.Value))
		}
	}
	return values
}
