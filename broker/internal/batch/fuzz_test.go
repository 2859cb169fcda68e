package batch_test

import (
	"errors"
	"io"
	"testing"

	"github.com/rio-streams/rio/broker/internal/batch"
)

// seed adds batches of every kind to the corpus.
func seed(f *testing.F) {
	for _, encoded := range fromJava {
		f.Add(unhex(f, encoded))
	}
	for _, how := range compressions {
		h := producer
		h.Attributes = h.Attributes.WithCompression(how)
		f.Add(write(h, three...))
		f.Add(write(h, record{Offset: 1003, Value: make([]byte, 300)}))
	}
	f.Add(batch.Marker(1, 2, 3, 4, true, 5))
	var empty batch.Writer
	empty.Reset(producer)
	f.Add(empty.Finish(1005))
}

// FuzzCheck corrects the CRC, which the fuzzer could not guess. A batch that passes Check also passes Verify, and a
// reader can read it to its end unless it is compressed.
func FuzzCheck(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		if h, err := batch.Parse(b); err == nil {
			b = b[:h.Size()]
			renewCRC(b)
		}
		_, _, _ = batch.ReadMarker(b)
		h, err := batch.Check(b)
		if err != nil {
			return
		}
		batch.SetBaseOffset(b, 7)
		if _, err := batch.Verify(b); err != nil {
			t.Fatalf("a batch passes Check, but not Verify: %v", err)
		}
		if h.Attributes.Compression() != batch.None {
			return
		}
		records, err := read(new(batch.Reader), b)
		if err != nil {
			t.Fatalf("a batch passes Check, but not Reader: %v", err)
		}
		for i, r := range records {
			if r.Offset != 7+int64(i) {
				t.Fatalf("record %d has offset %d", i, r.Offset)
			}
		}
	})
}

// FuzzReader reads arbitrary bytes and writes the records that it could read. Reading them again gives the same
// records.
func FuzzReader(f *testing.F) {
	seed(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		r := batch.Reader{MaxSize: 1 << 20}
		var w batch.Writer
		h, err := r.Reset(b)
		if err != nil {
			return
		}
		w.Reset(h)
		for {
			record, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return
			}
			w.AppendRecord(record)
		}
		want, err := read(&r, b)
		if err != nil {
			t.Fatal(err)
		}
		got, err := read(new(batch.Reader), w.Finish(h.LastOffset()))
		if err != nil {
			t.Fatal(err)
		}
		equal(t, got, want)
	})
}
