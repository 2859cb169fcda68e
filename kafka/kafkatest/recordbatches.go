package kafkatest

import (
	"encoding/binary"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// How a broker handles record batches, including invalid ones, which it must reject without storing any part.
var recordBatches = theme{"record batches", []testCase{
	{"every version", appendEveryVersion},
	{"by topic id", appendByID},
	{"without an answer", appendUnanswered},
	{"acknowledged by the leader or by all", appendAcked},
	{"acknowledged by two", appendAckedByTwo},
	{"the broker gives the offsets", appendRenumbers},
	{"one partition fails, another does not", appendOneFails},
	{"unknown partition", appendUnknown},
	{"malformed", appendMalformed},
	{"wrong checksum", appendWrongChecksum},
	{"what does not decompress", appendGarbage},
	{"compression that the version does not know", appendTooNewCompression},
	{"a mark from a client", appendMark},
	{"without a key where keys are needed", appendKeyless},
	{"too large", appendTooLarge},
	{"times to come", appendFuture},
	{"times long past", appendPast},
}}

func appendEveryVersion(s *subject) {
	tp := s.ready()
	r := s.raw()
	id := r.topicID(tp.Topic)
	for version := int16(3); version <= r.newest[int16(kmsg.Produce)]; version++ {
		req := produceRequest(-1, tp, seal(values("x")))
		req.Topics[0].TopicID = id
		got := ask(r.at(version), req).Topics[0].Partitions[0]
		if got.ErrorCode != 0 || got.BaseOffset != int64(version-3) || got.LogAppendTime != -1 || version >= 5 && got.LogStartOffset != 0 {
			s.Errorf("v%d: %+v", version, got)
		}
	}
}

func appendByID(s *subject) {
	tp := s.ready()
	r := s.raw()
	if r.newest[int16(kmsg.Produce)] < 13 {
		s.Skip("the broker does not know the producer")
	}
	req := produceRequest(-1, tp, seal(values("x")))
	req.Topics[0].TopicID = [16]byte{1, 2, 3}
	s.code(kerr.UnknownTopicID, ask(r.at(13), req).Topics[0].Partitions[0].ErrorCode, "append to an id that does not exist")
	req.Topics[0].TopicID = r.topicID(tp.Topic)
	res := ask(r.at(13), req).Topics[0]
	s.code(nil, res.Partitions[0].ErrorCode, "append by id")
	if res.TopicID != req.Topics[0].TopicID {
		s.Errorf("the response is for topic id %x", res.TopicID)
	}
	s.holds(tp, "x")
}

func appendUnanswered(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.at(9).start(produceRequest(0, tp, seal(values("x"))))
	ask(r, kmsg.NewPtrMetadataRequest()) // its response comes first, because a request with acks=0 has none
	eventually(s, "it is appended", func() bool { return s.offset(tp, kafka.Latest) == 1 })
}

func appendAcked(s *subject) {
	tp := s.ready()
	r := s.raw()
	for offset, acks := range []int16{1, -1} {
		if res := r.appendAcked(acks, tp, seal(values("x"))); res.ErrorCode != 0 || res.BaseOffset != int64(offset) {
			s.Errorf("acks %d: %+v", acks, res)
		}
	}
}

func appendAckedByTwo(s *subject) {
	tp := s.ready()
	res := s.raw().appendAcked(2, tp, seal(values("x")))
	s.code(kerr.InvalidRequiredAcks, res.ErrorCode, "append with two acknowledgements")
	s.isAt(tp, kafka.Latest, 0)
}

func appendRenumbers(s *subject) {
	tp := s.ready()
	r := s.raw()
	b := values("a", "b")
	b.PartitionLeaderEpoch = 99
	r.appends(tp, 0, seal(b))
	r.appends(tp, 2, seal(b))
	b.FirstOffset = 4 // correct, but clients must send 0
	s.code(kerr.InvalidRecord, r.append(tp, seal(b)).ErrorCode, "append a batch that says its offset")
	batches := s.batchesIn(r.fetch(tp, 0).RecordBatches)
	if len(batches) != 2 || batches[1].FirstOffset != 2 || batches[1].PartitionLeaderEpoch == 99 {
		s.Errorf("fetched %+v", batches)
	}
}

func appendOneFails(s *subject) {
	good, bad := s.ready(), s.ready()
	never := kafka.TopicPartition{Topic: s.unique()}
	broken := seal(values("x"))
	broken[len(broken)-1]++
	req := produceRequest(-1, bad, broken)
	req.Topics = append(req.Topics, produceRequest(-1, never, seal(values("x"))).Topics[0])
	req.Topics = append(req.Topics, produceRequest(-1, good, seal(values("x"))).Topics[0])
	want := map[string]error{good.Topic: nil, bad.Topic: kerr.CorruptMessage, never.Topic: kerr.UnknownTopicOrPartition}
	res := ask(s.raw().at(9), req)
	for _, topic := range res.Topics {
		s.code(want[topic.Topic], topic.Partitions[0].ErrorCode, "append to "+topic.Topic)
	}
	if len(res.Topics) != 3 {
		s.Errorf("the response is for %d topics", len(res.Topics))
	}
	s.holds(good, "x")
}

func appendUnknown(s *subject) {
	tp := s.ready()
	tp.Partition = 5
	res := s.raw().append(tp, seal(values("x")))
	s.code(kerr.UnknownTopicOrPartition, res.ErrorCode, "append to a partition that does not exist")
	if res.BaseOffset != -1 {
		s.Errorf("the batch was written at %d", res.BaseOffset)
	}
}

// malformed lists batches whose fields contradict each other.
func malformed() map[string][]byte {
	change := func(change func(b *kmsg.RecordBatch)) []byte {
		b := values("a", "b")
		change(b)
		return seal(b)
	}
	whole := seal(values("a"))
	old := seal(values("a"))
	old[batchMagicOffset] = 1
	long := seal(values("a"))
	binary.BigEndian.PutUint32(long[batchLengthOffset:], 1<<30)
	return map[string][]byte{
		"nothing":                        {},
		"two batches":                    append(seal(values("a")), seal(values("b"))...),
		"the format of old":              old,
		"a format to come":               change(func(b *kmsg.RecordBatch) { b.Magic = 3 }),
		"no records":                     change(func(b *kmsg.RecordBatch) { b.NumRecords, b.Records, b.LastOffsetDelta = 0, nil, 0 }),
		"a negative number of records":   change(func(b *kmsg.RecordBatch) { b.NumRecords = -1 }),
		"a huge number of records":       change(func(b *kmsg.RecordBatch) { b.NumRecords = 1 << 30 }),
		"fewer records than it says":     change(func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = 3, 2 }),
		"more records than it says":      change(func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = 1, 0 }),
		"a last offset of another count": change(func(b *kmsg.RecordBatch) { b.LastOffsetDelta = 5 }),
		"a record longer than the batch": change(func(b *kmsg.RecordBatch) { b.Records[0] = 100 }),
		"a record of negative length":    change(func(b *kmsg.RecordBatch) { b.Records[0] = 1 }),
		"cut off":                        whole[:len(whole)-1],
		"cut off in the header":          whole[:20],
		"longer than it is":              long,
	}
}

