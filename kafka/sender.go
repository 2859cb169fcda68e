package kafka

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/IBM/sarama"
)

const (
	// requestBytes is when a produce request is full, unless one batch is larger.
	requestBytes = 4 << 20

	// topicPatience is how long a topic may be unknown: brokers learn of a new one, and after a restart of all, one
	// after another. A batch that arrives damaged is sent again for as long. Config.RetryTimeout bounds both.
	topicPatience = 5 * time.Second
)

// dispatch sends what can be sent. It is called whenever something has changed: a batch was sealed, an answer came, a
// leader was found, a pause is over. It starts goroutines for whatever takes time. The caller holds mu.
func (p *Producer) dispatch() {
	if p.err != nil || p.sealed == 0 {
		return
	}
	requests := make(map[string][]*outPartition)
	sizes := make(map[string]int)
	var join, look bool
	for _, part := range p.parts {
		if len(part.queue) == 0 || part.sending || part.waiting {
			continue
		}
		if b := part.queue[0]; b.size > part.limit && b.n > 1 && !b.lost {
			p.cut(part, part.limit) // sealed before its partition was known to take less
		}
		switch {
		case !part.joined && p.cfg.TransactionalID != "":
			join = true
		case !p.lead(part):
			look = true
		case p.busy[part.addr]:
		case sizes[part.addr] > 0 && sizes[part.addr]+part.queue[0].size > requestBytes:
		default:
			requests[part.addr] = append(requests[part.addr], part)
			sizes[part.addr] += part.queue[0].size
		}
	}
	if join && !p.joining {
		p.joining = true
		p.work.Go(p.join)
	}
	if look && !p.looking {
		p.looking = true
		p.work.Go(p.look)
	}
	for addr, parts := range requests {
		p.busy[addr] = true
		req := p.request(parts)
		p.work.Go(func() { p.exchange(addr, req, parts) })
	}
}

// request returns a request with the first batch of each of parts. The caller holds mu.
func (p *Producer) request(parts []*outPartition) *sarama.ProduceRequest {
	req := &sarama.ProduceRequest{
		Version:      8,
		RequiredAcks: sarama.WaitForAll,
		Timeout:      int32(p.c.cfg.RequestTimeout / 2 / time.Millisecond),
	}
	if p.cfg.TransactionalID != "" {
		req.TransactionalID = &p.cfg.TransactionalID
	}
	for _, part := range parts {
		part.sending = true
		b := part.queue[0]
		b.rb.FirstSequence = part.seq
		if b.since.IsZero() {
			b.since = time.Now()
		}
		req.AddBatch(part.tp.Topic, part.tp.Partition, &b.rb)
	}
	return req
}

// lead notes the leader of part, if it is known without asking.
func (p *Producer) lead(part *outPartition) bool {
	if part.addr == "" {
		part.addr, _, _ = p.c.knownLeader(part.tp)
	}
	return part.addr != ""
}

// look looks up the leaders of the partitions whose leader is unknown.
func (p *Producer) look() {
	p.mu.Lock()
	parts := make(map[TopicPartition]*outPartition)
	for _, part := range p.parts {
		if len(part.queue) > 0 && !part.sending && !part.waiting && part.addr == "" {
			parts[part.tp] = part
		}
	}
	p.mu.Unlock()
	errs := p.c.lookUp(p.ctx, slices.Collect(maps.Keys(parts)))

	p.mu.Lock()
	defer p.mu.Unlock()
	for tp, err := range errs {
		if part := parts[tp]; p.err == nil && len(part.queue) > 0 && !part.sending && !part.waiting {
			p.failed(part, err)
		}
	}
	p.looking = false
	p.dispatch()
}

// exchange sends req, with the first batch of each of parts, to the broker at addr and takes the answer.
func (p *Producer) exchange(addr string, req *sarama.ProduceRequest, parts []*outPartition) {
	res, err := ask(p.ctx, p.data.get(addr), (*sarama.Broker).Produce, req)

	p.mu.Lock()
	defer p.mu.Unlock()
	p.busy[addr] = false
	for _, part := range parts {
		part.sending = false
		if err != nil {
			p.failed(part, err)
		} else {
			p.answered(part, res.Blocks[part.tp.Topic][part.tp.Partition])
		}
	}
	if p.err != nil {
		p.drop()
	}
	p.notify()
	p.dispatch()
}

// answered takes the broker's answer for the first batch of part. The caller holds mu.
func (p *Producer) answered(part *outPartition, answer *sarama.ProduceResponseBlock) {
	switch {
	case answer == nil:
		p.failed(part, fmt.Errorf("%w: the broker did not answer for this partition", ErrCorrupt))
		return
	case answer.Err == sarama.ErrDuplicateSequenceNumber:
		part.last = -1
	case answer.Err != sarama.ErrNoError:
		err := explained(answer.Err, answer.ErrorMessage)
		if p.err == nil && recordFault(err) && !part.queue[0].lost {
			p.refused(part, err, answer.RecordErrors)
		} else {
			p.failed(part, err)
		}
		return
	default:
		part.last = answer.Offset + int64(part.queue[0].n) - 1
		if answer.Offset < 0 {
			part.last = -1
		}
	}
	b := part.queue[0]
	part.queue = part.queue[1:]
	if len(part.queue) == 0 {
		part.queue = nil
	}
	part.attempts = 0
	part.seq = sequenceAfter(part.seq, b.n)
	p.sealed--
	p.buffered -= b.memory()
	b.release()
}

// sequenceAfter returns the sequence number that comes n records after seq: 0 follows the largest int32.
func sequenceAfter(seq int32, n int) int32 { return int32((int64(seq) + int64(n)) & math.MaxInt32) }

// failed decides whether to send the first batch of part again. The caller holds mu.
func (p *Producer) failed(part *outPartition, err error) {
	b := part.queue[0]
	if b.since.IsZero() {
		b.since = time.Now()
	}
	b.lost = b.lost || unanswered(err) || hasCode(err, sarama.ErrRequestTimedOut, sarama.ErrNotEnoughReplicasAfterAppend)
	patience := time.Duration(0)
	switch {
	case retriable(err):
		patience = p.c.cfg.RetryTimeout
	case errors.Is(err, ErrUnknownTopic), hasCode(err, sarama.ErrInvalidMessage):
		patience = min(topicPatience, p.c.cfg.RetryTimeout)
	}
	if p.err == nil && time.Since(b.since) >= patience {
		p.fail(p.batchError(part, err))
	}
	if p.err != nil {
		return
	}
	p.c.forgetLeader(part.tp)
	part.addr = ""
	part.waiting = true
	time.AfterFunc(backoff(part.attempts), func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		part.waiting = false
		p.dispatch()
	})
	part.attempts++
}

// batchError is the error that stops the producer because of the first batch of part.
func (p *Producer) batchError(part *outPartition, err error) error {
	if part.queue[0].lost {
		err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	return fmt.Errorf("kafka: produce %w", &PartitionError{part.tp, err})
}
