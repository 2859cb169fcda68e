package batch_test

import (
	"bytes"
	"errors"
	"io"
	"testing"

	"github.com/klauspost/compress/zstd"
	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestReaderGoesFromBatchToBatch: data of one batch in the reader's buffers does not appear in the next batch.
func TestReaderGoesFromBatchToBatch(t *testing.T) {
	var r batch.Reader
	for range 2 {
		for _, how := range compressions {
			for _, records := range [][]record{three, many()} {
				h := batch.Header{ProducerID: -1, BaseOffset: records[0].Offset, Attributes: batch.Attributes(how)}
				got, err := read(&r, write(h, records...))
				if err != nil {
					t.Fatal(err)
				}
				equal(t, got, records)
			}
			if _, err := r.Reset([]byte("nonsense")); err == nil {
				t.Fatal("invalid bytes are read as a batch")
			}
			_, err := r.Next()
			fails(t, err, batch.ErrTruncated)
		}
	}
}

func TestReaderStaysAtItsError(t *testing.T) {
	var r batch.Reader
	if _, err := r.Reset(foreign(kmsg.RecordBatch{NumRecords: 1, Records: []byte{1}})); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := r.Next()
		fails(t, err, batch.ErrMalformed)
	}
	if _, err := r.Reset(foreign(kmsg.RecordBatch{})); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		_, err := r.Next()
		fails(t, err, io.EOF)
	}
}

// TestEmptiedByOthers: a batch without records may still have a compression in its header.
func TestEmptiedByOthers(t *testing.T) {
	for _, how := range compressions {
		equal(t, mustRead(t, foreign(kmsg.RecordBatch{Attributes: int16(how), LastOffsetDelta: 4})), []record(nil))
	}
}

// TestSnappyBlock: some clients write snappy without frames.
func TestSnappyBlock(t *testing.T) {
	b := foreign(kmsg.RecordBatch{
		FirstOffset: 1000, FirstTimestamp: three[0].Timestamp, Attributes: int16(batch.Snappy), LastOffsetDelta: 2, NumRecords: 3,
		Records: foreignCompress(t, foreignRecords(1000, three[0].Timestamp, three), batch.Snappy),
	})
	if bytes.Contains(b, []byte("SNAPPY")) {
		t.Fatal("this is a frame")
	}
	equal(t, mustRead(t, b), three)
}

// TestBomb: a small batch that decompresses to many megabytes is rejected at the limit.
func TestBomb(t *testing.T) {
	const size = 20 << 20
	records := record{Value: make([]byte, size)}
	for _, how := range compressions[1:] {
		t.Run(how.String(), func(t *testing.T) {
			b := write(batch.Header{ProducerID: -1, Attributes: batch.Attributes(how)}, records)
			for limit, want := range map[int]error{1 << 20: batch.ErrTooLarge, size: batch.ErrTooLarge, size + 100: nil, 0: nil} {
				got, err := read(&batch.Reader{MaxSize: limit}, b)
				fails(t, err, want)
				if want == nil && (len(got) != 1 || len(got[0].Value) != size) {
					t.Errorf("limit %d: got %d records", limit, len(got))
				}
			}
		})
	}
}

// TestLimitIsExact: records of exactly the limit are read; one more byte is too large.
func TestLimitIsExact(t *testing.T) {
	plain := len(write(producer, three...)) - batch.HeaderSize
	for _, how := range compressions[1:] {
		b := unhex(t, fromJava[how])
		got, err := read(&batch.Reader{MaxSize: plain}, b)
		fails(t, err, nil)
		equal(t, got, three)
		_, err = read(&batch.Reader{MaxSize: plain - 1}, b)
		fails(t, err, batch.ErrTooLarge)
	}
}

// TestDamagedCompression truncates and flips compressed data. The result is an error or a batch, never a panic.
func TestDamagedCompression(t *testing.T) {
	for _, how := range compressions[1:] {
		t.Run(how.String(), func(t *testing.T) {
			var b kmsg.RecordBatch
			if err := b.ReadFrom(unhex(t, fromJava[how])); err != nil {
				t.Fatal(err)
			}
			var r batch.Reader
			whole := b.Records
			for i := 1; i < len(whole); i++ {
				b.Records = whole[:i]
				if got, err := read(&r, foreign(b)); err == nil && len(got) != 3 {
					t.Errorf("cut at %d: %d records and no error", i, len(got))
				}
			}
			for i := range len(whole) * 8 {
				b.Records = bytes.Clone(whole)
				b.Records[i/8] ^= 1 << (i % 8)
				if _, err := read(&r, foreign(b)); err != nil && !errors.Is(err, batch.ErrMalformed) && !errors.Is(err, batch.ErrTooLarge) {
					t.Errorf("bit %d: %v", i, err)
				}
			}
		})
	}
}

// TestSnappyClaims: memory is allocated for the actual data, not for the length in a frame.
func TestSnappyClaims(t *testing.T) {
	const header = "\x82SNAPPY\x00\x00\x00\x00\x01\x00\x00\x00\x01"
	for name, records := range map[string]string{
		"half a header":            header[:12],
		"half a length":            header + "\x00\x00",
		"a block beyond the end":   header + "\x00\x00\x00\x09\x00",
		"a block of 4 GiB":         header + "\xff\xff\xff\xff\x00",
		"100 MiB in a few bytes":   "\x80\x80\x80\x32\x00\x61",
		"a block without its data": header + "\x00\x00\x00\x01\x05",
		"no length":                "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff",
	} {
		t.Run(name, func(t *testing.T) {
			b := foreign(kmsg.RecordBatch{Attributes: int16(batch.Snappy), NumRecords: 1, Records: []byte(records)})
			_, err := read(&batch.Reader{MaxSize: 1 << 20}, b)
			fails(t, err, batch.ErrMalformed)
		})
	}
}

// TestZstdWindow: zstd streams of the Java client have a window of megabytes, even if the data and the limit are small.
func TestZstdWindow(t *testing.T) {
	var stream bytes.Buffer
	w, err := zstd.NewWriter(&stream, zstd.WithWindowSize(2<<20), zstd.WithEncoderConcurrency(1))
	if err != nil {
		t.Fatal(err)
	}
	records := foreignRecords(0, 0, []record{{Value: []byte("small")}})
	for _, part := range [][]byte{records[:4], records[4:]} {
		if _, err := w.Write(part); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	b := foreign(kmsg.RecordBatch{Attributes: int16(batch.Zstd), NumRecords: 1, Records: stream.Bytes()})
	got, err := read(&batch.Reader{MaxSize: 1 << 10}, b)
	fails(t, err, nil)
	equal(t, got, []record{{Value: []byte("small")}})
}
