package engine

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/rio-streams/rio/broker/internal/store"
)

// eager contains settings for compaction as soon as there are new records.
var eager = []string{"cleanup.policy=compact", "min.cleanable.dirty.ratio=0"}

// compacting returns an engine with the topic "vendas", which is compacted at every sweep. more contains further
// settings.
func compacting(t *testing.T, settings ...string) *harness {
	h := newHarness(t)
	h.topic("vendas", append(eager, settings...)...)
	return h
}

func TestTheLastRecordOfEachKeyStays(t *testing.T) {
	h := compacting(t)
	h.write("vendas", h.records("ana=1", "bea=1", "ana=2", "cid=1")...)
	h.write("vendas", h.records("dan=1", "dan=2")...)
	h.write("vendas", h.records("bea=2", "cid=2", "dan=3")...)
	h.write("vendas", h.records("ana=3", "ana=4")...)
	h.compact()
	h.twice(func() {
		h.keeps("vendas",
			"0..3: 2 ana=2",
			"6..8: 6 bea=2, 7 cid=2, 8 dan=3",
			"9..10: 9 ana=3, 10 ana=4") // the last batch is not compacted and does not supersede records
		h.holds("vendas", 0, 11, "2 ana=2", "6 bea=2", "7 cid=2", "8 dan=3", "9 ana=3", "10 ana=4")
	})
	h.write("vendas", h.records("eva=1")...)
	h.compact()
	h.keeps("vendas", "6..8: 6 bea=2, 7 cid=2, 8 dan=3", "9..10: 10 ana=4", "11..11: 11 eva=1")
}

func TestCompactionEndsBeforeWhatIsOpen(t *testing.T) {
	h := compacting(t)
	open := h.transactional("caixa")
	h.write("vendas", h.records("ana=1")...)
	h.write("vendas", h.records("ana=2")...)
	h.write("vendas", h.records("bea=1")...)
	open.write("vendas", h.records("ana=3")...) // offset 3
	h.write("vendas", h.records("bea=2")...)
	h.write("vendas", h.records("bea=3")...)
	h.compact()
	h.keeps("vendas", "1..1: 1 ana=2", "2..2: 2 bea=1", "3..3: 3 ana=3", "4..4: 4 bea=2", "5..5: 5 bea=3")
	open.end(true)
	h.compact()
	h.twice(func() { h.keeps("vendas", "3..3: 3 ana=3", "5..5: 5 bea=3", "6..6: commit") })
	h.write("vendas", h.records("cid=1")...)
	h.compact()
	h.keeps("vendas", "3..3: 3 ana=3", "5..5: 5 bea=3", "7..7: 7 cid=1") // a marker is deleted when there is another batch after it
	h.holds("vendas", 0, 8, "3 ana=3", "5 bea=3", "7 cid=1")
}

// Aborted records do not supersede others, also if two transactions overlap.
func TestWhatWasAbortedGoes(t *testing.T) {
	h := compacting(t)
	good, bad := h.transactional("good"), h.transactional("bad")
	h.write("vendas", h.records("ana=1", "bea=1", "cid=1")...)
	bad.write("vendas", h.records("ana=bad")...)      // offset 3
	good.write("vendas", h.records("bea=2")...)       // 4
	bad.write("vendas", h.records("bea=bad")...)      // 5
	bad.end(false)                                    // 6
	bad.write("vendas", h.records("cid=2")...)        // 7, in a committed transaction
	good.end(true)                                    // 8
	bad.end(true)                                     // 9
	bad.write("vendas", h.records("ana=bad, too")...) // 10
	bad.end(false)                                    // 11
	h.write("vendas", h.records("dan=1")...)          // 12
	want := []string{"0 ana=1", "4 bea=2", "7 cid=2", "12 dan=1"}
	h.holds("vendas", 0, 13, "0 ana=1", "1 bea=1", "2 cid=1", "4 bea=2", "7 cid=2", "12 dan=1")
	h.compact()
	h.twice(func() {
		h.keeps("vendas", "0..2: 0 ana=1", "4..4: 4 bea=2", "7..7: 7 cid=2", "12..12: 12 dan=1")
		h.holds("vendas", 0, 13, want...)
		if list := h.abortedIn("vendas"); list != 0 {
			t.Errorf("%d entries of aborted transactions without any records are left", list)
		}
	})
}

