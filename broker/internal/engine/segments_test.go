package engine

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/broker/internal/store"
)

// large contains settings that allow batches as large as a segment.
const large = "max.message.bytes=10000000"

// hasSegments checks the segments of a topic, each as "from its base offset, byte position, newest time after morning".
func (h *harness) hasSegments(topic string, want ...string) {
	h.Helper()
	segments, _, err := h.engine.segments(h.partition(topic))
	h.must(err)
	var got []string
	for _, s := range segments {
		newest := "nothing"
		if s.MaxTimestamp != store.NoTimestamp {
			newest = time.UnixMilli(s.MaxTimestamp).Sub(morning).String()
		}
		got = append(got, fmt.Sprintf("from %d, byte %d, newest %s", s.Base, s.Position, newest))
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.Errorf("segments of %s, wanted and got:\n%s", topic, diff)
	}
}

func TestASegmentIsFullBySize(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", large)
	h.hasSegments("vendas", "from 0, byte 0, newest nothing")
	h.write("vendas", h.filling(morning, segmentBytes-100))
	h.write("vendas", h.filling(morning, 99)) // one byte less than full
	h.write("vendas", h.filling(morning, 200))
	h.twice(func() { h.hasSegments("vendas", "from 0, byte 0, newest 0s") })
	h.write("vendas", h.filling(morning, segmentBytes))
	h.twice(func() { h.hasSegments("vendas", "from 0, byte 0, newest 0s", "from 3, byte 1048775, newest 0s") })
	h.write("vendas", h.filling(morning, 100)) // the segment was exactly full
	h.twice(func() {
		h.hasSegments("vendas", "from 0, byte 0, newest 0s", "from 3, byte 1048775, newest 0s", "from 4, byte 2097351, newest 0s")
	})
}

func TestASegmentIsFullByAge(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", "segment.ms=60000")
	write := func(after time.Duration) { h.write("vendas", h.filling(morning.Add(after), 100)) }
	write(0)
	write(59_999 * time.Millisecond)
	write(-time.Hour) // late, so it does not start a new segment
	h.twice(func() { h.hasSegments("vendas", "from 0, byte 0, newest 59.999s") })
	write(time.Minute)
	write(119_999 * time.Millisecond) // counted from the first record of the segment
	h.twice(func() {
		h.hasSegments("vendas", "from 0, byte 0, newest 59.999s", "from 3, byte 300, newest 1m59.999s")
	})
	write(2 * time.Minute)
	h.twice(func() {
		h.hasSegments("vendas", "from 0, byte 0, newest 59.999s", "from 3, byte 300, newest 1m59.999s", "from 5, byte 500, newest 2m0s")
	})
}

// Retention deletes whole segments, so a segment covers at most an eighth of the retention time.
func TestRetentionMakesSegmentsShort(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", "retention.ms=8000")
	for _, after := range []time.Duration{0, 999 * time.Millisecond, time.Second} {
		h.write("vendas", h.filling(morning.Add(after), 100))
	}
	h.hasSegments("vendas", "from 0, byte 0, newest 999ms", "from 2, byte 200, newest 1s")
}

// A marker has the broker's time, so it does not start a new segment because of its age.
func TestAMarkerBelongsToTheSegment(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", "segment.ms=60000")
	p := h.transactional("caixa")
	p.write("vendas", h.records("ana=1")...)
	h.advance(time.Minute)
	p.end(true)
	h.twice(func() { h.hasSegments("vendas", "from 0, byte 0, newest 1m0s") })
}

// If records are deleted up to the middle of a batch, the batch and its segment are kept.
func TestSegmentsBeforeTheStartAreForgotten(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", "segment.ms=1000")
	for i := range 3 {
		h.write("vendas", at(morning.Add(time.Duration(i)*time.Second), "ana=1", "bea=1")...)
	}
	first := h.partition("vendas").view.Load().size / 3
	h.truncate("vendas", 3) // within the second segment
	h.twice(func() {
		h.hasSegments("vendas",
			fmt.Sprintf("from 2, byte %d, newest 1s", first), fmt.Sprintf("from 4, byte %d, newest 2s", 2*first))
		h.holds("vendas", 3, 6, "2 ana=1", "3 bea=1", "4 ana=1", "5 bea=1")
	})
	h.truncate("vendas", 6)
	h.twice(func() { h.hasSegments("vendas", fmt.Sprintf("from 6, byte %d, newest nothing", 3*first)) })
}
