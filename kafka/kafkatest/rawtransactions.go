package kafkatest

import (
	"maps"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// rawProducer is a transactional producer whose requests are made by the test. A test may change its fields to send invalid
// requests.
type rawProducer struct {
	*raw
	transactionalID string
	id              int64
	epoch           int16
	next            map[kafka.TopicPartition]int32 // sequence numbers
	second          bool                           // uses the protocol of transaction.version=2 (KIP-890)
}

// rawProducer returns a producer with a unique transactional id that is registered at the broker.
func (s *subject) rawProducer() *rawProducer {
	s.Helper()
	a := s.unregisteredProducer()
	a.must(a.init())
	return a
}

// unregisteredProducer returns a producer with a transactional id that is not registered at the broker.
func (s *subject) unregisteredProducer() *rawProducer {
	s.Helper()
	a := &rawProducer{raw: s.raw(), transactionalID: s.unique(), id: -1, epoch: -1, next: make(map[kafka.TopicPartition]int32)}
	a.coordinated(1, a.transactionalID)
	return a
}

// copy returns an independent copy of a in its current state.
func (a *rawProducer) copy() *rawProducer {
	c := *a
	c.next = maps.Clone(a.next)
	return &c
}

func (a *rawProducer) must(err error) {
	a.s.Helper()
	a.s.must(err)
}

// init registers the transactional id without its previous producer id.
func (a *rawProducer) init() error {
	a.s.Helper()
	res := a.initAs(-1, -1)
	return kerr.ErrorForCode(res.ErrorCode)
}

// initAs registers the transactional id as the successor of a producer id and epoch (KIP-360).
func (a *rawProducer) initAs(id int64, epoch int16) (res *kmsg.InitProducerIDResponse) {
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

func (a *rawProducer) initRequest() *kmsg.InitProducerIDRequest {
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &a.transactionalID, int32(waitTimeout/time.Millisecond)
	return req
}

// add adds partitions to the transaction and returns the error for each.
func (a *rawProducer) add(parts ...kafka.TopicPartition) (errs []error) {
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
		errs = append(errs, kerr.ErrorForCode(codes[tp]))
	}
	return errs
}

// write appends a batch of values to tp as part of the transaction.
func (a *rawProducer) write(tp kafka.TopicPartition, texts ...string) error {
	a.s.Helper()
	version := int16(11)
	if a.second {
		version = 12
	}
	req := produceRequest(-1, tp, a.batch(tp, texts...))
	req.TransactionID = &a.transactionalID
	code := a.s.settle(func() int16 { return ask(a.at(version), req).Topics[0].Partitions[0].ErrorCode })
	if code == 0 {
		a.next[tp] += int32(len(texts))
	}
	return kerr.ErrorForCode(code)
}

func (a *rawProducer) batch(tp kafka.TopicPartition, texts ...string) []byte {
	b := values(texts...)
	b.Attributes |= transactionalBit
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = a.id, a.epoch, a.next[tp]
	return seal(b)
}

// mustWrite adds tp to the transaction and writes to it.
func (a *rawProducer) mustWrite(tp kafka.TopicPartition, texts ...string) {
	a.s.Helper()
	if !a.second {
		a.must(a.add(tp)[0])
	}
	a.must(a.write(tp, texts...))
}

func (a *rawProducer) endRequest(commit bool) *kmsg.EndTxnRequest {
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = a.transactionalID, a.id, a.epoch, commit
	return req
}

// end commits or aborts the transaction.
func (a *rawProducer) end(commit bool) error {
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

// addOffsets adds the offsets of a group to the transaction.
func (a *rawProducer) addOffsets(group string) error {
	a.s.Helper()
	req := kmsg.NewPtrAddOffsetsToTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = a.transactionalID, a.id, a.epoch, group
	return kerr.ErrorForCode(a.s.settle(func() int16 { return ask(a.at(3), req).ErrorCode }))
}

// commitRequest returns a request to commit an offset of tp for a group, without a member.
func (a *rawProducer) commitRequest(group string, tp kafka.TopicPartition, offset int64) *kmsg.TxnOffsetCommitRequest {
	partition := kmsg.NewTxnOffsetCommitRequestTopicPartition()
	partition.Partition, partition.Offset = tp.Partition, offset
	topic := kmsg.NewTxnOffsetCommitRequestTopic()
	topic.Topic, topic.Partitions = tp.Topic, []kmsg.TxnOffsetCommitRequestTopicPartition{partition}
	req := kmsg.NewPtrTxnOffsetCommitRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Group = a.transactionalID, a.id, a.epoch, group
	req.Topics = []kmsg.TxnOffsetCommitRequestTopic{topic}
	return req
}

func (a *rawProducer) commitOffset(req *kmsg.TxnOffsetCommitRequest) error {
	a.s.Helper()
	version := int16(4)
	if a.second {
		version = 5
	}
	return kerr.ErrorForCode(a.s.settle(func() int16 { return ask(a.at(version), req).Topics[0].Partitions[0].ErrorCode }))
}