// abortedIn returns the number of entries of aborted transactions.
func (h *harness) abortedIn(topic string) (n int) {
	h.Helper()
	r, err := h.db.NewReader()
	h.must(err)
	defer r.Close()
	for _, err := range r.Aborted(h.partition(topic).id, 0) {
		h.must(err)
		n++
	}
	return n
}

// A transaction whose marker is not compacted yet keeps its records, its marker and its entry.
func TestTheLastBatchCanBeAMarker(t *testing.T) {
	h := compacting(t)
	bad := h.transactional("bad")
	h.write("vendas", h.records("ana=1")...)
	bad.write("vendas", h.records("ana=bad")...)
	bad.write("vendas", h.records("ana=worse")...)
	bad.end(false)
	h.compact()
	h.holds("vendas", 0, 4, "0 ana=1")
	if h.abortedIn("vendas") != 1 {
		t.Error("the entry was deleted although its marker still exists")
	}
	h.write("vendas", h.records("bea=1")...)
	h.compact()
	h.keeps("vendas", "0..0: 0 ana=1", "4..4: 4 bea=1")
}

func TestATombstoneStaysForItsTime(t *testing.T) {
	const stay = 10 * time.Second
	for _, c := range []struct {
		name  string
		after time.Duration // stores that it was compacted
		want  []string
	}{
		{"a moment before", stay - time.Millisecond, []string{"1..1: 1 ana", "2..2: 2 bea=1", "3..3: 3 cid=1"}},
		{"on time", stay, []string{"2..2: 2 bea=1", "3..3: 3 cid=1"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := compacting(t, "delete.retention.ms=10000")
			h.write("vendas", h.records("ana=1")...)
			h.write("vendas", h.records("ana")...)
			h.write("vendas", h.records("bea=1")...)
			h.write("vendas", h.records("cid=1")...)
			h.advance(time.Hour) // its retention time starts when it is compacted
			h.compacted()
			h.twice(func() { h.keeps("vendas", "1..1: 1 ana", "2..2: 2 bea=1", "3..3: 3 cid=1") })
			h.advance(c.after)
			h.compacted()
			h.twice(func() { h.keeps("vendas", c.want...) })
		})
	}
}

// Tombstones in a batch with other records, and a tombstone that is superseded before its time.
func TestTombstonesAmongOthers(t *testing.T) {
	h := compacting(t, "delete.retention.ms=10000")
	h.write("vendas", h.records("ana", "bea=1", "cid")...)
	h.write("vendas", h.records("cid=1")...)
	h.write("vendas", h.records("dan=1")...)
	h.compact()
	h.keeps("vendas", "0..2: 0 ana, 1 bea=1", "3..3: 3 cid=1", "4..4: 4 dan=1")
	h.advance(5 * time.Second)
	h.compacted()
	h.write("vendas", h.records("bea=2")...)
	h.write("vendas", h.records("eva=1")...)
	h.compact() // does not restart the retention time of ana's tombstone
	h.keeps("vendas", "0..2: 0 ana", "3..3: 3 cid=1", "4..4: 4 dan=1", "5..5: 5 bea=2", "6..6: 6 eva=1")
	h.advance(4 * time.Second)
	h.compacted()
	h.keeps("vendas", "3..3: 3 cid=1", "4..4: 4 dan=1", "5..5: 5 bea=2", "6..6: 6 eva=1")
}

