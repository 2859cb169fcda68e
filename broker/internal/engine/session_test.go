package engine

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// consumer fetches with a fetch session (KIP-227).
type consumer struct {
	h         *harness
	id, epoch int32
}

// fetch sends the next fetch of the session. The first one opens the session.
func (c *consumer) fetch(req *kmsg.FetchRequest) *kmsg.FetchResponse {
	c.h.Helper()
	req.SessionID, req.SessionEpoch = c.id, c.epoch
	res := ask(c.h, req)
	c.h.code(nil, res.ErrorCode, "fetch in a session")
	c.id, c.epoch = res.SessionID, c.epoch+1
	return res
}

// expect checks that the response to the next fetch contains exactly these topics.
func (c *consumer) expect(req *kmsg.FetchRequest, want ...string) {
	c.h.Helper()
	var got []string
	for _, t := range c.fetch(req).Topics {
		got = append(got, t.Topic)
	}
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		c.h.Errorf("topics in the response, wanted and got:\n%s", diff)
	}
}

// refused checks that the next fetch fails as a whole and does not advance the session.
func (c *consumer) refused(want error) {
	c.h.Helper()
	req := fetchOf(0)
	req.SessionID, req.SessionEpoch = c.id, c.epoch
	res := ask(c.h, req)
	c.h.code(want, res.ErrorCode, "fetch in a session")
	if len(res.Topics) > 0 {
		c.h.Errorf("%d topics in the response", len(res.Topics))
	}
}

// forgetting returns a fetch request that removes topics from the session.
func forgetting(topics ...string) *kmsg.FetchRequest {
	req := fetchOf(0)
	for _, topic := range topics {
		forgotten := kmsg.NewFetchRequestForgottenTopic()
		forgotten.Topic, forgotten.Partitions = topic, []int32{0}
		req.ForgottenTopics = append(req.ForgottenTopics, forgotten)
	}
	return req
}

func TestASessionTellsWhatIsNew(t *testing.T) {
	h := newHarness(t)
	h.topic("compras")
	h.topic("vendas")
	c := &consumer{h: h}
	c.expect(fetchOf(0, "compras", "vendas"), "compras", "vendas")
	c.expect(fetchOf(0))
	h.write("vendas", h.records("ana=1", "ana=2")...)
	c.expect(fetchOf(0), "vendas") // records
	c.expect(fetchOf(0), "vendas") // they are returned until the consumer has moved
	c.expect(fetchOf(2, "vendas"))
	p := h.transactional("caixa")
	p.write("vendas", h.records("ana=3")...)
	c.expect(fetchOf(0), "vendas") // the high watermark
	c.expect(fetchOf(0))
	h.truncate("vendas", 1)
	c.expect(fetchOf(0), "vendas") // the start
	c.expect(fetchOf(0))
	p.end(true)
	c.expect(fetchOf(0), "vendas") // the last stable offset, and the records
	c.expect(fetchOf(4, "vendas"))
	c.expect(fetchOf(7, "vendas"), "vendas") // an error
	c.expect(fetchOf(0), "vendas")           // is returned each time
	c.expect(fetchOf(4, "vendas"), "vendas") // and its end is returned once
	c.expect(fetchOf(0))
}

func TestForgottenTopicsAreNotTold(t *testing.T) {
	h := newHarness(t)
	h.topic("compras")
	h.topic("vendas")
	c := &consumer{h: h}
	c.expect(fetchOf(0, "compras", "vendas"), "compras", "vendas")
	c.expect(forgetting("vendas", "never wanted"))
	c.expect(fetchOf(0, "vendas"), "vendas") // added again, so it counts as changed
	c.expect(fetchOf(0))
	c.expect(forgetting("vendas"))
	h.write("vendas", h.records("ana=1")...)
	c.expect(fetchOf(0))
	c.expect(fetchOf(0, "vendas"), "vendas")
	c.expect(forgetting("compras", "vendas"))
	c.expect(fetchOf(0))
	c.expect(fetchOf(0, "compras"), "compras")
}

func TestEpochsOfASession(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	c := &consumer{h: h}
	c.expect(fetchOf(0, "vendas"), "vendas")
	c.expect(fetchOf(0))
	for _, wrong := range []int32{1, 3, math.MaxInt32, -2} {
		(&consumer{h, c.id, wrong}).refused(kerr.InvalidFetchSessionEpoch)
	}
	(&consumer{h, c.id + 1, c.epoch}).refused(kerr.FetchSessionIDNotFound)
	c.expect(fetchOf(0)) // an invalid fetch has changed nothing
	h.client.sessions.open[c.id].epoch = math.MaxInt32
	c.epoch = math.MaxInt32
	c.expect(fetchOf(0))
	(&consumer{h, c.id, math.MinInt32}).refused(kerr.InvalidFetchSessionEpoch)
	c.epoch = 1 // 0 would open a new session
	c.expect(fetchOf(0))
	c.expect(fetchOf(0))
}

// There is room for four sessions. The fifth replaces the least recently used one.
func TestTheFifthSessionEndsAnother(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	all := make([]*consumer, 5)
	for i, c := range []int{1, 0, 2, 3} {
		all[c] = &consumer{h: h}
		all[c].expect(fetchOf(0, "vendas"), "vendas")
		if i == 1 {
			all[1].expect(fetchOf(0))
		}
	}
	all[4] = &consumer{h: h}
	all[4].expect(fetchOf(0, "vendas"), "vendas")
	all[0].refused(kerr.FetchSessionIDNotFound)
	for _, c := range all[1:] {
		c.expect(fetchOf(0))
	}
	last := fetchOf(0, "vendas")
	last.SessionID = all[1].id // and closing a session makes room
	if res := ask(h, last); res.SessionID != 0 || len(res.Topics) != 1 {
		t.Errorf("the last response has session %d and %d topics", res.SessionID, len(res.Topics))
	}
	all[1].refused(kerr.FetchSessionIDNotFound)
	(&consumer{h: h}).expect(fetchOf(0, "vendas"), "vendas")
	for _, c := range all[2:] {
		c.expect(fetchOf(0))
	}
}

func TestSessionsEndWithTheConnection(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	c := &consumer{h: h}
	c.expect(fetchOf(0, "vendas"), "vendas")
	h.client = &Client{}
	c.refused(kerr.FetchSessionIDNotFound)
}

// With a limit on the response size every partition gets its turn: those in the last response move to the end.
func TestASessionServesInTurn(t *testing.T) {
	h := newHarness(t)
	topics := []string{"a", "b", "c"}
	for _, name := range topics {
		h.topic(name)
		h.write(name, h.records("ana=1")...)
	}
	c := &consumer{h: h}
	limited := func(req *kmsg.FetchRequest) *kmsg.FetchRequest { req.MaxBytes = 1; return req }
	var served []string
	for i := range 6 {
		req := limited(fetchOf(0))
		if i == 0 {
			req = limited(fetchOf(0, topics...))
		}
		for _, t := range c.fetch(req).Topics {
			if len(t.Partitions[0].RecordBatches) > 0 {
				served = append(served, t.Topic)
			}
		}
	}
	if diff := cmp.Diff([]string{"a", "b", "c", "a", "b", "c"}, served); diff != "" {
		t.Error(diff)
	}
}
