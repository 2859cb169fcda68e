package engine

import (
	"errors"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/transaction"
)

// implicitVersion is the version of Produce from which a transactional producer need not add partitions before
// (KIP-890).
const implicitVersion = 12

// abortableVersion is the version of Produce from which a producer may be told to abort its transaction.
const abortableVersion = 11

// zstdVersion is the version of Produce from which batches may be compressed with zstd (KIP-110).
const zstdVersion = 7

// partitionAppend is one partition of a produce request, after all checks that do not need the state of the log.
type partitionAppend struct {
	topic    *topic
	number   int32
	header   batch.Header
	records  []byte
	response *kmsg.ProduceResponseTopicPartition
}

// produce writes record batches. It makes the checks that need no state here, in the goroutine of the connection.
func (e *Engine) produce(req *kmsg.ProduceRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.ProduceResponse)
	var todo []partitionAppend
	byID := req.Version >= byIDVersion
	c := e.catalog.Load()
	for _, rt := range req.Topics {
		t := c.topic(rt.Topic, rt.TopicID, byID)
		st := kmsg.NewProduceResponseTopic()
		st.Topic, st.TopicID = rt.Topic, rt.TopicID
		st.Partitions = make([]kmsg.ProduceResponseTopicPartition, len(rt.Partitions))
		for i, rp := range rt.Partitions {
			sp := &st.Partitions[i]
			sp.Default()
			sp.Partition, sp.BaseOffset, sp.LogAppendTime = rp.Partition, -1, -1
			a := partitionAppend{topic: t, number: rp.Partition, records: rp.Records, response: sp}
			if err := e.checkAppend(req, &a); err != nil {
				refuse(sp, unknownByID(err, byID && t == nil))
				continue
			}
			todo = append(todo, a)
		}
		res.Topics = append(res.Topics, st)
	}
	if len(todo) == 0 {
		replyProduced(req, res, reply, nil)
		return
	}
	e.send(e.writes, func() {
		for i := range todo {
			if err := e.append(req, &todo[i]); err != nil {
				refuse(todo[i].response, err)
			}
		}
		e.after(func(err error) { replyProduced(req, res, reply, err) })
	})
}

// replyProduced sends the response, unless the producer wants none: then an error closes the connection, so that the
// producer notices.
func replyProduced(req *kmsg.ProduceRequest, res *kmsg.ProduceResponse, reply func(kmsg.Response), err error) {
	switch {
	case err != nil:
		reply(nil)
	case req.Acks != 0:
		reply(res)
	case hasErrors(res):
		reply(nil)
	default:
		reply(NoResponse)
	}
}

func hasErrors(res *kmsg.ProduceResponse) bool {
	for _, t := range res.Topics {
		for _, p := range t.Partitions {
			if p.ErrorCode != 0 {
				return true
			}
		}
	}
	return false
}

func refuse(sp *kmsg.ProduceResponseTopicPartition, err error) {
	sp.ErrorCode = code(err)
	sp.BaseOffset = -1
	sp.ErrorMessage = message(err)
	var why *refusal
	if errors.As(err, &why) {
		for _, i := range why.records {
			wrong := kmsg.NewProduceResponseTopicPartitionErrorRecord()
			wrong.RelativeOffset, wrong.ErrorMessage = i, sp.ErrorMessage
			sp.ErrorRecords = append(sp.ErrorRecords, wrong)
		}
	}
}

// checkAppend makes all checks of a batch that do not need the log.
func (e *Engine) checkAppend(req *kmsg.ProduceRequest, a *partitionAppend) error {
	switch {
	case req.Acks != 0 && req.Acks != 1 && req.Acks != -1:
		return kerr.InvalidRequiredAcks
	case a.topic.partition(a.number) == nil:
		return kerr.UnknownTopicOrPartition
	case e.db.Failed() != nil:
		return protocolError(kerr.KafkaStorageError, "%v", e.db.Failed())
	case e.full.Load():
		return protocolError(kerr.KafkaStorageError, "the broker's disk is full: free some space, or delete records")
	}
	s := &a.topic.settings
	h, err := batch.Check(a.records)
	switch {
	case len(a.records) == 0:
		return protocolError(kerr.InvalidRecord, "there are no records")
	case errors.Is(err, batch.ErrMagic), errors.Is(err, batch.ErrCRC), errors.Is(err, batch.ErrTruncated):
		return protocolError(kerr.CorruptMessage, "%v", err)
	case err != nil:
		return protocolError(kerr.InvalidRecord, "%v", err)
	case h.Attributes.Control():
		return protocolError(kerr.InvalidRecord, "clients cannot write control records")
	case h.BaseOffset != 0:
		return protocolError(kerr.InvalidRecord, "the batch has base offset %d, but the broker assigns offsets", h.BaseOffset)
	case h.Attributes.Compression() == batch.Zstd && req.Version < zstdVersion:
		return protocolError(kerr.UnsupportedCompressionType, "zstd needs version %d of Produce", zstdVersion)
	case h.Size() > s.maxMessage:
		return protocolError(kerr.MessageTooLarge, "the batch has %d bytes, %s allows %d", h.Size(), maxMessageBytes, s.maxMessage)
	}
	a.header = h
	return s.inspect(&h, a.records, e.clock().UnixMilli())
}

// append writes one batch, in the engine's goroutine.
func (e *Engine) append(req *kmsg.ProduceRequest, a *partitionAppend) error {
	t := e.topics[a.topic.Name]
	if t == nil || t.ID != a.topic.ID {
		return kerr.UnknownTopicOrPartition
	}
	p := t.partition(a.number)
	if err := e.admit(req, p, &a.header); err != nil {
		return err
	}
	base, err := p.append(e.open, e.clock().UnixMilli(), &t.settings, &a.header, a.records)
	if err != nil {
		return err
	}
	a.response.BaseOffset, a.response.LogStartOffset = base, p.Start
	if t.settings.logAppendTime {
		a.response.LogAppendTime = a.header.MaxTimestamp
	}
	return nil
}

// admit checks that a transactional batch belongs to the open transaction of its producer.
func (e *Engine) admit(req *kmsg.ProduceRequest, p *partition, h *batch.Header) error {
	if !h.Idempotent() {
		return nil
	}
	t, transactional := e.producers[h.ProducerID], h.Attributes.Transactional()
	switch {
	case transactional && req.TransactionID == nil:
		return kerr.TransactionalIDAuthorizationFailed
	case t == nil && transactional:
		return kerr.InvalidProducerIDMapping
	case t == nil:
		return nil
	}
	b := transaction.Batch{ID: orEmpty(req.TransactionID), Epoch: h.ProducerEpoch, Transactional: transactional, Partition: transaction.Partition(p.id)}
	d := transaction.Dialect{KnowsAbort: req.Version >= abortableVersion, Second: req.Version >= implicitVersion}
	joins, err := t.MayWrite(b, d)
	if !joins {
		return err
	}
	switch base, wrong := p.checkSequence(h); {
	case wrong == nil && base >= 0:
		return nil // a duplicate after the end of its transaction; it begins no new one
	case err != nil:
		return err
	case wrong != nil:
		return wrong
	}
	return e.addPartitions(t, t.Producer(), []transaction.Partition{b.Partition}, d)
}
