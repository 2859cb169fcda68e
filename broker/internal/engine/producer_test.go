package engine

import (
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/transaction"
)

// producer writes batches with a producer id, an epoch and sequence numbers that the test sets.
type producer struct {
	h             *harness
	id            int64
	epoch         int16
	transactional string // the transactional id; empty without transactions
	next          map[string]int32
}

// nobody is a producer without an id.
func (h *harness) nobody() *producer { return &producer{h: h, id: -1, epoch: -1} }

// producer returns an idempotent producer.
func (h *harness) producer() *producer {
	h.Helper()
	res := ask(h, kmsg.NewPtrInitProducerIDRequest())
	h.code(nil, res.ErrorCode, "init")
	return &producer{h: h, id: res.ProducerID, epoch: res.ProducerEpoch, next: make(map[string]int32)}
}

// transactional returns a producer with a transactional id and the longest allowed timeout.
func (h *harness) transactional(id string) *producer {
	h.Helper()
	p := &producer{h: h, transactional: id}
	p.init(transaction.MaxTimeout)
	return p
}

// init registers the transactional id again.
func (p *producer) init(timeout time.Duration) {
	p.h.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &p.transactional, int32(timeout.Milliseconds())
	res := ask(p.h, req)
	p.h.code(nil, res.ErrorCode, "init")
	p.id, p.epoch, p.next = res.ProducerID, res.ProducerEpoch, make(map[string]int32)
}

// batch makes a batch. Its offsets start at 0, because the broker assigns them.
func (p *producer) batch(sequence int32, records ...batch.Record) []byte {
	header := batch.Header{LeaderEpoch: -1, ProducerID: p.id, ProducerEpoch: p.epoch, BaseSequence: sequence}
	if p.transactional != "" {
		header.Attributes = batch.Transactional
	}
	var w batch.Writer
	w.Reset(header)
	for i, r := range records {
		r.Offset = int64(i)
		w.AppendRecord(&r)
	}
	return slices.Clone(w.Finish(int64(len(records)) - 1))
}

// append writes a batch and returns its offset.
func (p *producer) append(topic string, records []byte) (int64, error) {
	p.h.Helper()
	rp := kmsg.NewProduceRequestTopicPartition()
	rp.Records = records
	rt := kmsg.NewProduceRequestTopic()
	rt.Topic, rt.Partitions = topic, []kmsg.ProduceRequestTopicPartition{rp}
	req := kmsg.NewPtrProduceRequest()
	req.Version, req.Acks, req.Topics = byIDVersion-1, -1, []kmsg.ProduceRequestTopic{rt}
	if p.transactional != "" {
		req.TransactionID = &p.transactional
	}
	sp := ask(p.h, req).Topics[0].Partitions[0]
	return sp.BaseOffset, kerr.ErrorForCode(sp.ErrorCode)
}

// appends checks that a batch is accepted with the given offset.
func (p *producer) appends(topic string, want int64, records []byte) {
	p.h.Helper()
	if got, err := p.append(topic, records); err != nil || got != want {
		p.h.Errorf("append: offset %d, %v; want %d", got, err, want)
	}
}

// refused checks that a batch is rejected with the given error.
func (p *producer) refused(topic string, want error, records []byte) {
	p.h.Helper()
	if got, err := p.append(topic, records); err != want {
		p.h.Errorf("append: offset %d, %v; want: %v", got, err, want)
	}
}

// write appends one batch with the next sequence number.
func (p *producer) write(topic string, records ...batch.Record) {
	p.h.Helper()
	sequence := int32(-1)
	if p.id >= 0 {
		sequence = p.next[topic]
		p.next[topic] += int32(len(records))
	}
	_, err := p.append(topic, p.batch(sequence, records...))
	p.h.must(err)
}

// end commits or aborts the transaction.
func (p *producer) end(commit bool) {
	p.h.Helper()
	p.h.code(nil, p.tryEnd(commit).ErrorCode, "end the transaction")
}

func (p *producer) tryEnd(commit bool) *kmsg.EndTxnResponse {
	p.h.Helper()
	req := kmsg.NewPtrEndTxnRequest()
	req.TransactionalID, req.ProducerID, req.ProducerEpoch, req.Commit = p.transactional, p.id, p.epoch, commit
	res := ask(p.h, req)
	if res.ErrorCode == 0 {
		p.id, p.epoch, p.next = res.ProducerID, res.ProducerEpoch, make(map[string]int32)
	}
	return res
}

// write writes one batch, as nobody.
func (h *harness) write(topic string, records ...batch.Record) {
	h.Helper()
	h.nobody().write(topic, records...)
}

// records makes records with the current time from texts "key=value", or "key" for a tombstone.
func (h *harness) records(texts ...string) []batch.Record { return at(h.now(), texts...) }

// at makes records with the given time.
func at(when time.Time, texts ...string) (records []batch.Record) {
	for _, text := range texts {
		key, value, ok := strings.Cut(text, "=")
		r := batch.Record{Timestamp: when.UnixMilli(), Key: []byte(key)}
		if ok {
			r.Value = []byte(value)
		}
		records = append(records, r)
	}
	return records
}

// filling makes a record with which a batch of nobody has exactly the given size.
func (h *harness) filling(when time.Time, size int) batch.Record {
	h.Helper()
	r := at(when, "filling")[0]
	r.Value = make([]byte, size-batch.HeaderSize)
	for range 8 { // the encoded lengths vary in size
		excess := len(h.nobody().batch(-1, r)) - size
		if excess == 0 {
			return r
		}
		r.Value = make([]byte, len(r.Value)-excess)
	}
	h.Fatalf("no record gives a batch of %d bytes", size)
	panic("unreachable")
}
