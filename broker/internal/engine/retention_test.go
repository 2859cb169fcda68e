package engine

import (
	"fmt"
	"testing"
	"time"
)

// minute contains settings for a retention of one minute, in segments of one second.
var minute = []string{"retention.ms=60000", "segment.ms=1000"}

func TestRecordsGoWhenTheirTimeIsOver(t *testing.T) {
	for _, c := range []struct {
		name  string
		at    []time.Duration // times of the records after morning
		look  time.Duration
		start int64
	}{
		{"not yet", []time.Duration{0}, 60_000 * time.Millisecond, 0},
		{"a moment later", []time.Duration{0}, 60_001 * time.Millisecond, 1},
		{"the first segments, a moment before their time", []time.Duration{0, time.Second, 2 * time.Second}, 61_000 * time.Millisecond, 1},
		{"the first segments", []time.Duration{0, time.Second, 2 * time.Second}, 61_001 * time.Millisecond, 2},
		{"a segment, by its newest", []time.Duration{0, 999 * time.Millisecond, 2 * time.Second}, 60_999 * time.Millisecond, 0},
		{"a segment, by its newest, a moment later", []time.Duration{0, 999 * time.Millisecond, 2 * time.Second}, 61_000 * time.Millisecond, 2},
		{"one that is late takes none along", []time.Duration{0, -time.Hour, 0}, 60_000 * time.Millisecond, 0},
		{"what is late goes with the others", []time.Duration{0, -time.Hour, 0}, 60_001 * time.Millisecond, 3},
		{"one that is early keeps those behind it", []time.Duration{time.Hour, 0, 0}, 60_001 * time.Millisecond, 0},
		{"what was written late", []time.Duration{-time.Hour, -time.Hour}, time.Second, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHarness(t)
			h.topic("vendas", minute...)
			for _, after := range c.at {
				h.write("vendas", at(morning.Add(after), "ana=1")...)
			}
			h.advance(c.look)
			h.twice(func() { h.startsAt("vendas", c.start, int64(len(c.at))) })
		})
	}
}

// A check that comes while records are on their way to the disk does not see them. The next sweep checks again.
func TestRecordsThatACheckDidNotSeeAreCheckedSoon(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", "retention.ms=3600000")
	h.write("vendas", at(morning.Add(-2*time.Hour), "ana=1")...)
	p := h.partition("vendas")
	h.do(func(e *Engine) {
		p.Next++
		e.retain(p, &e.topics["vendas"].settings, e.clock())
		p.Next--
	})
	h.startsAt("vendas", 0, 1)
	h.advance(sweepInterval)
	h.startsAt("vendas", 1, 1)
}

// startsAt checks the start, the end and the records of a partition.
func (h *harness) startsAt(topic string, start, end int64) {
	h.Helper()
	var records []string
	for offset := start; offset < end; offset++ {
		records = append(records, fmt.Sprintf("%d ana=1", offset))
	}
	h.holds(topic, start, end, records...)
}

func TestOffsetsGoOnWhenAllIsGone(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", minute...)
	p := h.producer()
	p.write("vendas", h.records("ana=1", "ana=2")...)
	h.advance(time.Hour)
	h.twice(func() { h.holds("vendas", 2, 2) })
	h.keeps("vendas")
	p.write("vendas", h.records("ana=3")...)
	h.twice(func() { h.holds("vendas", 2, 3, "2 ana=3") })
	h.hasSegments("vendas", fmt.Sprintf("from 2, byte %d, newest 1h0m0s", h.partition("vendas").view.Load().size-h.lastSize("vendas")))
	h.advance(time.Hour)
	h.twice(func() { h.holds("vendas", 3, 3) })
}

// lastSize returns the size of the last batch.
func (h *harness) lastSize(topic string) (size int64) {
	h.Helper()
	for stored := range h.inStore(topic, 0) {
		size = int64(len(stored.Bytes))
	}
	return size
}

func TestWhatIsNotDecidedStays(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", minute...)
	p := h.transactional("caixa")
	h.write("vendas", at(morning, "ana=1")...)
	h.write("vendas", at(morning.Add(time.Second), "ana=1")...)
	p.write("vendas", at(morning.Add(2*time.Second), "ana=2")...)
	h.write("vendas", at(morning.Add(3*time.Second), "ana=3")...)
	h.advance(5 * time.Minute)
	h.twice(func() { h.holds("vendas", 2, 4) }) // records before the transaction were deleted
	p.end(true)                                 // the marker has the time at which it is written
	h.advance(time.Minute)
	h.twice(func() { h.holds("vendas", 3, 5, "3 ana=3") })
	h.advance(8 * time.Second) // an eighth of the minute, which is the interval of checks
	h.twice(func() { h.holds("vendas", 5, 5) })
}

func TestAnOpenTransactionKeepsItsSegment(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", minute...)
	h.write("vendas", at(morning, "ana=1")...)
	h.write("vendas", at(morning.Add(time.Second), "ana=2")...)
	h.transactional("caixa").write("vendas", at(morning.Add(time.Second), "ana=3")...)
	h.advance(5 * time.Minute)
	h.twice(func() { h.holds("vendas", 1, 3, "1 ana=2") })
}

func TestTooManyBytesGo(t *testing.T) {
	const size, n = 100, 5
	for _, c := range []struct {
		allowed int64
		start   int64
	}{
		{n*size + 1, 0},
		{n * size, 0},
		{n*size - 1, 0}, // without the first segment there would be less than retention.bytes
		{4*size + 1, 0},
		{4 * size, 1},
		{4*size - 1, 1},
		{3 * size, 2},
		{1, 4},
		{0, 4}, // the active segment is kept
	} {
		t.Run(fmt.Sprint(c.allowed), func(t *testing.T) {
			h := newHarness(t)
			h.topic("vendas", fmt.Sprint("retention.bytes=", c.allowed), "segment.ms=1000")
			for i := range n {
				h.write("vendas", h.filling(morning.Add(time.Duration(i)*time.Second), size))
			}
			h.advance(sweepInterval)
			h.twice(func() {
				if v := h.partition("vendas").view.Load(); v.start != c.start || v.high != n {
					t.Errorf("from %d to %d, want %d to %d", v.start, v.high, c.start, n)
				}
			})
		})
	}
}

func TestRetentionLooksAtWhatIsDeletedByAgeOnly(t *testing.T) {
	for policy, start := range map[string]int64{"delete": 2, "compact": 0, "compact,delete": 2} {
		t.Run(policy, func(t *testing.T) {
			h := newHarness(t)
			h.topic("vendas", append(minute, "retention.bytes=0", "cleanup.policy="+policy, "min.cleanable.dirty.ratio=1")...)
			h.write("vendas", at(morning, "ana=1")...)
			h.write("vendas", at(morning.Add(time.Second), "bea=1")...)
			h.advance(time.Hour)
			h.compacted()
			if v := h.partition("vendas").view.Load(); v.start != start || v.high != 2 {
				t.Errorf("from %d to %d, want %d to 2", v.start, v.high, start)
			}
		})
	}
}
