package runner

import (
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
)

// Fetched records are bounded by bytes: each partition of a worker has the same share. Above it, the partition's fetch
// pauses until half of it is processed. A partition whose queue is empty is never paused, so a task gets the record that
// it waits for, however much of its other inputs has been fetched.

// buffer gives a task what was fetched of one of its partitions, and pauses the partition if that is enough. answer is how
// many bytes came together with it.
func (w *worker) buffer(t *running, f *kafka.Fetched, answer int) {
	records := taskRecords(f.Records)
	if waiting, _ := t.task.Buffered(f.Topic); waiting > 0 && 3*f.Bytes < answer {
		detach(records, f.Bytes) // the records of an answer share its memory, and these are going to stay for a while
	}
	t.task.Add(f.Topic, records, f.Next, f.Next >= f.LastStable)
	tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
	if _, bytes := t.task.Buffered(f.Topic); !t.paused[tp] && bytes > w.share() {
		t.paused[tp] = true
		w.feed.fetcher.Pause(tp)
	}
}

// resume goes on fetching what was paused and has been worked off.
func (w *worker) resume(t *running) {
	for tp := range t.paused {
		if _, bytes := t.task.Buffered(tp.Topic); bytes <= w.share()/2 {
			delete(t.paused, tp)
			w.feed.fetcher.Resume(tp)
		}
	}
}

// share is how much of one partition may wait.
func (w *worker) share() int { return w.r.memory.queue(len(w.byInput)) }

// taskRecords turns fetched records into the task's.
func taskRecords(records []kafka.Record) []plan.Raw {
	if len(records) == 0 {
		return nil
	}
	out := make([]plan.Raw, len(records))
	var headers []processor.Header // of all records, in one piece
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

// detach copies keys and values, of so many bytes, into memory of their own.
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
