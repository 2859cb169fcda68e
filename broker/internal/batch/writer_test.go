package batch_test

import (
	"bytes"
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rio-streams/rio/broker/internal/batch"
	"pgregory.net/rapid"
)

// TestCompact removes the first and the last record, like compaction. The batch keeps its range of offsets and sequence
// numbers.
func TestCompact(t *testing.T) {
	for _, how := range compressions {
		t.Run(how.String(), func(t *testing.T) {
			old := unhex(t, fromJava[how])
			var r batch.Reader
			var w batch.Writer
			h, err := r.Reset(old)
			if err != nil {
				t.Fatal(err)
			}
			w.Reset(h)
			for range h.Count {
				record, err := r.Next()
				if err != nil {
					t.Fatal(err)
				}
				if record.Offset == 1001 {
					w.AppendRecord(record)
				}
			}
			equal(t, w.Len(), 1)
			b := w.Finish(h.LastOffset())
			got, err := batch.Verify(b)
			if err != nil {
				t.Fatal(err)
			}
			want := h
			want.Length, want.CRC, want.Count = got.Length, got.CRC, 1
			want.BaseTimestamp, want.MaxTimestamp = three[1].Timestamp, three[1].Timestamp
			equal(t, got, want)
			equal(t, w.Header, want)
			equal(t, mustRead(t, b), three[1:2])
		})
	}
}

// TestEmptied: the last batch of a producer is kept without records, because its sequence number is still needed.
func TestEmptied(t *testing.T) {
	h, err := batch.Parse(unhex(t, fromJava[batch.Zstd]))
	if err != nil {
		t.Fatal(err)
	}
	var w batch.Writer
	w.Reset(h)
	b := w.Finish(h.LastOffset())
	equal(t, len(b), batch.HeaderSize)
	got, err := batch.Verify(b)
	if err != nil {
		t.Fatal(err)
	}
	want := h
	want.Length, want.CRC, want.Count, want.Attributes = got.Length, got.CRC, 0, h.Attributes.WithCompression(batch.None)
	equal(t, got, want)
	equal(t, mustRead(t, b), []record(nil))
}

// TestDeleteHorizon: the base timestamp is the delete horizon (KIP-534), and the records keep their timestamps.
func TestDeleteHorizon(t *testing.T) {
	h := producer
	h.Attributes |= batch.DeleteHorizon
	h.BaseTimestamp = 1_900_000_000_000
	b := write(h, three...)
	got, err := batch.Verify(b)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got.BaseTimestamp, int64(1_900_000_000_000))
	equal(t, got.MaxTimestamp, three[2].Timestamp)
	equal(t, mustRead(t, b), three)
}

// TestCompactKeepsLogAppendTime: before and after, all records have the timestamp of the batch.
func TestCompactKeepsLogAppendTime(t *testing.T) {
	h := producer
	h.Attributes |= batch.LogAppendTime
	h.MaxTimestamp = 1_800_000_000_000
	b := write(h, three...)
	got, err := batch.Verify(b)
	if err != nil {
		t.Fatal(err)
	}
	equal(t, got.MaxTimestamp, int64(1_800_000_000_000))
	equal(t, mustRead(t, b)[1].Timestamp, int64(1_800_000_000_000))
}

// TestMaxTimestamp: the newest record need not be the last.
func TestMaxTimestamp(t *testing.T) {
	h, err := batch.Verify(write(producer, three[:2]...))
	if err != nil {
		t.Fatal(err)
	}
	equal(t, h.MaxTimestamp, three[0].Timestamp)
}

// TestSize: Size without compression is what Finish returns.
func TestSize(t *testing.T) {
	var w batch.Writer
	w.Reset(batch.Header{})
	equal(t, w.Size(), batch.HeaderSize)
	w.Append(0, 0, nil, make([]byte, 1000), nil)
	equal(t, w.Size(), len(w.Finish(0)))
}

// TestSmallestBlocks: blocks are at most 64 KiB, so that they fit the buffers of Java consumers.
func TestSmallestBlocks(t *testing.T) {
	b := write(batch.Header{Attributes: batch.Attributes(batch.LZ4)}, many()...)
	const independentBlocks, blocksOf64KiB = 0x60, 0x40
	equal(t, b[batch.HeaderSize:batch.HeaderSize+6], []byte{0x04, 0x22, 0x4d, 0x18, independentBlocks, blocksOf64KiB})
}

// TestThereAndBack: arbitrary records can be written and read back unchanged.
func TestThereAndBack(t *testing.T) {
	var w batch.Writer
	var r batch.Reader
	rapid.Check(t, func(t *rapid.T) {
		h := batch.Header{
			BaseOffset: rapid.Int64Range(0, 1<<62).Draw(t, "base"),
			Attributes: batch.Attributes(rapid.SampledFrom(compressions).Draw(t, "compression")),
			ProducerID: -1, BaseSequence: -1, ProducerEpoch: -1,
		}
		var want []record
		next := h.BaseOffset
		w.Reset(h)
		for range rapid.IntRange(0, 8).Draw(t, "records") {
			next += rapid.Int64Range(0, 1<<20).Draw(t, "gap")
			one := record{
				next, rapid.Int64().Draw(t, "time"), drawBytes(t, "key"), drawBytes(t, "value"), nil,
			}
			for range rapid.IntRange(0, 3).Draw(t, "headers") {
				one.Headers = append(one.Headers, batch.RecordHeader{Key: rapid.String().Draw(t, "header"), Value: drawBytes(t, "header value")})
			}
			w.Append(one.Offset, one.Timestamp, one.Key, one.Value, one.Headers)
			want = append(want, one)
			next++
		}
		b := bytes.Clone(w.Finish(next))
		if _, err := batch.Verify(b); err != nil {
			t.Fatal(err)
		}
		got, err := read(&r, b)
		if err != nil {
			t.Fatal(err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatal(cmp.Diff(want, got))
		}
	})
}

// drawBytes draws null, a few bytes, or many bytes.
func drawBytes(t *rapid.T, label string) []byte {
	if rapid.Bool().Draw(t, label+" is null") {
		return nil
	}
	size := rapid.SampledFrom([]int{0, 1, 63, 64, 127, 128, 8191, 8192, 40_000}).Draw(t, label+" size")
	return bytes.Repeat([]byte{rapid.Byte().Draw(t, label)}, size)
}

func ExampleWriter() {
	var w batch.Writer
	w.Reset(batch.Header{BaseOffset: 41, ProducerID: -1, Attributes: batch.Attributes(batch.Zstd)})
	w.Append(41, 1_700_000_000_000, []byte("ana"), []byte("10.00"), nil)
	w.Append(42, 1_700_000_001_000, []byte("bia"), nil, nil)
	b := w.Finish(42)

	var r batch.Reader
	h, err := r.Reset(b)
	if err != nil {
		panic(err)
	}
	fmt.Println(h.Count, "records,", h.Attributes.Compression())
	for range h.Count {
		record, err := r.Next()
		if err != nil {
			panic(err)
		}
		fmt.Printf("%d %s=%s\n", record.Offset, record.Key, record.Value)
	}
	// Output:
	// 2 records, zstd
	// 41 ana=10.00
	// 42 bia=
}
