package engine

import (
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/batch"
)

// list looks up a timestamp, for a reader of all or only of committed records.
func (h *harness) list(topic string, timestamp int64, isolation int8) place {
	h.Helper()
	rp := kmsg.NewListOffsetsRequestTopicPartition()
	rp.Timestamp = timestamp
	rt := kmsg.NewListOffsetsRequestTopic()
	rt.Topic, rt.Partitions = topic, []kmsg.ListOffsetsRequestTopicPartition{rp}
	req := kmsg.NewPtrListOffsetsRequest()
	req.IsolationLevel, req.Topics = isolation, []kmsg.ListOffsetsRequestTopic{rt}
	sp := ask(h, req).Topics[0].Partitions[0]
	h.code(nil, sp.ErrorCode, "list offsets")
	return place{sp.Offset, sp.Timestamp}
}

// finds checks the offset and the timestamp of the first record at or after a time. Both times are in ms after morning;
// offset -1 means that there is no such record.
func (h *harness) finds(topic string, after, offset, its int64) {
	h.Helper()
	want := place{offset, morning.UnixMilli() + its}
	if offset < 0 {
		want = place{-1, -1}
	}
	if got := h.list(topic, morning.UnixMilli()+after, readCommitted); got != want {
		h.Errorf("at %d: %v, want %v", after, got, want)
	}
}

// timed makes one record for each timestamp, in ms after morning.
func timed(after ...int64) (records []batch.Record) {
	for _, ms := range after {
		records = append(records, at(morning.Add(time.Duration(ms)*time.Millisecond), "ana=1")...)
	}
	return records
}

func TestTimesAreFoundInAllSegments(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", "segment.ms=1000")
	h.write("vendas", timed(0, 100)...)     // 0, 1
	h.write("vendas", timed(999)...)        // 2, the last of its segment
	h.write("vendas", timed(2000, 1500)...) // 3, 4
	h.write("vendas", timed(2500, 500)...)  // 5 and 6, a late record
	h.write("vendas", timed(3000)...)       // 7
	h.hasBases("vendas", 0, 3, 7)
	h.twice(func() {
		h.finds("vendas", -1, 0, 0)
		h.finds("vendas", 0, 0, 0)
		h.finds("vendas", 1, 1, 100)
		h.finds("vendas", 101, 2, 999)
		h.finds("vendas", 999, 2, 999)
		h.finds("vendas", 1000, 3, 2000) // the first by offset, not the next by time
		h.finds("vendas", 2000, 3, 2000)
		h.finds("vendas", 2001, 5, 2500)
		h.finds("vendas", 2500, 5, 2500)
		h.finds("vendas", 2501, 7, 3000)
		h.finds("vendas", 3000, 7, 3000)
		h.finds("vendas", 3001, -1, -1)
		h.isNewest("vendas", 7, 3000)
	})
}

// hasBases checks the base offsets of a topic's segments.
func (h *harness) hasBases(topic string, want ...int64) {
	h.Helper()
	segments, _, err := h.engine.segments(h.partition(topic))
	h.must(err)
	for i, s := range segments {
		if len(segments) != len(want) || s.Base != want[i] {
			h.Fatalf("segments %+v, want them to begin at %v", segments, want)
		}
	}
}

// isNewest checks the offset of the record with the greatest timestamp.
func (h *harness) isNewest(topic string, offset, its int64) {
	h.Helper()
	if got, want := h.list(topic, newest, readCommitted), (place{offset, morning.UnixMilli() + its}); got != want {
		h.Errorf("the newest record: %v, want %v", got, want)
	}
}

// Records before the start offset are not found, although their batch and segment still exist.
func TestTimesBeforeTheStartAreNotFound(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", "segment.ms=1000")
	h.write("vendas", timed(100, 900, 200)...)    // 0 to 2
	h.write("vendas", timed(5000, 1100, 1200)...) // 3 to 5
	h.hasBases("vendas", 0, 3)
	h.truncate("vendas", 2)
	h.twice(func() {
		h.finds("vendas", 0, 2, 200)
		h.finds("vendas", 201, 3, 5000)
	})
	h.truncate("vendas", 4)
	h.twice(func() {
		h.finds("vendas", 0, 4, 1100)
		h.finds("vendas", 1101, 5, 1200)
		h.finds("vendas", 1201, -1, -1)
		h.isNewest("vendas", 5, 1200)
	})
	h.truncate("vendas", 6)
	h.twice(func() { h.finds("vendas", 0, -1, -1) })
}

// The newest record of a segment may have been compacted away, or its timestamp may be a marker's. Then the search
// continues in other segments.
func TestTheNewestIsARecordThatIsThere(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", append(eager, "segment.ms=1000")...)
	p := h.transactional("caixa")
	h.write("vendas", timed(2000)...)                             // 0
	h.write("vendas", at(morning.Add(3*time.Second), "bea=1")...) // 1, a segment of its own
	p.write("vendas", timed(100)...)                              // 2
	h.isNewest("vendas", 1, 3000)
	h.advance(10 * time.Second)
	p.end(true) // 3, the newest by far
	h.isNewest("vendas", 1, 3000)
	h.write("vendas", at(morning, "bea=2", "cid=1")...) // 4, 5
	h.write("vendas", at(morning, "dan=1")...)          // 6
	h.compact()
	h.has("vendas", 2, 5, 6) // now ana's record has time 100, bea's 0
	h.twice(func() { h.isNewest("vendas", 2, 100) })
}

// A segment that was closed because of its size may have newer records than later segments.
func TestTheNewestMayBeInAnOlderSegment(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", large)
	h.write("vendas", timed(3000)...)
	h.write("vendas", h.filling(morning, segmentBytes))
	h.write("vendas", timed(1000)...)
	h.hasBases("vendas", 0, 2)
	h.twice(func() {
		h.isNewest("vendas", 0, 3000)
		h.finds("vendas", 1, 0, 3000)
	})
	h.truncate("vendas", 1)
	h.twice(func() {
		h.isNewest("vendas", 2, 1000)
		h.finds("vendas", 1, 2, 1000)
	})
}

func TestTimesOfWhatIsNotDecidedAreNotFound(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas")
	p := h.transactional("caixa")
	h.write("vendas", timed(0)...)
	p.write("vendas", timed(100)...)
	h.write("vendas", timed(200)...)
	h.twice(func() {
		h.finds("vendas", 1, -1, -1)
		h.isNewest("vendas", 0, 0)
		if got := h.list("vendas", latest, readCommitted); got.offset != 1 {
			t.Errorf("the last stable offset is %d, want 1", got.offset)
		}
		if got := h.list("vendas", morning.UnixMilli()+1, 0); got.offset != 1 {
			t.Errorf("a reader of all records finds %d, want 1", got.offset)
		}
	})
	p.end(true)
	h.finds("vendas", 1, 1, 100)
	h.isNewest("vendas", 2, 200)
}
