package engine

import (
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
)

// A fetch of several partitions reads all of them from one snapshot of the store. The snapshot must contain the outcome
// of every transaction before the view's last stable offset. Here a transaction is aborted just after the snapshot was
// taken, so its entry is not in the snapshot.
func TestAFetchTakesItsViewsBeforeItsReader(t *testing.T) {
	h := newHarness(t)
	h.topic("compras")
	h.topic("vendas")
	h.write("compras", h.records("ana=1")...)
	p := h.transactional("caixa")
	p.write("vendas", h.records("ana=bad")...)
	taken := 0
	h.engine.newReader = func() (*store.Reader, error) {
		r, err := h.db.NewReader()
		p.end(false)
		taken++
		return r, err
	}
	res := ask(h, fetchOf(0, "compras", "vendas"))
	if taken != 1 {
		t.Fatalf("the fetch took %d snapshots of the store", taken)
	}
	for i, want := range []int{1, 0} {
		if got := h.committed(&res.Topics[i].Partitions[0]); len(got) != want {
			t.Errorf("%s: read %q", res.Topics[i].Topic, got)
		}
	}
	h.engine.newReader = h.db.NewReader
	h.holds("vendas", 0, 2)
}

// A reader that fetches one batch at a time gets the aborted transactions that the batch belongs to, however late their
// markers are, and although transactions that began later were aborted before.
func TestWhatWasAbortedIsToldWithEachBatch(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	outer, inner := h.transactional("outer"), h.transactional("inner")
	outer.write("vendas", h.records("ana=outer")...) // 0
	for range 3 {
		inner.write("vendas", h.records("ana=inner")...) // 1, 3, 5
		inner.end(false)                                 // 2, 4, 6
	}
	outer.end(false)                                 // 7
	inner.write("vendas", h.records("ana=inner")...) // 8
	inner.end(false)                                 // 9
	h.write("vendas", h.records("bea=1")...)         // 10
	h.twice(func() {
		for offset := range int64(11) {
			req := fetchOf(offset, "vendas")
			req.Topics[0].Partitions[0].PartitionMaxBytes = 1
			sp := ask(h, req).Topics[0].Partitions[0]
			want := 0
			if offset == 10 {
				want = 1
			}
			if got := h.committed(&sp); len(got) != want {
				t.Errorf("from %d: read %q", offset, got)
			}
		}
	})
}

// A slow read, of a fetch or of compaction, does not block writers, group members or other readers.
func TestALongReadHoldsUpNobody(t *testing.T) {
	h := compacting(t)
	h.topic("compras")
	member := h.join("meu-grupo")
	h.write("vendas", h.records("ana=1")...)
	h.write("vendas", h.records("ana=2")...)
	h.write("vendas", h.records("ana=3")...)

	held, goOn := make(chan struct{}, 2), make(chan struct{})
	h.engine.newReader = func() (*store.Reader, error) {
		held <- struct{}{}
		<-goOn
		return h.db.NewReader()
	}
	h.advance(sweepInterval)
	next(h, held) // the compaction
	answers := make(chan kmsg.Response, 1)
	go h.engine.Handle(t.Context(), &Client{}, fetchOf(0, "vendas"), func(res kmsg.Response) { answers <- res })
	next(h, held) // the fetch

	h.write("compras", h.records("bea=1")...)
	h.commit("outro-grupo", "compras", 1)
	beat := kmsg.NewPtrHeartbeatRequest()
	beat.Group, beat.MemberID, beat.Generation = "meu-grupo", member, 1
	h.code(nil, ask(h, beat).ErrorCode, "heartbeat")
	h.advance(sweepInterval)

	close(goOn)
	next(h, answers)
	h.compacted()
	h.has("vendas", 1, 2)
}