// The state of a producer is not lost when its batches are compacted away.
func TestABatchThatCompactionTookCanBeRepeated(t *testing.T) {
	h := compacting(t)
	p := h.producer()
	first := p.batch(0, h.records("ana=1")...)
	p.appends("vendas", 0, first)
	h.write("vendas", h.records("ana=2")...)
	h.write("vendas", h.records("bea=1")...)
	h.compact()
	h.keeps("vendas", "1..1: 1 ana=2", "2..2: 2 bea=1")
	h.twice(func() { p.appends("vendas", 0, first) })
	p.appends("vendas", 3, p.batch(1, h.records("cid=1")...))
}

func TestYoungRecordsAreNotCompacted(t *testing.T) {
	for after, want := range map[time.Duration][]string{
		9_999 * time.Millisecond: {"0..0: 0 ana=1", "1..1: 1 ana=2", "2..2: 2 ana=3"},
		10 * time.Second:         {"1..1: 1 ana=2", "2..2: 2 ana=3"}, // the second must reach its age, too
	} {
		t.Run(after.String(), func(t *testing.T) {
			h := compacting(t, "min.compaction.lag.ms=10000")
			h.write("vendas", h.records("ana=1")...)
			h.write("vendas", h.records("ana=2")...)
			h.write("vendas", h.records("ana=3")...)
			h.advance(after)
			h.compacted()
			h.keeps("vendas", want...)
		})
	}
}

func TestCompactionWaitsForItsShareOfTheLog(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", "cleanup.policy=compact", "min.cleanable.dirty.ratio=0.5")
	h.writeMany("vendas", 9)
	h.compact()
	h.has("vendas", 7, 8)
	h.writeMany("vendas", 6) // 7 of 15 batches are new
	h.compact()
	h.has("vendas", 7, 8, 9, 10, 11, 12, 13, 14)
	h.writeMany("vendas", 1) // 8 of 16
	h.compact()
	h.has("vendas", 14, 15)
}

func TestCompactionDoesNotLagBehind(t *testing.T) {
	for after, want := range map[time.Duration][]int64{
		59_999 * time.Millisecond: {7, 8, 9, 10},
		time.Minute:               {9, 10},
	} {
		t.Run(after.String(), func(t *testing.T) {
			h := newHarness(t)
			h.topic("vendas", "cleanup.policy=compact", "min.cleanable.dirty.ratio=0.5", "max.compaction.lag.ms=60000")
			h.writeMany("vendas", 9)
			h.compact()
			h.writeMany("vendas", 2)
			h.advance(after)
			h.compacted()
			h.has("vendas", want...)
		})
	}
}

// writeMany writes batches of one record with the same key.
func (h *harness) writeMany(topic string, n int) {
	h.Helper()
	for range n {
		h.write(topic, h.records("ana=1")...)
	}
}

// After a start of the broker, the time since the last compaction is unknown. That alone is no reason to compact.
func TestARestartCompactsNothing(t *testing.T) {
	h := newHarness(t)
	h.topic("vendas", "cleanup.policy=compact", "min.cleanable.dirty.ratio=0.5")
	h.writeMany("vendas", 6)
	h.compact()
	h.writeMany("vendas", 1)
	h.twice(func() {
		h.compact()
		h.has("vendas", 4, 5, 6)
	})
}

// While all new records are too young, compaction does not read the log. Otherwise it would log unreadable batches
// again and again.
func TestNothingNewIsNoWork(t *testing.T) {
	h := compacting(t, "min.compaction.lag.ms=60000")
	h.write("vendas", h.records("ana=1", "bea=1")...)
	h.write("vendas", h.records("ana=2", "bea=2")...)
	h.spoil("vendas", 1, func([]byte) []byte { return []byte("no batch") })
	h.advance(time.Minute)
	h.compacted()
	h.complains(1)
	h.write("vendas", h.records("ana=3", "bea=3")...)
	h.compact() // now the second batch is not the last one
	h.complains(2)
	for range 3 {
		h.write("vendas", h.records("ana=4", "bea=4")...)
		h.compact()
	}
	h.complains(2)
}

