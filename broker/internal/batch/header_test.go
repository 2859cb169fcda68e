package batch_test

import (
	"bytes"
	"math"
	"testing"

	"github.com/rio-streams/rio/broker/internal/batch"
)

func TestAttributes(t *testing.T) {
	a := batch.Attributes(0b101_1100)
	equal(t, a.Compression(), batch.Zstd)
	equal(t, []bool{a.LogAppendTime(), a.Transactional(), a.Control(), a.DeleteHorizon()}, []bool{true, true, false, true})
	equal(t, a.WithCompression(batch.Gzip), batch.Attributes(0b101_1001))
	equal(t, batch.Attributes(7).Compression().String(), "compression 7")
	equal(t, batch.LZ4.String(), "lz4")
}

// As in DefaultRecordBatch.incrementSequence of Kafka, 0 comes after the largest int32.
func TestLastSequence(t *testing.T) {
	for _, test := range []struct{ base, delta, want int32 }{
		{0, 0, 0},
		{5, 3, 8},
		{math.MaxInt32 - 1, 1, math.MaxInt32},
		{math.MaxInt32 - 1, 2, 0},
		{math.MaxInt32, 1, 0},
		{math.MaxInt32, math.MaxInt32, math.MaxInt32 - 1},
		{-1, 4, -1},
	} {
		h := batch.Header{BaseSequence: test.base, LastOffsetDelta: test.delta}
		if got := h.LastSequence(); got != test.want {
			t.Errorf("%d + %d: got %d, want %d", test.base, test.delta, got, test.want)
		}
	}
}

// TestParseStopsAtTheEnd: Parse stops at the end of a batch, because another batch may follow.
func TestParseStopsAtTheEnd(t *testing.T) {
	first := write(producer, three...)
	both := append(bytes.Clone(first), write(producer, three...)...)
	h, err := batch.Parse(both)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, h.Size(), len(first))
	equal(t, h.LastOffset(), int64(1002))
	equal(t, mustRead(t, both), three)
}

func TestPlaceIsOutsideOfTheCRC(t *testing.T) {
	b := write(producer, three...)
	batch.SetBaseOffset(b, 1<<40)
	batch.SetLeaderEpoch(b, 9)
	h, err := batch.Verify(b)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, h.BaseOffset, int64(1<<40))
	equal(t, h.LeaderEpoch, int32(9))
	equal(t, mustRead(t, b)[2].Offset, int64(1<<40+2))
}

func TestLogAppendTime(t *testing.T) {
	for _, how := range compressions {
		h := producer
		h.Attributes = h.Attributes.WithCompression(how)
		b := write(h, three...)
		batch.SetLogAppendTime(b, 1_800_000_000_000)
		got, err := batch.Verify(b)
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got.Attributes, h.Attributes|batch.LogAppendTime)
		equal(t, got.MaxTimestamp, int64(1_800_000_000_000))
		for _, r := range mustRead(t, b) {
			equal(t, r.Timestamp, int64(1_800_000_000_000))
		}
	}
}
