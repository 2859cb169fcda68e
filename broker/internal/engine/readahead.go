package engine

import (
	"context"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/buffer"
)

// ahead is what a connection is expected to ask for next, read while its client is busy with the answer before: a client that
// catches up does one thing after the other, and so would the broker. It belongs to the goroutine of the connection.
type ahead struct {
	planned []fetching        // what to read
	req     kmsg.FetchRequest // how to read it
	read    map[*partition]readPart
	weight  int64 // of the memory that is taken for it
	wanted  bool  // a part of it was asked for
	pause   int   // how often to read nothing ahead
}

// readPart is what was read of one partition.
type readPart struct {
	offset int64 // from which on
	fetched
}

const (
	// bulk is the size in bytes of an answer from which its client is taken for one that catches up.
	bulk = 256 << 10

	// aheadPause is how many of such answers nothing is read behind, when the client has asked for something else before.
	aheadPause = 16
)

// plan notes what comes behind an answer. In a session, what had its turn comes last.
func (a *ahead) plan(s *session, parts []fetching, answers []fetched, req *kmsg.FetchRequest) {
	if a.pause > 0 {
		a.pause--
		return
	}
	a.req = kmsg.FetchRequest{Version: req.Version, MaxBytes: req.MaxBytes, IsolationLevel: req.IsolationLevel}
	var served []fetching
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
	planned, most := a.planned, mostOf(&a.req)
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

// take moves what was read ahead into an answer, if it is what a fetch would read now. The log before the end of a view loses
// records at most, and the caller has looked at where it begins; so what was read is as good as new.
func (a *ahead) take(f *fetching, req *kmsg.FetchRequest, how reading, answer *fetched) bool {
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

// dropAhead gives back what was read ahead and is not wanted.
func (e *Engine) dropAhead(client *Client) {
	a := &client.ahead
	if len(a.read) > 0 && !a.wanted {
		a.pause = aheadPause
	}
	for _, part := range a.read {
		buffer.Put(part.RecordBatches)
	}
	e.aheads.Release(a.weight)
	*a = ahead{pause: a.pause}
}

// Forget gives back what is kept for a connection that has ended.
func (e *Engine) Forget(client *Client) { e.dropAhead(client) }
