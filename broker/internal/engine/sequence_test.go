package engine

import (
	"math"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

func TestTheLastFiveBatchesCanBeRepeated(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	p := h.producer()
	var batches [][]byte
	for i := range 7 {
		b := p.batch(int32(2*i), h.records("ana=1", "bea=1")...)
		batches = append(batches, b)
		p.appends("vendas", int64(2*i), b)
	}
	h.twice(func() {
		for i, b := range batches {
			if i < len(batches)-5 {
				p.refused("vendas", kerr.OutOfOrderSequenceNumber, b)
			} else {
				p.appends("vendas", int64(2*i), b)
			}
		}
	})
	p.appends("vendas", 14, p.batch(14, h.records("ana=2")...))
}

// A rejected or duplicate batch must not change the remembered batches.
func TestGapsAreRefused(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	p := h.producer()
	one, two := h.records("ana=1"), h.records("ana=1", "bea=1")
	p.appends("vendas", 0, p.batch(10, two...)) // the partition does not know the producer, so any number is valid
	h.twice(func() {
		for _, sequence := range []int32{0, 9, 11, 13, math.MaxInt32} {
			p.refused("vendas", kerr.OutOfOrderSequenceNumber, p.batch(sequence, one...))
		}
		p.refused("vendas", kerr.OutOfOrderSequenceNumber, p.batch(10, one...)) // begins like the last batch, but ends differently
		p.appends("vendas", 0, p.batch(10, two...))
	})
	p.appends("vendas", 2, p.batch(12, one...))
	h.holds("vendas", 0, 3, "0 ana=1", "1 bea=1", "2 ana=1")
}

func TestSequenceNumbersWrap(t *testing.T) {
	for _, c := range []struct {
		name  string
		first int32 // in the batch of three that reaches the greatest number
		next  int32
	}{
		{"the last record has the largest number", math.MaxInt32 - 2, 0},
		{"the last record has the number 0", math.MaxInt32 - 1, 1},
		{"the second record has the number 0", math.MaxInt32, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.topic("vendas")
			p := h.producer()
			records := h.records("ana=1", "bea=1", "cid=1")
			p.appends("vendas", 0, p.batch(c.first, records...))
			h.twice(func() {
				p.appends("vendas", 0, p.batch(c.first, records...))
				p.refused("vendas", kerr.OutOfOrderSequenceNumber, p.batch(c.next+1, records...))
			})
			p.appends("vendas", 3, p.batch(c.next, records...))
			p.appends("vendas", 3, p.batch(c.next, records...))
			p.appends("vendas", 6, p.batch(c.next+3, records...))
		})
	}
}

func TestANewEpochBeginsAtZero(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	p := h.producer()
	old := p.batch(0, h.records("ana=1")...)
	p.appends("vendas", 0, old)
	p.epoch += 2
	h.twice(func() { p.refused("vendas", kerr.OutOfOrderSequenceNumber, p.batch(1, h.records("ana=2")...)) })
	fresh := p.batch(0, h.records("ana=1")...)
	p.appends("vendas", 1, fresh)
	h.twice(func() {
		p.appends("vendas", 1, fresh)
		p.refused("vendas", kerr.InvalidProducerEpoch, old)
		p.epoch--
		p.refused("vendas", kerr.InvalidProducerEpoch, p.batch(0, h.records("ana=3")...))
		p.epoch++
	})
	p.appends("vendas", 2, p.batch(1, h.records("ana=2")...))
}

func TestASilentProducerIsForgotten(t *testing.T) {
	for _, c := range []struct {
		name      string
		silence   time.Duration
		forgotten bool
	}{
		{"not on the day", producerRetention, false},
		{"a moment later", producerRetention + time.Millisecond, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.topic("vendas")
			p := h.producer()
			p.appends("vendas", 0, p.batch(0, h.records("ana=1")...))
			h.advance(c.silence)
			h.twice(func() {
				if known := h.knows("vendas", p); known == c.forgotten {
					t.Errorf("the producer is known: %v", known)
				}
			})
			if c.forgotten {
				p.appends("vendas", 1, p.batch(7, h.records("ana=1")...))
			} else {
				p.refused("vendas", kerr.OutOfOrderSequenceNumber, p.batch(7, h.records("ana=1")...))
			}
		})
	}
}

// knows reports whether a partition has an entry for a producer in the store.
func (h *harness) knows(topic string, p *producer) bool {
	h.Helper()
	r, err := h.db.NewReader()
	h.must(err)
	defer r.Close()
	for stored, err := range r.Producers() {
		h.must(err)
		if stored.ID == h.partition(topic).id && stored.Entry.ID == p.id {
			return true
		}
	}
	return false
}

// A batch restarts the expiration of its producer, but a duplicate does not.
func TestAProducerThatWritesIsRemembered(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	p := h.producer()
	p.write("vendas", h.records("ana=1")...)
	h.advance(producerRetention)
	p.write("vendas", h.records("ana=2")...)
	h.advance(producerRetention)
	p.appends("vendas", 1, p.batch(1, h.records("ana=2")...))
	h.advance(time.Second)
	p.appends("vendas", 2, p.batch(1, h.records("ana=2")...))
}
