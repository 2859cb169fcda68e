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

// producer writes batches with the id, the epoch and the sequence numbers that the test says.
type producer struct {
	h             *harness
	id            int64
	epoch         int16
	transactional string // the id of its transactions; empty for none
	next          map[string]int32
}

// nobody writes without an id.
func (h *harness) nobody() *producer { return &producer{h: h, id: -1, epoch: -1} }

// producer returns an idempotent producer.
func (h *harness) producer() *producer {
	h.Helper()
	res := ask(h, kmsg.NewPtrInitProducerIDRequest())
	h.code(nil, res.ErrorCode, "init")
	return &producer{h: h, id: res.ProducerID, epoch: res.ProducerEpoch, next: make(map[string]int32)}
}

// transactional returns a producer with a transactional id. Its transactions may take as long as any may.
func (h *harness) transactional(id string) *producer {
	h.Helper()
	p := &producer{h: h, transactional: id}
	p.init(transaction.MaxTimeout)
	return p
}

// init begins anew with the transactional id.
func (p *producer) init(timeout time.Duration) {
	p.h.Helper()
	req := kmsg.NewPtrInitProducerIDRequest()
	req.TransactionalID, req.TransactionTimeoutMillis = &p.transactional, int32(timeout.Milliseconds())
	res := ask(p.h, req)
	p.h.code(nil, res.ErrorCode, "init")
	p.id, p.epoch, p.next = res.ProducerID, res.ProducerEpoch, make(map[string]int32)
}

// batch makes a batch. Its offsets begin at 0, the broker gives them.
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

// append writes a batch and returns the offset that it is given.
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

// appends complains unless a batch is given, or has, this offset.
func (p *producer) appends(topic string, want int64, records []byte) {
	p.h.Helper()
	if got, err := p.append(topic, records); err != nil || got != want {
		p.h.Errorf("append: offset %d, %v; want %d", got, err, want)
	}
}

// refused complains unless a batch is not taken for this reason.
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

// records makes records of this moment: "key=value", or "key" alone for a tombstone.
func (h *harness) records(texts ...string) []batch.Record { return at(h.now(), texts...) }

// at makes records of some time.
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

// filling makes the one record with which nobody's batch has this many bytes.
func (h *harness) filling(when time.Time, size int) batch.Record {
	h.Helper()
	r := at(when, "filling")[0]
	r.Value = make([]byte, size-batch.HeaderSize)
	for range 8 { // the length of lengths varies
		excess := len(h.nobody().batch(-1, r)) - size
		if excess == 0 {
			return r
		}
		r.Value = make([]byte, len(r.Value)-excess)
	}
	h.Fatalf("no batch has %d bytes", size)
	panic("unreachable")
}
