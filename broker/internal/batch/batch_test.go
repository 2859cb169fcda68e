package batch_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// compressions lists all compressions.
var compressions = []batch.Compression{batch.None, batch.Gzip, batch.Snappy, batch.LZ4, batch.Zstd}

// record is a copy of a record that stays valid after the reader has moved on.
type record struct {
	Offset, Timestamp int64
	Key, Value        []byte
	Headers           []batch.RecordHeader
}

// three records show what is possible: headers, nulls, empty bytes, and decreasing timestamps.
var three = []record{
	{
		Offset: 1000, Timestamp: 1_700_000_000_000, Key: []byte("ana"), Value: []byte("ten and ten and ten and ten and ten"),
		Headers: []batch.RecordHeader{{Key: "trace", Value: []byte("1")}, {Key: "empty"}},
	},
	{Offset: 1001, Timestamp: 1_699_999_999_000, Key: []byte("bia")},
	{Offset: 1002, Timestamp: 1_700_000_005_000, Value: []byte{}},
}

// producer is the header of a transactional batch in which an idempotent producer sends three records.
var producer = batch.Header{
	BaseOffset: 1000, LeaderEpoch: 7, Attributes: batch.Transactional,
	ProducerID: 4711, ProducerEpoch: 3, BaseSequence: 1<<31 - 2,
}

// write builds a batch of records.
func write(h batch.Header, records ...record) []byte {
	var w batch.Writer
	w.Reset(h)
	for _, r := range records {
		w.Append(r.Offset, r.Timestamp, r.Key, r.Value, r.Headers)
	}
	return w.Finish(records[len(records)-1].Offset)
}

// read returns all records of a batch.
func read(r *batch.Reader, b []byte) ([]record, error) {
	if _, err := r.Reset(b); err != nil {
		return nil, err
	}
	var records []record
	for {
		next, err := r.Next()
		if errors.Is(err, io.EOF) {
			return records, nil
		}
		if err != nil {
			return records, err
		}
		headers, err := next.Headers()
		if err != nil {
			return records, err
		}
		records = append(records, record{next.Offset, next.Timestamp, next.Key, next.Value, headers})
	}
}

func mustRead(t *testing.T, b []byte) []record {
	t.Helper()
	records, err := read(new(batch.Reader), b)
	if err != nil {
		t.Fatal(err)
	}
	return records
}

func equal(t *testing.T, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("-want +got:\n%s", cmp.Diff(want, got))
	}
}

// foreign builds a batch with the types of franz-go. Its contents may be invalid; its length and CRC are correct.
func foreign(b kmsg.RecordBatch) []byte {
	b.Magic = 2
	b.Length = int32(batch.HeaderSize - 12 + len(b.Records))
	encoded := b.AppendTo(nil)
	renewCRC(encoded)
	return encoded
}

func renewCRC(b []byte) {
	binary.BigEndian.PutUint32(b[17:], crc32.Checksum(b[21:], crc32.MakeTable(crc32.Castagnoli)))
}

// foreignRecords encodes records with the types of franz-go.
func foreignRecords(base, baseTime int64, records []record) []byte {
	var out []byte
	for _, r := range records {
		k := kmsg.Record{
			TimestampDelta64: r.Timestamp - baseTime,
			OffsetDelta:      int32(r.Offset - base),
			Key:              r.Key,
			Value:            r.Value,
		}
		for _, h := range r.Headers {
			k.Headers = append(k.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
		}
		k.Length = int32(len(k.AppendTo(nil)) - 1) // the length itself, which is 0 so far, takes one byte
		out = k.AppendTo(out)
	}
	return out
}

// foreignCompress compresses as franz-go does.
func foreignCompress(t testing.TB, src []byte, how batch.Compression) []byte {
	t.Helper()
	codec := map[batch.Compression]kgo.CompressionCodec{
		batch.Gzip: kgo.GzipCompression(), batch.Snappy: kgo.SnappyCompression(),
		batch.LZ4: kgo.Lz4Compression(), batch.Zstd: kgo.ZstdCompression(),
	}[how]
	compressor, err := kgo.DefaultCompressor(codec)
	if err != nil {
		t.Fatal(err)
	}
	if compressor == nil {
		return src
	}
	out, _ := compressor.Compress(new(bytes.Buffer), src)
	return out
}

func fails(t *testing.T, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
