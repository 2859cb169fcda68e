package engine

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/rio-streams/rio/broker/internal/transaction"
)

func TestATransactionIsAbortedWhenItsTimeIsOver(t *testing.T) {
	const timeout = 10 * time.Second
	for _, c := range []struct {
		name    string
		after   time.Duration // when it began
		aborted bool
	}{
		{"a moment before", timeout - time.Millisecond, false},
		{"on time", timeout, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.topic("vendas")
			p := &producer{h: h, transactional: "caixa"}
			p.init(timeout)
			h.advance(time.Minute) // the timeout does not start with the producer
			p.write("vendas", h.records("ana=1")...)
			h.advance(time.Second)
			h.restart() // and does not restart with the broker
			p.write("vendas", h.records("ana=2")...)
			h.advance(c.after - time.Second)
			if c.aborted {
				h.twice(func() { h.holds("vendas", 0, 3) })
				p.refused("vendas", kerr.InvalidProducerEpoch, p.batch(2, h.records("ana=3")...))
				h.code(kerr.ProducerFenced, p.tryEnd(true).ErrorCode, "commit what was aborted")
				p.init(timeout)
				p.write("vendas", h.records("ana=3")...)
				p.end(true)
				h.holds("vendas", 0, 5, "3 ana=3")
			} else {
				h.twice(func() { h.holds("vendas", 0, 2) })
				p.end(true)
				h.holds("vendas", 0, 3, "0 ana=1", "1 ana=2")
			}
		})
	}
}

// The timeout continues while the broker is down.
//
// Proves: open-transactions-end
func TestATransactionIsOverdueAtTheStart(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	p := &producer{h: h, transactional: "caixa"}
	p.init(time.Second)
	p.write("vendas", h.records("ana=1")...)
	h.engine.Close()
	h.clock.Add(time.Second.Milliseconds())
	h.start()
	h.holds("vendas", 0, 2)
	h.keeps("vendas", "0..0: 0 ana=1", "1..1: abort")
	h.code(kerr.ProducerFenced, p.tryEnd(true).ErrorCode, "commit what was aborted")
}

func TestATransactionalIDIsForgotten(t *testing.T) {
	for _, c := range []struct {
		name  string
		after time.Duration // stores when it was last used
		want  error
	}{
		{"not on the day", transaction.Retention, nil},
		{"a moment later", transaction.Retention + time.Millisecond, kerr.InvalidProducerIDMapping},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.topic("vendas")
			p := h.transactional("caixa")
			h.advance(time.Hour)
			p.write("vendas", h.records("ana=1")...)
			h.advance(time.Minute)
			p.end(true)
			h.advance(c.after)
			h.twice(func() {
				if _, err := p.append("vendas", p.batch(0, h.records("ana=2")...)); err != c.want {
					t.Errorf("append: %v, want: %v", err, c.want)
				}
			})
			if stored := h.hasTransactionalIDs(); stored != (c.want == nil) {
				t.Errorf("the transactional id is in the store: %v", stored)
			}
		})
	}
}

// hasTransactionalIDs reports whether there are any in the store.
func (h *harness) hasTransactionalIDs() bool {
	h.Helper()
	r, err := h.db.NewReader()
	h.must(err)
	defer r.Close()
	for _, err := range r.Transactions() {
		h.must(err)
		return true
	}
	return false
}
