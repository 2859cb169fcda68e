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
	own       bool   // a repartition topic: its records say where they come from
	from      string // the topic that the last of them came from
	queue     plan.Queue
	bytes     int   // memory of the queue; see RecordBytes
	next      int64 // the offset after the last record processed: what is committed
	fetched   int64 // the position of the fetch; beyond next it may be control records and gaps
	atEnd     bool  // the fetch has reached the end of the partition
	moved     bool  // next changed since the last commit
}

// sortInputs puts tables first: of records with the same time, a table's row is there before the stream looks for it.
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

// Topics returns the topics that the task reads its partition of.
func (t *Task) Topics() []string {
	topics := make([]string, len(t.inputs))
	for i, in := range t.inputs {
		topics[i] = in.topic
	}
	return topics
}

// Seek sets where reading a topic begins: the committed offset, or where the owner starts without one. The next commit
// commits it, so that state never stands beside a group without offsets.
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

// Add hands the task records that were fetched from its partition of a topic, in order, with the position after them
// and whether that is the partition's end. The task keeps the slice.
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
	in.pass()
}

// pass moves over what is behind the last record: control records and compaction gaps.
func (in *input) pass() {
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

// RecordBytes is about how much memory a fetched record takes while it waits.
func RecordBytes(r *plan.Raw) int {
	const raw, header = 88, 40 // the structs
	size := raw + len(r.Key) + len(r.Value)
	for i := range r.Headers {
		size += header + len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return size
}

// Buffered returns how many records of a topic wait, and how much memory they take.
func (t *Task) Buffered(topic string) (records, bytes int) {
	if in := t.input(topic); in != nil {
		return in.queue.Len(), in.bytes
	}
	return 0, 0
}

// Drained reports whether every input was read to its end and nothing waits.
func (t *Task) Drained() bool {
	for _, in := range t.inputs {
		if in.queue.Len() > 0 || !in.atEnd {
			return false
		}
	}
	return true
}

// Ready reports whether Step can process a record: some wait, and every input either has one or was read to its end,
// so that the one with the smallest timestamp is known.
func (t *Task) Ready() bool {
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

// choose returns the input whose head has the smallest timestamp, nil if that cannot be known yet. decodeErr is the
// head's.
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

// done drops the head and moves behind it.
func (in *input) done(raw *plan.Raw) {
	in.next, in.moved = raw.Offset+1, true
	in.bytes -= RecordBytes(raw)
	in.queue.Pop()
	in.pass()
}

// Committable returns the next offset to process: what a commit now would commit.
func (t *Task) Committable(topic string) int64 {
	if in := t.input(topic); in != nil {
		return in.next
	}
	return 0
}

// Reached is Committable, but behind the record in hand if that is of the topic. uncommitted says that the input has moved
// since the last commit, or that a record of it is in hand.
func (t *Task) Reached(topic string) (offset int64, uncommitted bool) {
	in := t.input(topic)
	if in == nil {
		return 0, false
	}
	if t.hand.input == in {
		return t.hand.raw.Offset + 1, true
	}
	return in.next, in.moved
}

// Position returns the offset to fetch next.
func (t *Task) Position(topic string) int64 {
	if in := t.input(topic); in != nil {
		return in.fetched
	}
	return 0
}
