package engine

import (
	"context"
	"errors"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/buffer"
	"github.com/rio-streams/rio/broker/internal/store"
)

// watcher is a fetch that waits for new data.
type watcher struct {
	news chan struct{} // capacity 1; receives when there is new data
}

func (w *watcher) wake() {
	select {
	case w.news <- struct{}{}:
	default:
	}
}

func (p *partition) watch(w *watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.watchers[w] = struct{}{}
}

func (p *partition) unwatch(w *watcher) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.watchers, w)
}

// maxFetch bounds the bytes of records in a response; only a single batch may exceed it. Kafka's fetch.max.bytes is 55
// MiB, but Kafka sends from files, while here the records are in memory, and a larger response would not be faster.
const maxFetch = 8 << 20

const readCommitted = 1

// Fetched is the response to a fetch. Its records lie in borrowed memory: the sender must call Release.
type Fetched struct {
	*kmsg.FetchResponse
	release func()
}

// Release gives back the memory of the records.
func (f *Fetched) Release() {
	for i := range f.Topics {
		for j := range f.Topics[i].Partitions {
			p := &f.Topics[i].Partitions[j]
			buffer.Put(p.RecordBatches)
			p.RecordBatches = nil
		}
	}
	f.release()
}

// partitionFetch is one partition of a fetch.
type partitionFetch struct {
	wanted
	p     *partition // nil if there is none
	err   error
	start int64 // bytes of the partition when the fetch began
}

// fetch answers with the available records, or waits until there are enough. It runs in the goroutine of the
// connection.
func (e *Engine) fetch(ctx context.Context, client *Client, req *kmsg.FetchRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.FetchResponse)
	s, err := client.sessions.get(req)
	if err != nil {
		res.ErrorCode = code(err)
		return res
	}
	parts := e.locate(s.wanted, req.Version >= byIDVersion)
	e.await(ctx, parts, req)
	most := maxBytesOf(req)
	if err := e.unsent.Acquire(ctx, most); err != nil {
		return res // the connection has ended
	}
	read, size := e.read(parts, req, int(most), &client.ahead)
	e.dropAhead(client)
	if size >= bulk {
		client.ahead.plan(s, parts, read, req)
	}
	s.answer(res, read)
	kept := min(int64(size), most)
	e.unsent.Release(most - kept)
	return &Fetched{res, func() { e.unsent.Release(kept) }}
}

// maxBytesOf returns the maximum size of the records in the response to a fetch.
func maxBytesOf(req *kmsg.FetchRequest) int64 { return min(maxFetch, int64(max(req.MaxBytes, 0))) }

// await waits until there is enough to read, at most as long as the request allows.
func (e *Engine) await(ctx context.Context, parts []partitionFetch, req *kmsg.FetchRequest) {
	wait := time.NewTimer(time.Duration(req.MaxWaitMillis) * time.Millisecond)
	defer wait.Stop()
	w := &watcher{news: make(chan struct{}, 1)}
	for _, f := range parts {
		if f.p != nil {
			f.p.watch(w)
			defer f.p.unwatch(w)
		}
	}
	for e.available(parts, req) < int64(max(req.MinBytes, 0)) {
		select {
		case <-w.news:
		case <-wait.C:
			return
		case <-ctx.Done():
			return
		}
	}
}

// locate returns the partitions of a fetch.
func (e *Engine) locate(list []wanted, byID bool) []partitionFetch {
	c := e.catalog.Load()
	parts := make([]partitionFetch, len(list))
	for i, w := range list {
		parts[i].wanted = w
		t := c.topic(w.topic, w.id, byID)
		parts[i].p = t.partition(w.partition)
		switch {
		case t == nil && byID:
			parts[i].err = kerr.UnknownTopicID
		case parts[i].p == nil:
			parts[i].err = kerr.UnknownTopicOrPartition
		case w.epoch > 0:
			parts[i].err = kerr.UnknownLeaderEpoch
		}
		if p := parts[i].p; p != nil {
			parts[i].start = p.view.Load().size
		}
	}
	return parts
}

// available returns roughly how many bytes a fetch would return. Anything that must not wait, such as an error, counts
// as enough.
func (e *Engine) available(parts []partitionFetch, req *kmsg.FetchRequest) (bytes int64) {
	const enough = 1 << 40
	if len(parts) == 0 {
		return enough
	}
	for i := range parts {
		f := &parts[i]
		if f.err != nil {
			return enough
		}
		v := f.p.view.Load()
		end := v.end(req.IsolationLevel)
		switch {
		case v.gone, f.offset < v.start, f.offset > v.high:
			return enough
		case f.offset >= end:
		case v.size > f.start:
			bytes += v.size - f.start
		default:
			bytes += (end - f.offset) * estimate(v)
		}
	}
	return bytes
}

