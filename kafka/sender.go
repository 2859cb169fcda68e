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
	// requestBytes is the size at which a produce request is full, unless one batch is larger.
	requestBytes = 4 << 20

	// unknownTopicTimeout bounds how long to retry a batch whose topic is unknown: brokers learn of a new topic one
	// after another, and so they do after a full restart. It also bounds retries of a batch that arrives damaged.
	// Config.RetryTimeout bounds both.
	unknownTopicTimeout = 5 * time.Second
)

// dispatch sends all requests that can be sent now. It is called after every change: a batch was sealed, an answer
// arrived, a leader was found, a pause is over. It starts goroutines for everything that blocks. The caller holds mu.
func (p *Producer) dispatch() {
	if p.err != nil || p.sealed == 0 {
		return
	}
	requests := make(map[string][]*producerPartition)
	sizes := make(map[string]int)
	var join, look bool
	for _, part := range p.parts {
		if len(part.queue) == 0 || part.sending || part.waiting {
			continue
		}
		if b := part.queue[0]; b.size > part.limit && b.n > 1 && !b.lost {
			p.splitBatch(part, part.limit) // sealed before the partition's lower limit was known
		}
		switch {
		case !part.joined && p.cfg.TransactionalID != "":
			join = true
		case !p.setLeader(part):
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
		p.work.Go(p.lookUpLeaders)
	}
	for addr, parts := range requests {
		p.busy[addr] = true
		req := p.request(parts)
		p.work.Go(func() { p.exchange(addr, req, parts) })
	}
}

// request returns a request with the first batch of each of parts. The caller holds mu.
func (p *Producer) request(parts []*producerPartition) *sarama.ProduceRequest {
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

// setLeader sets the leader of part from the cached metadata and reports whether it is known.
func (p *Producer) setLeader(part *producerPartition) bool {
	if part.addr == "" {
		part.addr, _, _ = p.c.knownLeader(part.tp)
	}
	return part.addr != ""
}

// lookUpLeaders looks up the leaders of the partitions without a known leader.
func (p *Producer) lookUpLeaders() {
	p.mu.Lock()
	parts := make(map[TopicPartition]*producerPartition)
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

// exchange sends req, with the first batch of each of parts, to the broker at addr and handles the answer.
func (p *Producer) exchange(addr string, req *sarama.ProduceRequest, parts []*producerPartition) {
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

// answered handles the broker's answer for the first batch of part. The caller holds mu.
func (p *Producer) answered(part *producerPartition, answer *sarama.ProduceResponseBlock) {
	switch {
	case answer == nil:
		p.failed(part, fmt.Errorf("%w: the broker did not answer for this partition", ErrCorrupt))
		return
	case answer.Err == sarama.ErrDuplicateSequenceNumber:
		part.lastOffset = -1
	case answer.Err != sarama.ErrNoError:
		err := codeErrorMessage(answer.Err, answer.ErrorMessage)
		if p.err == nil && recordFault(err) && !part.queue[0].lost {
			p.refused(part, err, answer.RecordErrors)
		} else {
			p.failed(part, err)
		}
		return
	default:
		part.lastOffset = answer.Offset + int64(part.queue[0].n) - 1
		if answer.Offset < 0 {
			part.lastOffset = -1
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

// sequenceAfter returns the sequence number n records after seq. It wraps from the largest int32 to 0.
func sequenceAfter(seq int32, n int) int32 { return int32((int64(seq) + int64(n)) & math.MaxInt32) }

// failed decides whether to retry the first batch of part. The caller holds mu.
func (p *Producer) failed(part *producerPartition, err error) {
	b := part.queue[0]
	if b.since.IsZero() {
		b.since = time.Now()
	}
	b.lost = b.lost || unanswered(err) || hasCode(err, sarama.ErrRequestTimedOut, sarama.ErrNotEnoughReplicasAfterAppend)
	retryTimeout := time.Duration(0)
	switch {
	case retriable(err):
		retryTimeout = p.c.cfg.RetryTimeout
	case errors.Is(err, ErrUnknownTopic), hasCode(err, sarama.ErrInvalidMessage):
		retryTimeout = min(unknownTopicTimeout, p.c.cfg.RetryTimeout)
	}
	if p.err == nil && time.Since(b.since) >= retryTimeout {
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

// batchError returns the error that stops the producer because the first batch of part failed.
func (p *Producer) batchError(part *producerPartition, err error) error {
	if part.queue[0].lost {
		err = fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	}
	return fmt.Errorf("kafka: produce %w", &PartitionError{part.tp, err})
}