func TestCompactionPassesWhatItCannotRead(t *testing.T) {
	for _, c := range []struct {
		name  string
		spoil func(records []byte) []byte
	}{
		{"the header", func([]byte) []byte { return []byte("no batch") }},
		{"the last record", func(b []byte) []byte { b[len(b)-1]++; return b }},
		{"a value", func(b []byte) []byte { b[len(b)-2]++; return b }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := compacting(t)
			h.write("vendas", h.records("ana=1")...)
			h.write("vendas", h.records("bea=1")...)
			h.write("vendas", h.records("ana=2", "bea=2")...)
			h.write("vendas", h.records("bea=3")...)
			h.write("vendas", h.records("cid=1")...)
			h.spoil("vendas", 3, c.spoil)
			h.compact()
			h.has("vendas", 0, 3, 4, 5) // unreadable batches do not supersede others
			h.complains(1)
			for range 3 {
				h.compact() // no new records
			}
			h.complains(1)
			h.write("vendas", h.records("bea=4")...)
			h.write("vendas", h.records("dan=1")...)
			h.compact()
			h.has("vendas", 0, 3, 5, 6, 7)
			h.complains(2)
		})
	}
}

func TestCompactionThatFailsIsTriedAgainLater(t *testing.T) {
	h := compacting(t)
	h.write("vendas", h.records("ana=1")...)
	h.write("vendas", h.records("ana=2")...)
	h.write("vendas", h.records("ana=3")...)
	tried := 0
	h.engine.newReader = func() (*store.Reader, error) {
		tried++
		return nil, errors.New("readers fail in this test")
	}
	for range retryInterval / sweepInterval {
		h.compact()
	}
	if logged := h.log.count("compaction failed"); tried != 1 || logged != 1 {
		t.Errorf("tried %d times in a minute, and logged %d times that it stopped", tried, logged)
	}
	h.engine.newReader = h.db.NewReader
	h.compact()
	h.has("vendas", 1, 2)
}

// complains checks how often compaction has logged an unreadable batch, and that it has logged nothing worse.
func (h *harness) complains(want int) {
	h.Helper()
	if got := h.log.count("skips an unreadable batch"); got != want {
		h.Errorf("logged unreadable batches %d times, want %d", got, want)
	}
	if h.log.count("compaction failed") > 0 {
		h.Error("compaction failed")
	}
}

// spoil damages the batch that ends at an offset.
func (h *harness) spoil(topic string, last int64, how func([]byte) []byte) {
	h.Helper()
	for stored := range h.inStore(topic, last) {
		b := h.db.NewBatch()
		b.SetRecords(h.partition(topic).id, last, how(append([]byte(nil), stored.Bytes...)))
		h.must(h.db.Commit(b))
		return
	}
}

// has checks that the batches in the store end at these offsets.
func (h *harness) has(topic string, want ...int64) {
	h.Helper()
	var got []int64
	for stored := range h.inStore(topic, 0) {
		got = append(got, stored.Last)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		h.Errorf("batches of %s, wanted and got:\n%s", topic, diff)
	}
}

// A compacted batch keeps its offsets and the identity of its producer.
func TestACompactedBatchKeepsItsHeader(t *testing.T) {
	h := compacting(t)
	p := h.producer()
	p.appends("vendas", 0, p.batch(7, h.records("ana=1", "bea=1", "cid=1")...))
	h.write("vendas", h.records("ana=2", "cid=2")...)
	h.write("vendas", h.records("dan=1")...)
	h.compact()
	r, err := h.db.NewReader()
	h.must(err)
	defer r.Close()
	for stored, err := range r.Records(h.partition("vendas").id, 0) {
		h.must(err)
		got, err := batch.Verify(stored.Bytes)
		h.must(err)
		want := got
		want.BaseOffset, want.LastOffsetDelta, want.Count = 0, 2, 1
		want.ProducerID, want.ProducerEpoch, want.BaseSequence = p.id, p.epoch, 7
		want.MaxTimestamp = morning.UnixMilli()
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		return
	}
}
