package kafka

import (
	"errors"
	"fmt"
	"slices"

	"github.com/IBM/sarama"
)

// A Tag is returned to the sender with a refused record, for example to say where the record came from. The Producer
// does not interpret it.
type Tag [2]int64

// A Refusal is a record that the broker refused: it is larger than its topic allows, its timestamp is outside of the
// topic's limits, it has no key in a compacted topic, or it violates a policy of the broker.
type Refusal struct {
	TopicPartition
	Tag       Tag    // as given to SendTagged
	Key       []byte // nil is null
	Timestamp int64  // milliseconds since the Unix epoch
	Size      int    // upper bound of the encoded size, in bytes
	Err       error  // ErrRecordTooLarge, ErrRefused with the broker's explanation, or another reason
}

// Error says which record was refused, and why.
func (r *Refusal) Error() string {
	return fmt.Sprintf("kafka: produce %v: %v", r.TopicPartition, r.Err)
}

// Unwrap returns the reason.
func (r *Refusal) Unwrap() error { return r.Err }

// A RefusedError is returned by Flush and Commit if everything was written except for these records. They are in the
// order in which they were refused; those of one partition are in the order in which they were sent.
type RefusedError struct{ Refusals []*Refusal }

// Error describes the first refusal and counts the others.
func (e *RefusedError) Error() string {
	text := e.Refusals[0].Error()
	if more := len(e.Refusals) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more records)", more)
	}
	return text
}

// Unwrap returns the first refusal.
func (e *RefusedError) Unwrap() error { return e.Refusals[0] }

// maxRecordBytes is the largest record that a Producer sends. Brokers close the connection if a request exceeds their
// socket.request.max.bytes (100 MiB by default), and the answer would not say which record was too large.
const maxRecordBytes = 100<<20 - 64<<10

// recordFault reports whether a broker rejects a batch because of one of its records, so that the other records can be
// written without it. CORRUPT_MESSAGE is not among these errors: the batch was damaged in transit, and may arrive
// intact when sent again.
func recordFault(err error) bool {
	return hasCode(err, sarama.ErrMessageSizeTooLarge, sarama.ErrMessageSetSizeTooLarge, sarama.ErrInvalidRecord,
		sarama.ErrInvalidTimestamp, sarama.ErrPolicyViolation)
}

// refused handles the broker's rejection of the first batch of part. A rejected batch uses no sequence numbers, so its
// records can be sent again in other batches: without the records that the broker names or, if it names none, in
// smaller batches until the faulty record is alone. The caller holds mu.
func (p *Producer) refused(part *producerPartition, err error, named []sarama.ProduceResponseRecordError) {
	b := part.queue[0]
	tooLarge := errors.Is(err, ErrRecordTooLarge)
	wrong := make(map[int]error)
	for _, e := range named {
		if i := int(e.BatchIndex); i >= 0 && i < b.n {
			wrong[i] = withMessage(err, e.BatchIndexErrorMessage)
		}
	}
	if b.n == 1 {
		wrong[0] = err
	}
	if len(wrong) > 0 {
		p.dropRecords(part, wrong)
		return
	}
	limit := b.size / 2
	if tooLarge {
		part.limit = min(part.limit, limit)
	}
	p.splitBatch(part, limit)
}

// withMessage returns err with the broker's message for one record instead of that for the batch.
func withMessage(err error, message *string) error {
	var e *brokerError
	if message == nil || *message == "" || !errors.As(err, &e) {
		return err
	}
	return &brokerError{code: e.code, message: *message}
}

// dropRecords replaces the first batch of part by one without the wrong records, and keeps these for Flush to return.
// The caller holds mu.
func (p *Producer) dropRecords(part *producerPartition, wrong map[int]error) {
	old := part.queue[0]
	rest := newBatch(part)
	for i := range old.n {
		r, tag := old.record(i)
		size := recordSize(&r)
		err, bad := wrong[i]
		if !bad {
			rest.add(&r, tag, size)
			continue
		}
		p.refusals = append(p.refusals, &Refusal{
			TopicPartition: part.tp, Tag: tag, Key: slices.Clone(r.Key), Timestamp: r.Timestamp, Size: size,
			Err: withAdvice(err, r.Timestamp, size),
		})
	}
	p.replace(part, rest)
}

// withAdvice adds to err how to fix it.
func withAdvice(err error, timestamp int64, size int) error {
	switch {
	case hasCode(err, sarama.ErrInvalidTimestamp):
		return fmt.Errorf("%w: timestamp %d; see the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms", err, timestamp)
	case errors.Is(err, ErrRecordTooLarge):
		return fmt.Errorf("%w: %d bytes; raise the topic's max.message.bytes", err, size)
	}
	return err
}

// splitBatch replaces the first batch of part by batches of at most limit bytes, or of one record. The caller holds mu.
func (p *Producer) splitBatch(part *producerPartition, limit int) {
	old := part.queue[0]
	pieces := []*batch{newBatch(part)}
	for i := range old.n {
		r, tag := old.record(i)
		size := recordSize(&r)
		last := pieces[len(pieces)-1]
		if last.n > 0 && last.size+size > limit {
			last = newBatch(part)
			pieces = append(pieces, last)
		}
		last.add(&r, tag, size)
	}
	p.replace(part, pieces...)
}

// replace replaces the first batch of part by others, without empty ones. The caller holds mu.
func (p *Producer) replace(part *producerPartition, others ...*batch) {
	old := part.queue[0]
	queue := make([]*batch, 0, len(others)+len(part.queue)-1)
	for _, b := range others {
		if b.n == 0 {
			b.release()
			continue
		}
		b.finish(p)
		queue = append(queue, b)
		p.buffered += b.memory()
	}
	p.sealed += len(queue) - 1
	p.buffered -= old.memory()
	part.queue = append(queue, part.queue[1:]...)
	part.attempts = 0
	old.release()
}

// TakeRefusals returns and forgets the refused records that Flush and Commit reported. Commit then commits without
// them.
func (p *Producer) TakeRefusals() []*Refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.refusals
	p.refusals = nil
	return taken
}

// invalidRecord returns the refusal of a record that no broker accepts.
func invalidRecord(tp TopicPartition, r *Record, tag Tag, size int) error {
	err := fmt.Errorf("timestamp %d is not within the years 1970 to 2262", r.Timestamp)
	if size > maxRecordBytes {
		err = fmt.Errorf("%w: %d bytes; a request can have at most 100 MiB", ErrRecordTooLarge, size)
	}
	return &Refusal{TopicPartition: tp, Tag: tag, Key: slices.Clone(r.Key), Timestamp: r.Timestamp, Size: size, Err: err}
}