// estimate returns the approximate size of a record in bytes.
func estimate(v *view) int64 {
	if v.high == 0 {
		return 1
	}
	return max(1, v.size/v.high)
}

// read reads the records that a fetch requests, up to about most bytes, and returns their size. It uses records that
// were read ahead.
func (e *Engine) read(parts []partitionFetch, req *kmsg.FetchRequest, most int, a *readAheadState) (answers []fetched, size int) {
	answers = make([]fetched, len(parts))
	readings := make([]reading, len(parts))
	// Load the views before making the reader: the reader then sees the end of every transaction that a view counts as
	// decided.
	for i := range parts {
		readings[i] = answers[i].begin(&parts[i], req)
	}
	var r *store.Reader
	for i := range parts {
		f, answer, how := &parts[i], &answers[i], readings[i]
		if f.offset >= how.end || size > 0 && size >= most {
			continue
		}
		how.limit, how.whole = min(most-size, int(max(f.maxBytes, 0))), size == 0
		if a.take(f, req, how, answer) {
			size += len(answer.RecordBatches)
			continue
		}
		if r == nil {
			var err error
			if r, err = e.newReader(); err != nil {
				answer.ErrorCode = kerr.KafkaStorageError.Code
				continue
			}
			defer r.Close()
		}
		if err := answer.read(r, f, req, how); err != nil {
			e.log.Error("broker: read failed", "topic", f.topic, "partition", f.partition, "error", err)
			if len(answer.RecordBatches) == 0 {
				answer.ErrorCode = kerr.CorruptMessage.Code
			}
		}
		size += len(answer.RecordBatches)
	}
	return answers, size
}

// begin fills in what is known without reading, and returns what to read.
func (a *fetched) begin(f *partitionFetch, req *kmsg.FetchRequest) reading {
	nothing := reading{end: -1}
	a.wanted = f.wanted
	a.FetchResponseTopicPartition = kmsg.NewFetchResponseTopicPartition()
	a.Partition, a.HighWatermark, a.LastStableOffset, a.LogStartOffset = f.partition, -1, -1, -1
	a.RecordBatches = []byte{}
	if f.err != nil {
		a.ErrorCode = code(f.err)
		return nothing
	}
	v := f.p.view.Load()
	switch {
	case v.gone:
		a.ErrorCode = code(unknownByID(kerr.UnknownTopicOrPartition, req.Version >= byIDVersion))
		return nothing
	case f.offset < v.start || f.offset > v.high:
		a.ErrorCode = kerr.OffsetOutOfRange.Code
		return nothing
	}
	a.HighWatermark, a.LastStableOffset, a.LogStartOffset = v.high, v.stable, v.start
	end := v.end(req.IsolationLevel)
	return reading{end: end, expected: (end - f.offset) * estimate(v)}
}

// reading says how far to read in a partition.
type reading struct {
	end      int64 // the offset after the last record to read
	expected int64 // expected size in bytes
	limit    int   // in bytes
	whole    bool  // return the first batch whole, however large it is; otherwise it could never be read
}

// read reads batches. It reads the aborted transactions from the same snapshot of the store.
func (a *fetched) read(r *store.Reader, f *partitionFetch, req *kmsg.FetchRequest, how reading) (failed error) {
	expected := int(min(how.expected, int64(how.limit)))
	for stored, err := range r.Records(f.p.id, f.offset) {
		if err != nil {
			failed = err
			break
		}
		if stored.Last >= how.end {
			break
		}
		size := len(a.RecordBatches) + len(stored.Bytes)
		if size > how.limit && !(how.whole && len(a.RecordBatches) == 0) {
			break
		}
		a.RecordBatches = buffer.Append(a.RecordBatches, stored.Bytes, expected)
		a.last = stored.Last
	}
	if req.IsolationLevel != readCommitted || len(a.RecordBatches) == 0 {
		return failed
	}
	return errors.Join(failed, a.readAborted(r, f))
}

// readAborted adds the aborted transactions that overlap what was read.
func (a *fetched) readAborted(r *store.Reader, f *partitionFetch) error {
	a.AbortedTransactions = []kmsg.FetchResponseTopicPartitionAbortedTransaction{}
	for aborted, err := range r.Aborted(f.p.id, f.offset) {
		if err != nil {
			a.RecordBatches = []byte{}
			return err
		}
		if aborted.First <= a.last {
			t := kmsg.NewFetchResponseTopicPartitionAbortedTransaction()
			t.ProducerID, t.FirstOffset = aborted.Producer, aborted.First
			a.AbortedTransactions = append(a.AbortedTransactions, t)
		}
		if aborted.Stable > a.last {
			break // later entries belong to transactions that began after what was read
		}
	}
	return nil
}
