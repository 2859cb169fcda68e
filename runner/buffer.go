package runner

import (
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
)

// The memory for fetched records is divided evenly among the partitions of a worker. A partition that exceeds its share is
// paused until its queue has shrunk to half of the share. A partition with an empty queue is never paused, so a task always
// gets the record it waits for, however many records of its other inputs are queued.

// buffer queues the records fetched from one partition of a task, and pauses the partition if it exceeds its share. answer
// is the size in bytes of the whole fetch response.
func (w *worker) buffer(t *running, f *kafka.Fetched, answer int) {
	records := taskRecords(f.Records)
	if waiting, _ := t.task.Buffered(f.Topic); waiting > 0 && 3*f.Bytes < answer {
		detach(records, f.Bytes) // otherwise these records, which stay queued for a while, keep the whole response in memory
	}
	t.task.Add(f.Topic, records, f.Next, f.Next >= f.LastStable)
	tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
	if _, bytes := t.task.Buffered(f.Topic); !t.paused[tp] && bytes > w.share() {
		t.paused[tp] = true
		w.feed.fetcher.Pause(tp)
	}
}

// resume resumes the paused partitions whose queues have shrunk to half of their share.
func (w *worker) resume(t *running) {
	for tp := range t.paused {
		if _, bytes := t.task.Buffered(tp.Topic); bytes <= w.share()/2 {
			delete(t.paused, tp)
			w.feed.fetcher.Resume(tp)
		}
	}
}

// share returns how many bytes of one partition may be queued.
func (w *worker) share() int { return w.r.memory.queue(len(w.byInput)) }

// taskRecords converts fetched records to the type that tasks take.
func taskRecords(records []kafka.Record) []plan.Raw {
	if len(records) == 0 {
		return nil
	}
	out := make([]plan.Raw, len(records))
	var headers []processor.Header // of all records, in one allocation
	for i := range records {
		r := &records[i]
		out[i] = plan.Raw{Offset: r.Offset, Timestamp: r.Timestamp, Key: r.Key, Value: r.Value}
		if len(r.Headers) == 0 {
			continue
		}
		if headers == nil {
			headers = make([]processor.Header, 0, countHeaders(records[i:]))
		}
		first := len(headers)
		for _, h := range r.Headers {
			headers = append(headers, processor.Header(h))
		}
		out[i].Headers = headers[first:len(headers):len(headers)]
	}
	return out
}

func countHeaders(records []kafka.Record) int {
	n := 0
	for i := range records {
		n += len(records[i].Headers)
	}
	return n
}

// detach copies keys and values, bytes in total, to memory that the records do not share with others.
func detach(records []plan.Raw, bytes int) {
	arena := make([]byte, 0, bytes)
	keep := func(b []byte) []byte {
		if b == nil {
			return nil
		}
		start := len(arena)
		arena = append(arena, b...)
		return arena[start:len(arena):len(arena)]
	}
	for i := range records {
		r := &records[i]
		r.Key, r.Value = keep(r.Key), keep(r.Value)
		for j := range r.Headers {
			r.Headers[j].Value = slices.Clone(r.Headers[j].Value)
		}
	}
}
