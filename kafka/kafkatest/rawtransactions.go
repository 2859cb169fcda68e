package kafkatest

import (
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// actor is a transactional producer that says exactly what it is told to. Its fields may be changed to say something wrong.
type actor struct {
	*raw
	transactionalID string
	id              int64
	epoch           int16
	next            map[kafka.TopicPartition]int32 // sequence numbers
	second          bool                           // speaks as of transaction.version=2 (KIP-890)
}

// actor returns one with a transactional id of its own, which is known to the broker.
func (s *subject) actor() *actor {
	s.Helper()
	a := s.stranger()
	a.must(a.init())
	return a
}

// stranger returns one with a transactional id that the broker does not know yet.
func (s *subject) stranger() *actor {
	s.Helper()
	a := &actor{raw: s.raw(), transactionalID: s.unique(), id: -1, epoch: -1, next: make(map[kafka.TopicPartition]int32)}
	a.coordinated(1, a.transactionalID)
	return a
}

// copy returns one that goes on where a is, and does not hear what a hears.
func (a *actor) copy() *actor {
	c := *a
	c.next = maps.Clone(a.next)
	return &c
}

func (a *actor) must(err error) {
	a.s.Helper()
	a.s.must(err)
}

// init begins anew, without a word of who it was.
func (a *actor) init() error {
	a.s.Helper()
	res := a.initAs(-1, -1)
	return kerr.ErrorForCode(res.ErrorCode)
}

// initAs begins anew as the successor of a producer id and epoch (KIP-360).
func (a *actor) initAs(id int64, epoch int16) (res *kmsg.InitProducerIDResponse) {
	a.s.Helper()
	req := a.initRequest()
	req.ProducerID, req.ProducerEpoch = id, epoch
	a.s.settle(func() int16 {
		res = ask(a.raw, req)
		return res.ErrorCode
	})
	if res.ErrorCode == 0 {
		a.id, a.epoch = res.ProducerID, res.ProducerEpoch
		clear(a.next)
	}
	return res
}

func (a *actor) initRequest() *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &a.transactionalID, int32(waitTimeout/time.Millisecond)
	return req
}

// add makes partitions part of the transaction and returns what is said of each.
func (a *actor) add(parts ...kafka.TopicPartition) (said []error) {
	a.s.Helper()
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch = a.transactionalID, a.id, a.epoch
	for _, tp := range parts {
		topic := kmsg.NewAddPartitionsToTxnRequestTopic()
		topic.Topic, topic.Partitions = tp.Topic, []int32{tp.Partition}
		req.Topics = append(req.Topics, topic)
	}
	codes := make(map[kafka.TopicPartition]int16)
	a.s.settle(func() int16 {
		for _, topic := range ask(a.at(3), req).Topics {
			for _, p := range topic.Partitions {
				codes[kafka.TopicPartition{Topic: topic.Topic, Partition: p.Partition}] = p.ErrorCode
			}
		}
		return codes[parts[0]]
	})
	for _, tp := range parts {
		said = append(said, kerr.ErrorForCode(codes[tp]))
	}
	return said
}

// write appends a batch of these values to tp, as part of the transaction.
func (a *actor) write(tp kafka.TopicPartition, said ...string) error {
	a.s.Helper()
	version := int16(11)
	if a.second {
		version = 12
	}
	req := produceRequest(-1, tp, a.batch(tp, said...))
	req.TransactionID = &a.transactionalID
	code := a.s.settle(func() int16 { return ask(a.at(version), req).Topics[0].Partitions[0].ErrorCode })
	if code == 0 {
		a.next[tp] += int32(len(said))
	}
	return kerr.ErrorForCode(code)
}

func (a *actor) batch(tp kafka.TopicPartition, said ...string) []byte {
	b := values(said...)
	b.Attributes |= transactionalBit
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = a.id, a.epoch, a.next[tp]
	return seal(b)
}

// has adds tp and writes to it.
func (a *actor) has(tp kafka.TopicPartition, said ...string) {
	a.s.Helper()
	if !a.second {
		a.must(a.add(tp)[0])
	}
	a.must(a.write(tp, said...))
}

func (a *actor) endRequest(commit bool) *kmsg.EndTxnRequest {
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = a.transactionalID, a.id, a.epoch, commit
	return req
}

// end commits or aborts.
func (a *actor) end(commit bool) error {
	a.s.Helper()
	version := int16(4)
	if a.second {
		version = 5
	}
	var res *kmsg.EndTxnResponse
	a.s.settle(func() int16 {
		res = ask(a.at(version), a.endRequest(commit))
		return res.ErrorCode
	})
	if a.second && res.ErrorCode == 0 {
		a.id, a.epoch = res.ProducerID, res.ProducerEpoch
		clear(a.next)
	}
	return kerr.ErrorForCode(res.ErrorCode)
}

// addOffsets makes the offsets of a group part of the transaction.
func (a *actor) addOffsets(group string) error {
	a.s.Helper()
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = a.transactionalID, a.id, a.epoch, group
	return kerr.ErrorForCode(a.s.settle(func() int16 { return ask(a.at(3), req).ErrorCode }))
}

// commitRequest commits an offset of tp for a group, in the name of no member.
func (a *actor) commitRequest(group string, tp kafka.TopicPartition, offset int64) *kmsg.TxnOffsetCommitRequest {
	partition := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	partition.Partition, partition.Offset = tp.Partition, offset
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic, topic.Partitions = tp.Topic, []kmsg.TxnOffsetCommitRequestTopicPartition{partition}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = a.transactionalID, a.id, a.epoch, group
	req.Topics = []kmsg.TxnOffsetCommitRequestTopic{topic}
	return req
}

func (a *actor) commitOffset(req *kmsg.TxnOffsetCommitRequest) error {
	a.s.Helper()
	version := int16(4)
	if a.second {
		version = 5
	}
	return kerr.ErrorForCode(a.s.settle(func() int16 { return ask(a.at(version), req).Topics[0].Partitions[0].ErrorCode }))
}
