package engine

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/store"
)

// large is a record of a size such that a response to catchingUp contains three.
func (h *harness) large(key string) []batch.Record {
	return h.records(key + "=" + strings.Repeat("x", 300<<10))
}

// catchingUp returns a fetch request of a client that is far behind. A response has three large batches.
func catchingUp(offset int64) *kmsg.FetchRequest {
	req := fetchOf(offset, "vendas")
	req.Topics[0].Partitions[0].PartitionMaxBytes = 1 << 20
	return req
}

// withLargeBatches returns an engine with 16 large batches in "vendas", at offsets 0 to 15, and a fetch request at
// offset 0.
func withLargeBatches(t *testing.T) *harness {
	h := newHarness(t)
	h.topic("vendas")
	for i := range 16 {
		h.write("vendas", h.large(fmt.Sprint("key", i))...)
	}
	return h
}

// A client that reads everything with read-ahead gets the same as clients that each send one fetch without read-ahead.
func TestCatchingUpReadsAhead(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	p := h.transactional("caixa")
	for i := range 8 {
		h.write("vendas", h.large(fmt.Sprint("key", i))...)
		p.write("vendas", h.large(fmt.Sprint("in transaction", i))...)
		p.end(i%3 > 0)
	}
	client, ahead := h.client, 0
	for offset := int64(0); offset < 24; {
		h.client = &Client{}
		want := ask(h, catchingUp(offset))
		h.client = client
		got := ask(h, catchingUp(offset))
		h.same(want, got)
		ahead += len(client.ahead.read)
		offset = h.behind(got.Topics[0].Partitions[0].RecordBatches)
	}
	if ahead < 5 {
		t.Errorf("read ahead %d times", ahead)
	}
}

// same checks that two responses are the same.
func (h *harness) same(want, got *kmsg.FetchResponse) {
	h.Helper()
	if !bytes.Equal(want.AppendTo(nil), got.AppendTo(nil)) {
		w, g := want.Topics[0].Partitions[0], got.Topics[0].Partitions[0]
		h.Fatalf("error %d, %d bytes, aborted %v; want %d, %d, %v",
			g.ErrorCode, len(g.RecordBatches), g.AbortedTransactions, w.ErrorCode, len(w.RecordBatches), w.AbortedTransactions)
	}
}

// behind returns the offset after the last of some batches.
func (h *harness) behind(b []byte) (offset int64) {
	h.Helper()
	for len(b) > 0 {
		header, err := batch.Parse(b)
		h.must(err)
		offset, b = header.LastOffset()+1, b[header.Size():]
	}
	return offset
}

// Records read ahead for one fetch are not used for any other.
func TestReadAheadForAnotherFetch(t *testing.T) {
	for _, c := range []struct {
		name      string
		meanwhile func(h *harness)
		fetch     func(req *kmsg.FetchRequest)
	}{
		{name: "from elsewhere", fetch: func(req *kmsg.FetchRequest) { req.Topics[0].Partitions[0].FetchOffset = 1 }},
		{name: "less", fetch: func(req *kmsg.FetchRequest) { req.Topics[0].Partitions[0].PartitionMaxBytes = 1 }},
		{name: "less in all", fetch: func(req *kmsg.FetchRequest) { req.MaxBytes = 400 << 10 }},
		{name: "uncommitted", fetch: func(req *kmsg.FetchRequest) { req.IsolationLevel = 0 }},
		{name: "of what was deleted", meanwhile: func(h *harness) { h.truncate("vendas", 5) }},
		{name: "of a topic that is no more", meanwhile: func(h *harness) { h.drop("vendas") }},
		{name: "of a new topic of that name", meanwhile: func(h *harness) {
			h.drop("vendas")
			h.topic("vendas")
			for i := range 5 {
				h.write("vendas", h.records(fmt.Sprint("new", i, "=1"))...)
			}
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := withLargeBatches(t)
			h.ahead(3)
			if c.meanwhile != nil {
				c.meanwhile(h)
			}
			answer := func() *kmsg.FetchResponse {
				req := catchingUp(3)
				if c.fetch != nil {
					c.fetch(req)
				}
				return ask(h, req)
			}
			got := answer()
			h.client = &Client{}
			h.same(answer(), got)
		})
	}
}