func appendMalformed(s *subject) {
	tp := s.ready()
	r := s.raw()
	for what, records := range malformed() {
		if err := kerr.ErrorForCode(r.append(tp, records).ErrorCode); err != kerr.InvalidRecord && err != kerr.CorruptMessage {
			s.Errorf("append %s: %v", what, err)
		}
	}
	s.isAt(tp, kafka.Latest, 0)
	r.appends(tp, 0, seal(values("good"))) // on the same connection
	s.holds(tp, "good")
}

func appendWrongChecksum(s *subject) {
	tp := s.ready()
	r := s.raw()
	for _, at := range []int{batchCRCOffset, batchCRCOffset + 4, batchHeaderBytes - 1, batchHeaderBytes + 5} {
		broken := seal(values("value"))
		broken[at] ^= 0x40
		s.code(kerr.CorruptMessage, r.append(tp, broken).ErrorCode, "append a batch with a flipped bit")
	}
	s.isAt(tp, kafka.Latest, 0)
}

func appendGarbage(s *subject) {
	tp := s.ready()
	r := s.raw()
	for codec := int16(1); codec <= 7; codec++ {
		b := values(strings.Repeat("garbage ", 10))
		b.Attributes = codec
		if r.append(tp, seal(b)).ErrorCode == 0 {
			s.Errorf("a batch that cannot be decompressed with codec %d was appended", codec)
		}
	}
	s.isAt(tp, kafka.Latest, 0)
}

