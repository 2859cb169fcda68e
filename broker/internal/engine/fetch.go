package engine

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
)

// watcher is a fetch that waits for something to read.
type watcher struct {
	news chan struct{} // one place: there are news
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

const (
	// maxFetch is the largest answer to a fetch in bytes, Kafka's fetch.max.bytes; one batch may be larger.
	maxFetch = 55 << 20

	readCommitted = 1
)

// fetching is one partition of a fetch.
type fetching struct {
	wanted
	p     *partition // nil: there is none
	err   error
	start int64 // bytes of the partition when the fetch looked first
}

// fetch answers with what there is, or waits until there is enough of it. It runs in the goroutine of the connection.
func (e *Engine) fetch(ctx context.Context, client *Client, req *kmsg.FetchRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.FetchResponse)
	s, err := client.sessions.of(req)
	if err != nil {
		res.ErrorCode = code(err)
		return res
	}
	wait := time.NewTimer(time.Duration(req.MaxWaitMillis) * time.Millisecond)
	defer wait.Stop()
	parts := e.locate(s.wanted, req.Version >= byIDVersion)
	w := &watcher{news: make(chan struct{}, 1)}
	for _, f := range parts {
		if f.p != nil {
			f.p.watch(w)
			defer f.p.unwatch(w)
		}
	}
	for ready := false; ; {
		enough := ready || e.available(parts, req) >= int64(max(req.MinBytes, 0))
		if enough {
			s.answer(res, e.read(parts, req))
			return res
		}
		select {
		case <-w.news:
		case <-wait.C:
			ready = true
		case <-ctx.Done():
			ready = true
		}
	}
}

// locate finds the partitions of a fetch.
func (e *Engine) locate(list []wanted, byID bool) []fetching {
	c := e.catalog.Load()
	parts := make([]fetching, len(list))
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

// available tells how many bytes a fetch would find, not exactly. What cannot wait counts as enough.
func (e *Engine) available(parts []fetching, req *kmsg.FetchRequest) (bytes int64) {
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

// estimate is about how many bytes a record has.
func estimate(v *view) int64 {
	if v.high == 0 {
		return 1
	}
	return max(1, v.size/v.high)
}

// read reads what a fetch asks for.
func (e *Engine) read(parts []fetching, req *kmsg.FetchRequest) []fetched {
	left := min(maxFetch, int(max(req.MaxBytes, 0)))
	answers := make([]fetched, len(parts))
	// The views are taken before the reader is made: what they call decided, the reader sees the end of.
	views := make([]*view, len(parts))
	for i := range parts {
		if parts[i].p != nil {
			views[i] = parts[i].p.view.Load()
		}
	}
	var r *store.Reader
	first := true // the first batch of an answer comes whole, however large it is: or it could never be read
	for i := range parts {
		f, a := &parts[i], &answers[i]
		a.wanted = f.wanted
		a.FetchResponseTopicPartition = kmsg.NewFetchResponseTopicPartition()
		a.Partition, a.HighWatermark, a.LastStableOffset, a.LogStartOffset = f.partition, -1, -1, -1
		a.RecordBatches = []byte{}
		if f.err != nil {
			a.ErrorCode = code(f.err)
			continue
		}
		v := views[i]
		if v.gone {
			a.ErrorCode = kerr.UnknownTopicOrPartition.Code
			if req.Version >= byIDVersion {
				a.ErrorCode = kerr.UnknownTopicID.Code
			}
			continue
		}
		a.HighWatermark, a.LastStableOffset, a.LogStartOffset = v.high, v.stable, v.start
		if f.offset < v.start || f.offset > v.high {
			a.ErrorCode = kerr.OffsetOutOfRange.Code
			a.HighWatermark, a.LastStableOffset, a.LogStartOffset = -1, -1, -1
			continue
		}
		end := v.end(req.IsolationLevel)
		if f.offset >= end || left <= 0 && !first {
			continue
		}
		if r == nil {
			var err error
			if r, err = e.db.NewReader(); err != nil {
				a.ErrorCode = kerr.KafkaStorageError.Code
				continue
			}
			defer r.Close()
		}
		if err := e.readPartition(r, f, a, end, min(left, int(f.maxBytes)), first, req.IsolationLevel); err != nil {
			e.log.Error("broker: read failed", "topic", f.topic, "partition", f.partition, "error", err)
			if len(a.RecordBatches) == 0 {
				a.ErrorCode = kerr.CorruptMessage.Code
			}
		}
		if len(a.RecordBatches) > 0 {
			first = false
			left -= len(a.RecordBatches)
		}
	}
	return answers
}

// readPartition reads batches up to end. Aborted transactions are read from the same state of the store.
func (e *Engine) readPartition(r *store.Reader, f *fetching, a *fetched, end int64, limit int, first bool, isolation int8) (failed error) {
	for stored, err := range r.Records(f.p.id, f.offset) {
		if err != nil {
			failed = err
			break
		}
		if stored.Last >= end {
			break
		}
		size := len(a.RecordBatches) + len(stored.Bytes)
		if size > limit && !(first && len(a.RecordBatches) == 0) {
			break
		}
		a.RecordBatches = appendBytes(a.RecordBatches, stored.Bytes, limit)
		a.last = stored.Last
	}
	if isolation != readCommitted || len(a.RecordBatches) == 0 {
		return failed
	}
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
			break // a marker may lie far behind, but those of later entries are of transactions that began behind what was read
		}
	}
	return failed
}

// appendBytes is append that grows in large steps, up to what will be needed at most.
func appendBytes(to, b []byte, limit int) []byte {
	if need := len(to) + len(b); need > cap(to) {
		grown := make([]byte, len(to), max(need, min(4*need, limit)))
		copy(grown, to)
		to = grown
	}
	return append(to, b...)
}
