package kafkatest

import (
	"encoding/binary"
	"hash/crc32"
	"math"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
	"github.com/twmb/franz-go/pkg/kversion"

	"github.com/rio-streams/rio/kafka"
)

// A producer resends a batch when it has lost the response. Package kafka does so automatically, so these tests use the
// protocol directly.
var idempotence = theme{"idempotence", []testCase{
	{"a batch sent again is not written again", sentAgain},
	{"a batch out of order is refused", outOfOrder},
	{"a batch of an older epoch is refused", olderEpoch},
	{"five batches back", fiveBack},
}}

// rawIdempotent is an idempotent producer whose sequence numbers are chosen by the test.
type rawIdempotent struct {
	s      *subject
	client *kgo.Client
	tp     kafka.TopicPartition
	id     int64
	epoch  int16
}

func (s *subject) rawIdempotent() *rawIdempotent {
	s.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(s.cfg.Brokers...), kgo.MaxVersions(kversion.V3_7_0()))
	s.must(err)
	s.Cleanup(client.Close)
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionTimeoutMillis = math.MaxInt32
	res, err := req.RequestWith(s.ctx, client)
	s.must(err)
	s.must(kerr.ErrorForCode(res.ErrorCode))
	return &rawIdempotent{s: s, client: client, tp: s.ready(), id: res.ProducerID, epoch: res.ProducerEpoch}
}

// write sends a batch of one record and returns its offset.
func (w *rawIdempotent) write(sequence int32, value string) (int64, error) {
	w.s.Helper()
	partition := kmsg.NewProduceRequestTopicPartition()
	partition.Records = w.batch(sequence, value)
	topic := kmsg.NewProduceRequestTopic()
	topic.Topic, topic.Partitions = w.tp.Topic, append(topic.Partitions, partition)
	req := kmsg.NewPtrProduceRequest()
	req.Acks, req.TimeoutMillis = -1, 10_000
	req.Topics = append(req.Topics, topic)
	res, err := w.leader().Request(w.s.ctx, req)
	w.s.must(err)
	answer := res.(*kmsg.ProduceResponse).Topics[0].Partitions[0]
	return answer.BaseOffset, kerr.ErrorForCode(answer.ErrorCode)
}

func (w *rawIdempotent) leader() *kgo.Broker {
	topics, err := w.s.DescribeTopics(w.s.ctx, w.tp.Topic)
	w.s.must(err)
	return w.client.Broker(int(topics[0].Partitions[0].Leader))
}

// batch is a record batch of version 2, https://kafka.apache.org/documentation/#recordbatch.
func (w *rawIdempotent) batch(sequence int32, value string) []byte {
	record := kmsg.Record{Value: []byte(value)}
	record.Length = int32(len(record.AppendTo(nil)) - 1) // all but the length itself, one byte for short values
	b := kmsg.RecordBatch{
		Magic: 2, PartitionLeaderEpoch: -1, ProducerID: w.id, ProducerEpoch: w.epoch, FirstSequence: sequence,
		NumRecords: 1, Records: record.AppendTo(nil),
	}
	raw := b.AppendTo(nil)
	binary.BigEndian.PutUint32(raw[8:], uint32(len(raw)-12))                                          // length of the bytes after this field
	binary.BigEndian.PutUint32(raw[17:], crc32.Checksum(raw[21:], crc32.MakeTable(crc32.Castagnoli))) // of the bytes after the checksum
	return raw
}

// writes calls write and checks that it succeeds at an offset.
func (w *rawIdempotent) writes(sequence int32, value string, want int64) {
	w.s.Helper()
	if offset, err := w.write(sequence, value); err != nil || offset != want {
		w.s.Errorf("batch %d was written at %d, %v; want %d", sequence, offset, err, want)
	}
}

func sentAgain(s *subject) {
	w := s.rawIdempotent()
	w.writes(0, "a", 0)
	w.writes(0, "a", 0)
	w.writes(1, "b", 1)
	w.writes(1, "b", 1)
	s.holds(w.tp, "a", "b")
}

func fiveBack(s *subject) {
	w := s.rawIdempotent()
	values := []string{"a", "b", "c", "d", "e"}
	for i, value := range values {
		w.writes(int32(i), value, int64(i))
	}
	for i, value := range values { // the broker remembers five batches
		w.writes(int32(i), value, int64(i))
	}
	s.holds(w.tp, values...)
}

func outOfOrder(s *subject) {
	w := s.rawIdempotent()
	w.writes(0, "a", 0)
	_, err := w.write(2, "c")
	s.wants(kerr.OutOfOrderSequenceNumber, err, "write batch 2 after batch 0")
	w.writes(1, "b", 1)
	s.holds(w.tp, "a", "b")
}

func olderEpoch(s *subject) {
	w := s.rawIdempotent()
	w.epoch = 1
	w.writes(0, "new", 0)
	w.epoch = 0
	_, err := w.write(0, "old")
	s.wants(kerr.InvalidProducerEpoch, err, "write in an epoch that is over")
	s.holds(w.tp, "new")
}
