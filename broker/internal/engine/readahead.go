package engine

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/buffer"
)

// readAheadState holds the records that a connection will probably request next, read while the client processes the
// previous response. Otherwise a client that catches up and the broker would work in turn. It belongs to the goroutine
// of the connection.
type readAheadState struct {
	planned []partitionFetch  // what to read
	req     kmsg.FetchRequest // how to read it
	read    map[*partition]readPart
	weight  int64 // how much of the read-ahead memory it holds
	wanted  bool  // whether a part of it was requested
	pause   int   // how many more responses to skip
}

// readPart is what was read of one partition.
type readPart struct {
	offset int64 // from this offset on
	fetched
}

const (
	// bulk is the size in bytes of a response from which the client is considered to be catching up.
	bulk = 256 << 10

	// aheadPause is for how many such responses read-ahead is skipped after the client did not use it.
	aheadPause = 16
)

// plan records what follows a response. In a session, partitions that had records come last.
func (a *readAheadState) plan(s *session, parts []partitionFetch, answers []fetched, req *kmsg.FetchRequest) {
	if a.pause > 0 {
		a.pause--
		return
	}
	a.req = kmsg.FetchRequest{Version: req.Version, MaxBytes: req.MaxBytes, IsolationLevel: req.IsolationLevel}
	var served []partitionFetch
	for i, f := range parts {
		if len(answers[i].RecordBatches) > 0 {
			f.offset = answers[i].last + 1
			if s.id != 0 {
				served = append(served, f)
				continue
			}
		}
		a.planned = append(a.planned, f)
	}
	a.planned = append(a.planned, served...)
}

// readAhead reads what was planned, if there is memory for it.
func (e *Engine) readAhead(ctx context.Context, client *Client) {
	a := &client.ahead
	planned, most := a.planned, maxBytesOf(&a.req)
	a.planned = nil
	if len(planned) == 0 || ctx.Err() != nil || !e.aheads.TryAcquire(most) {
		return
	}
	answers, size := e.read(planned, &a.req, int(most), nil)
	a.weight, a.read = min(int64(size), most), make(map[*partition]readPart)
	e.aheads.Release(most - a.weight)
	for i := range answers {
		if len(answers[i].RecordBatches) > 0 {
			a.read[planned[i].p] = readPart{planned[i].offset, answers[i]}
		}
	}
}

// take moves the records that were read ahead into a response, if the fetch would read the same records now. The log before the end of a
// view can only lose records at its start, and the caller has checked the start, so the records are still valid.
func (a *readAheadState) take(f *partitionFetch, req *kmsg.FetchRequest, how reading, answer *fetched) bool {
	if a == nil || req.IsolationLevel != a.req.IsolationLevel {
		return false
	}
	part, ok := a.read[f.p]
	if !ok || part.offset != f.offset || len(part.RecordBatches) > how.limit && !(how.whole && isOneBatch(part.RecordBatches)) {
		return false
	}
	answer.RecordBatches, answer.AbortedTransactions, answer.last = part.RecordBatches, part.AbortedTransactions, part.last
	delete(a.read, f.p)
	a.wanted = true
	return true
}

func isOneBatch(records []byte) bool {
	h, err := batch.Parse(records)
	return err == nil && h.Size() == len(records)
}

// dropAhead frees unused read-ahead records.
func (e *Engine) dropAhead(client *Client) {
	a := &client.ahead
	if len(a.read) > 0 && !a.wanted {
		a.pause = aheadPause
	}
	for _, part := range a.read {
		buffer.Put(part.RecordBatches)
	}
	e.aheads.Release(a.weight)
	*a = readAheadState{pause: a.pause}
}

// Forget frees what is kept for a connection that has ended.
func (e *Engine) Forget(client *Client) { e.dropAhead(client) }