// ahead fetches from offset 0 and checks that the fetch at the given offset is read ahead then.
func (h *harness) ahead(offset int64) {
	h.Helper()
	ask(h, catchingUp(0))
	if part, ok := h.client.ahead.read[h.partition("vendas")]; !ok || part.offset != offset {
		h.Fatalf("read ahead: %v from %d on, want %d", ok, part.offset, offset)
	}
}

// A batch that is larger than the fetch limit is returned whole, also if it was read ahead.
func TestALargeBatchIsReadAhead(t *testing.T) {
	h := withLargeBatches(t)
	req := catchingUp(0)
	req.Topics[0].Partitions[0].PartitionMaxBytes = 1000
	ask(h, req)
	reads := h.countReads()
	req.Topics[0].Partitions[0].FetchOffset = 1
	if res := ask(h, req); h.behind(res.Topics[0].Partitions[0].RecordBatches) != 2 {
		t.Error("the next batch is missing")
	}
	if *reads != 1 { // for the next batch
		t.Errorf("the log was read %d times", *reads)
	}
}

// countReads counts the reads of the log from now on.
func (h *harness) countReads() *int {
	reads := new(int)
	h.engine.newReader = func() (*store.Reader, error) {
		*reads++
		return h.db.NewReader()
	}
	return reads
}

// A response has space for one of three topics. The topic that is requested next was read ahead.
func TestReadAheadKnowsWhoseTurnItIs(t *testing.T) {
	h := newHarness(t)
	topics := []string{"compras", "estoque", "vendas"}
	for _, topic := range topics {
		h.topic(topic)
		for range 3 {
			h.write(topic, h.large("key")...)
		}
	}
	limited := func(offset int64, topics ...string) *kmsg.FetchRequest {
		req := fetchOf(offset, topics...)
		req.MaxBytes = 300 << 10
		return req
	}
	c := &consumer{h: h}
	c.fetch(limited(0, topics...))
	reads := h.countReads()
	for i, served := range []string{"compras", "estoque", "vendas", "compras", "estoque"} {
		c.fetch(limited(int64(i/3+1), served))
		if want := i + 1; *reads != want { // for the next fetch
			t.Fatalf("in a session, the log was read %d times for %d fetches", *reads, want)
		}
	}
	ask(h, limited(0, "vendas", "compras"))
	*reads = 0
	ask(h, limited(1, "vendas", "compras"))
	if *reads != 1 {
		t.Errorf("without a session, the log was read %d times for a fetch", *reads)
	}
}

// A client that does not continue where expected causes few unnecessary reads.
func TestReadAheadInVain(t *testing.T) {
	h := withLargeBatches(t)
	inVain := 0
	for range 3 * (aheadPause + 1) {
		ask(h, catchingUp(0))
		if len(h.client.ahead.read) > 0 {
			inVain++
		}
	}
	if inVain != 3 {
		t.Errorf("read ahead %d times without need", inVain)
	}
}

func TestWhatWasReadAheadIsGivenBack(t *testing.T) {
	for _, c := range []struct {
		name  string
		after func(h *harness)
	}{
		{"at the end of the connection", func(h *harness) { h.engine.Forget(h.client) }},
		{"to a fetch that wants it", func(h *harness) { ask(h, catchingUp(13)); ask(h, catchingUp(16)) }},
		{"at a fetch that does not want it", func(h *harness) { ask(h, catchingUp(16)) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := withLargeBatches(t)
			all := h.config().MaxUnsent / 4
			h.ahead(3)
			if h.engine.aheads.TryAcquire(all) {
				t.Fatal("the memory of records that were read ahead is not counted")
			}
			c.after(h)
			if !h.engine.aheads.TryAcquire(all) {
				t.Error("the memory was not released")
			}
		})
	}
}

// Without free memory nothing is read ahead, and fetches still work.
func TestNoRoomToReadAhead(t *testing.T) {
	h := withLargeBatches(t)
	if !h.engine.aheads.TryAcquire(h.config().MaxUnsent / 4) {
		t.Fatal("records were read ahead")
	}
	ask(h, catchingUp(0))
	if len(h.client.ahead.read) > 0 {
		t.Error("read ahead without free memory")
	}
	if res := ask(h, catchingUp(3)); h.behind(res.Topics[0].Partitions[0].RecordBatches) != 6 {
		t.Error("the next fetch failed")
	}
}
