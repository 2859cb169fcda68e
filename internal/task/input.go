package task

import (
	"slices"

	"github.com/rio-streams/rio/internal/plan"
)

// input is one source partition.
type input struct {
	topic     string
	partition int32
	table     bool
	source    *plan.Node
	own       bool   // a repartition topic: its records have an origin header
	from      string // the source topic of the last record
	queue     plan.Queue
	bytes     int   // memory of the queue; see RecordBytes
	next      int64 // the offset after the last processed record, which is committed
	fetched   int64 // the fetch position; between next and it may be control records and gaps
	atEnd     bool  // the fetch has reached the end of the partition
	moved     bool  // next has changed since the last commit
}

// sortInputs puts tables first: of records with the same timestamp, a table's row is processed before the stream record
// that looks it up.
func sortInputs(inputs []*input) {
	slices.SortStableFunc(inputs, func(a, b *input) int {
		switch {
		case a.table == b.table:
			return 0
		case a.table:
			return -1
		}
		return 1
	})
}

// Topics returns the topics that the task reads.
func (t *Task) Topics() []string {
	topics := make([]string, len(t.inputs))
	for i, in := range t.inputs {
		topics[i] = in.topic
	}
	return topics
}

// Seek sets the position to start reading a topic: the committed offset, or the owner's choice if there is none. The
// next commit commits it, so that there is never state without committed offsets.
func (t *Task) Seek(topic string, offset int64) error {
	if err := t.enter("Seek", restoring, restoring); err != nil {
		return err
	}
	if in := t.input(topic); in != nil {
		in.queue.Clear()
		in.bytes = 0
		in.next, in.fetched, in.atEnd, in.moved = offset, offset, false, true
	}
	return nil
}

// Add queues records that were fetched from the task's partition of a topic, in order, with the position after them and
// whether that is the partition's end. The task keeps the slice.
func (t *Task) Add(topic string, records []plan.Raw, next int64, atEnd bool) {
	in := t.input(topic)
	if in == nil {
		return
	}
	in.queue.Add(records)
	for i := range records {
		in.bytes += RecordBytes(&records[i])
	}
	in.fetched, in.atEnd = next, atEnd
	in.skipGap()
}

// skipGap advances past control records and compaction gaps after the last record.
func (in *input) skipGap() {
	if in.queue.Len() == 0 && in.fetched > in.next {
		in.next, in.moved = in.fetched, true
	}
}

func (t *Task) input(topic string) *input {
	for _, in := range t.inputs {
		if in.topic == topic {
			return in
		}
	}
	return nil
}

// RecordBytes returns the approximate memory of a queued record.
func RecordBytes(r *plan.Raw) int {
	const raw, header = 88, 40 // sizes of the structs
	size := raw + len(r.Key) + len(r.Value)
	for i := range r.Headers {
		size += header + len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return size
}

// Buffered returns the number of queued records of a topic, and their memory in bytes.
func (t *Task) Buffered(topic string) (records, bytes int) {
	if in := t.input(topic); in != nil {
		return in.queue.Len(), in.bytes
	}
	return 0, 0
}

// Drained reports whether every input was read to its end, no record is queued, and no call is in flight.
func (t *Task) Drained() bool {
	if t.Calling() {
		return false
	}
	for _, in := range t.inputs {
		if in.queue.Len() > 0 || !in.atEnd {
			return false
		}
	}
	return true
}

// Ready reports whether Step can process a record: at least one is queued, and every input has a queued record or was
// read to its end, so that the smallest timestamp is known. While a step makes as many calls to the outside as it may,
// only their results are processed.
func (t *Task) Ready() bool {
	if t.nextAnswer() != nil {
		return true
	}
	if t.full() && t.current.input == nil {
		return false
	}
	some := false
	for _, in := range t.inputs {
		switch {
		case in.queue.Len() > 0:
			some = true
		case !in.atEnd:
			return false
		}
	}
	return some
}

// choose returns the input whose head has the smallest timestamp, nil if that is not known yet. decodeErr is the decode
// error of the head.
func (t *Task) choose() (chosen *input, raw *plan.Raw, timestamp int64, decodeErr error) {
	for _, in := range t.inputs {
		if in.queue.Len() == 0 {
			if !in.atEnd {
				return nil, nil, 0, nil
			}
			continue
		}
		r, ts, err := in.queue.Head()
		if chosen == nil || ts < timestamp {
			chosen, raw, timestamp, decodeErr = in, r, ts, err
		}
	}
	return chosen, raw, timestamp, decodeErr
}

// done removes the head and advances past it.
func (in *input) done(raw *plan.Raw) {
	in.next, in.moved = raw.Offset+1, true
	in.bytes -= RecordBytes(raw)
	in.queue.Pop()
	in.skipGap()
}

// Committable returns the next offset to process, which a commit now would commit.
func (t *Task) Committable(topic string) int64 {
	if in := t.input(topic); in != nil {
		return in.next
	}
	return 0
}

// Reached is Committable, or the offset after the current record if that is of the topic. uncommitted reports whether
// the input has advanced since the last commit, or the current record is of the topic.
func (t *Task) Reached(topic string) (offset int64, uncommitted bool) {
	in := t.input(topic)
	if in == nil {
		return 0, false
	}
	if t.current.input == in {
		return t.current.raw.Offset + 1, true
	}
	return in.next, in.moved
}

// Position returns the next offset to fetch.
func (t *Task) Position(topic string) int64 {
	if in := t.input(topic); in != nil {
		return in.fetched
	}
	return 0
}