func appendTooNewCompression(s *subject) {
	tp := s.ready()
	b := values("x")
	b.Attributes = 4 // zstd
	s.code(kerr.UnsupportedCompressionType, s.raw().at(6).append(tp, seal(b)).ErrorCode, "append zstd in a version that does not know it")
	s.isAt(tp, kafka.Latest, 0)
}

func appendMark(s *subject) {
	tp := s.ready()
	b := batchOf(kafka.Record{Timestamp: 1, Key: []byte("\x00\x00\x00\x01"), Value: make([]byte, 6)})
	b.Attributes = controlBit
	s.code(kerr.InvalidRecord, s.raw().append(tp, seal(b)).ErrorCode, "append a mark")
	s.isAt(tp, kafka.Latest, 0)
}

func appendKeyless(s *subject) {
	tp := s.ready(map[string]string{"cleanup.policy": "compact"})
	res := s.raw().append(tp, seal(batchOf(kafka.Record{Timestamp: 1, Key: dot}, kafka.Record{Timestamp: 1, Value: dot})))
	s.code(kerr.InvalidRecord, res.ErrorCode, "append a record without a key")
	if len(res.ErrorRecords) != 1 || res.ErrorRecords[0].RelativeOffset != 1 {
		s.Errorf("record errors %+v, want one for the second record", res.ErrorRecords)
	}
	s.isAt(tp, kafka.Latest, 0)
}

func appendTooLarge(s *subject) {
	tp := s.ready(map[string]string{"max.message.bytes": "1000"})
	r := s.raw()
	fits := seal(values(strings.Repeat("x", 1000-batchHeaderBytes-9))) // a record takes nine bytes in addition to its value
	if len(fits) != 1000 {
		s.Fatalf("%d bytes", len(fits))
	}
	r.appends(tp, 0, fits)
	s.code(kerr.MessageTooLarge, r.append(tp, seal(values(strings.Repeat("x", 1000-batchHeaderBytes-8)))).ErrorCode, "append a byte too much")
	s.isAt(tp, kafka.Latest, 1)
}

func appendFuture(s *subject) {
	tp := s.ready(map[string]string{"message.timestamp.after.max.ms": "60000"})
	r := s.raw()
	now := time.Now()
	r.appends(tp, 0, seal(batchOf(stamped(now.Add(30*time.Second).UnixMilli())...)))
	res := r.append(tp, seal(batchOf(stamped(now.UnixMilli(), now.Add(time.Hour).UnixMilli())...)))
	s.code(kerr.InvalidTimestamp, res.ErrorCode, "append a record of a time to come")
	if len(res.ErrorRecords) != 1 || res.ErrorRecords[0].RelativeOffset != 1 {
		s.Errorf("record errors %+v, want one for the second record", res.ErrorRecords)
	}
	s.isAt(tp, kafka.Latest, 1)

	usual := s.ready() // with the default limit of an hour ahead
	s.code(kerr.InvalidTimestamp, r.append(usual, seal(batchOf(stamped(now.Add(2*time.Hour).UnixMilli())...))).ErrorCode, "append a record two hours ahead")
}

func appendPast(s *subject) {
	r := s.raw()
	r.appends(s.ready(), 0, seal(batchOf(stamped(0, 1)...)))
	r.appends(s.ready(), 0, seal(batchOf(stamped(-1, -1)...))) // -1 means no timestamp
	tp := s.ready(map[string]string{"message.timestamp.before.max.ms": "60000"})
	now := time.Now()
	r.appends(tp, 0, seal(batchOf(stamped(now.Add(-30*time.Second).UnixMilli())...)))
	s.code(kerr.InvalidTimestamp, r.append(tp, seal(batchOf(stamped(now.Add(-time.Hour).UnixMilli())...))).ErrorCode, "append a record that is too old")
}
