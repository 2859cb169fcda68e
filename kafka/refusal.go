package kafka

import (
	"errors"
	"fmt"
	"slices"

	"github.com/IBM/sarama"
)

// A Tag is what a sender wants to get back with a record that was refused, such as where the record came from. The
// Producer does not look at it.
type Tag [2]int64

// A Refusal is a record that was not written because of what it is: it is larger than its topic allows, its time is
// outside of what the topic allows, it has no key in a compacted topic, or a policy of the broker forbids it.
type Refusal struct {
	TopicPartition
	Tag       Tag    // as given to SendTagged
	Key       []byte // nil is null
	Timestamp int64  // milliseconds since the Unix epoch
	Size      int    // bytes on the wire, at most
	Err       error  // ErrRecordTooLarge, ErrRefused with the broker's own words, or what else is wrong with it
}

// Error says which record was refused, and why.
func (r *Refusal) Error() string {
	return fmt.Sprintf("kafka: produce %v: %v", r.TopicPartition, r.Err)
}

// Unwrap returns why.
func (r *Refusal) Unwrap() error { return r.Err }

// A RefusedError is the error of Flush and Commit when everything was written except for these records, in the order
// in which they were refused. Those of one partition are in the order in which they were sent.
type RefusedError struct{ Refusals []*Refusal }

// Error shows the first refusal and the number of the others.
func (e *RefusedError) Error() string {
	text := e.Refusals[0].Error()
	if more := len(e.Refusals) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more records)", more)
	}
	return text
}

// Unwrap returns the first refusal.
func (e *RefusedError) Unwrap() error { return e.Refusals[0] }

// maxRecordBytes is the largest record that a Producer sends. Brokers close the connection when a request is larger
// than their socket.request.max.bytes, which is 100 MiB by default, and then nobody could tell which record it was.
const maxRecordBytes = 100<<20 - 64<<10

// recordFault reports whether a broker refuses a batch because of a record in it, so that the other records can be
// written without that one. The answer to a batch that arrived damaged (CORRUPT_MESSAGE) is not among these: the same
// bytes sent again may arrive.
func recordFault(err error) bool {
	return hasCode(err, sarama.ErrMessageSizeTooLarge, sarama.ErrMessageSetSizeTooLarge, sarama.ErrInvalidRecord,
		sarama.ErrInvalidTimestamp, sarama.ErrPolicyViolation)
}

// refused takes the broker's refusal of the first batch of part. A refused batch has used no sequence numbers, so its
// records can be sent again in other batches: without those that the broker names, or in smaller batches until the one at fault is
// alone. The caller holds mu.
func (p *Producer) refused(part *outPartition, err error, named []sarama.ProduceResponseRecordError) {
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
		p.leaveOut(part, wrong)
		return
	}
	limit := b.size / 2
	if tooLarge {
		part.limit = min(part.limit, limit)
	}
	p.cut(part, limit)
}

// withMessage is err with what the broker says of one record instead of what it says of the batch.
func withMessage(err error, message *string) error {
	var e *brokerError
	if message == nil || *message == "" || !errors.As(err, &e) {
		return err
	}
	return &brokerError{code: e.code, message: *message}
}

// leaveOut replaces the first batch of part by one without the wrong records, which are kept for Flush to tell.
// The caller holds mu.
func (p *Producer) leaveOut(part *outPartition, wrong map[int]error) {
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
			Err: advised(err, r.Timestamp, size),
		})
	}
	p.replace(part, rest)
}

// advised is err with what can be done about it.
func advised(err error, timestamp int64, size int) error {
	switch {
	case hasCode(err, sarama.ErrInvalidTimestamp):
		return fmt.Errorf("%w: timestamp %d; see the topic's message.timestamp.before.max.ms and message.timestamp.after.max.ms", err, timestamp)
	case errors.Is(err, ErrRecordTooLarge):
		return fmt.Errorf("%w: %d bytes; raise the topic's max.message.bytes", err, size)
	}
	return err
}

// cut replaces the first batch of part by batches of at most limit bytes, or of one record. The caller holds mu.
func (p *Producer) cut(part *outPartition, limit int) {
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

// replace puts others in the place of the first batch of part; empty ones are dropped. The caller holds mu.
func (p *Producer) replace(part *outPartition, others ...*batch) {
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

// TakeRefusals returns the refused records of which Flush and Commit tell, and forgets them: after it, Commit commits
// without them.
func (p *Producer) TakeRefusals() []*Refusal {
	p.mu.Lock()
	defer p.mu.Unlock()
	taken := p.refusals
	p.refusals = nil
	return taken
}

// impossible is the refusal of a record that no broker can hold.
func impossible(tp TopicPartition, r *Record, tag Tag, size int) error {
	err := fmt.Errorf("timestamp %d is not within the years 1970 to 2262", r.Timestamp)
	if size > maxRecordBytes {
		err = fmt.Errorf("%w: %d bytes; requests to brokers have at most 100 MiB", ErrRecordTooLarge, size)
	}
	return &Refusal{TopicPartition: tp, Tag: tag, Key: slices.Clone(r.Key), Timestamp: r.Timestamp, Size: size, Err: err}
}
