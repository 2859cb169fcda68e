package batch_test

import (
	"bytes"
	"encoding/binary"
	"math"
	"testing"

	"github.com/rio-streams/rio/broker/internal/batch"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// TestEveryBitCounts: Check detects a flip of any bit, except in the base offset and the leader epoch, which the broker
// sets.
//
// Proves: damage-is-found
func TestEveryBitCounts(t *testing.T) {
	for _, how := range compressions {
		whole := unhex(t, fromJava[how])
		for i := range len(whole) * 8 {
			b := bytes.Clone(whole)
			b[i/8] ^= 1 << (i % 8)
			_, err := batch.Check(b)
			switch at := i / 8; {
			case at < 8 || at >= 12 && at < 16:
				fails(t, err, nil)
			case at < 12:
				if err == nil {
					t.Errorf("%v: a flip of bit %d of the length was not detected", how, i)
				}
			case at == 16:
				fails(t, err, batch.ErrMagic)
			default:
				fails(t, err, batch.ErrCRC)
			}
		}
	}
}

func TestTruncated(t *testing.T) {
	for _, how := range compressions {
		whole := unhex(t, fromJava[how])
		for i := range whole {
			_, err := batch.Check(whole[:i])
			fails(t, err, batch.ErrTruncated)
			_, err = batch.Verify(whole[:i])
			fails(t, err, batch.ErrTruncated)
			_, err = batch.Parse(whole[:i])
			fails(t, err, batch.ErrTruncated)
		}
		_, err := batch.Check(append(whole, 0))
		fails(t, err, batch.ErrMalformed)
	}
}

func TestOlderMagic(t *testing.T) {
	b := unhex(t, fromJava[batch.None])
	b[16] = 1
	_, err := batch.Parse(b)
	fails(t, err, batch.ErrMagic)
	equal(t, err.Error(), "batch: not of magic 2 but 1")
}

// TestHeaderNonsense: the CRC is correct, but the header is invalid. Some headers are valid in the log, but not from a
// producer.
func TestHeaderNonsense(t *testing.T) {
	for _, test := range []struct {
		name          string
		change        func(*kmsg.RecordBatch)
		check, verify error
	}{
		{"as it should be", func(*kmsg.RecordBatch) {}, nil, nil},
		{"no record", func(b *kmsg.RecordBatch) { b.NumRecords, b.Records = 0, nil }, batch.ErrMalformed, nil},
		{"a record less", func(b *kmsg.RecordBatch) { b.LastOffsetDelta = 3 }, batch.ErrMalformed, nil},
		{"a record more", func(b *kmsg.RecordBatch) { b.LastOffsetDelta = 1 }, batch.ErrMalformed, batch.ErrMalformed},
		{"a negative count", func(b *kmsg.RecordBatch) { b.NumRecords = -1 }, batch.ErrMalformed, batch.ErrMalformed},
		{"the least count", func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = math.MinInt32, math.MaxInt32 }, batch.ErrMalformed, batch.ErrMalformed},
		{"the largest count", func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = math.MaxInt32, math.MaxInt32-1 }, batch.ErrMalformed, batch.ErrMalformed},
		{"a negative last offset", func(b *kmsg.RecordBatch) { b.NumRecords, b.LastOffsetDelta = 0, -1 }, batch.ErrMalformed, batch.ErrMalformed},
		{"an unknown compression", func(b *kmsg.RecordBatch) { b.Attributes |= 5 }, batch.ErrMalformed, batch.ErrMalformed},
		{"the broker's time", func(b *kmsg.RecordBatch) { b.Attributes |= int16(batch.LogAppendTime) }, batch.ErrMalformed, nil},
		{"the coordinator's batch", func(b *kmsg.RecordBatch) { b.Attributes |= int16(batch.Control) }, batch.ErrMalformed, nil},
		{"the cleaner's batch", func(b *kmsg.RecordBatch) { b.Attributes |= int16(batch.DeleteHorizon) }, batch.ErrMalformed, nil},
		{"a producer without epoch", func(b *kmsg.RecordBatch) { b.ProducerEpoch = -1 }, batch.ErrMalformed, nil},
		{"a producer without sequence", func(b *kmsg.RecordBatch) { b.FirstSequence = -1 }, batch.ErrMalformed, nil},
		{"a transaction of nobody", func(b *kmsg.RecordBatch) { b.ProducerID = -1 }, batch.ErrMalformed, nil},
		{"nobody's records", func(b *kmsg.RecordBatch) { b.ProducerID, b.FirstSequence, b.Attributes = -1, -1, 0 }, nil, nil},
		{"a negative offset", func(b *kmsg.RecordBatch) { b.FirstOffset = -1 }, nil, batch.ErrMalformed},
		{"no offsets after it", func(b *kmsg.RecordBatch) { b.FirstOffset = math.MaxInt64 - 1 }, nil, batch.ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b kmsg.RecordBatch
			if err := b.ReadFrom(unhex(t, fromJava[batch.None])); err != nil {
				t.Fatal(err)
			}
			test.change(&b)
			_, err := batch.Check(foreign(b))
			fails(t, err, test.check)
			_, err = batch.Verify(foreign(b))
			fails(t, err, test.verify)
		})
	}
}

// framed puts the length before a record.
func framed(body ...byte) []byte {
	return append(binary.AppendVarint(nil, int64(len(body))), body...)
}

// TestRecordNonsense: the CRC and the header are correct, but the records are invalid. Check and Reader agree about
// them, compressed or not.
func TestRecordNonsense(t *testing.T) {
	const null = 1 // the varint -1
	for _, test := range []struct {
		name    string
		last    int32
		count   int32
		records [][]byte
		want    error
	}{
		{"one", 0, 1, [][]byte{framed(0, 0, 0, null, null, 0)}, nil},
		{"one with a header", 0, 1, [][]byte{framed(0, 0, 0, null, null, 2, 2, 'k', null)}, nil},
		{"a zero of two bytes", 0, 1, [][]byte{framed(0, 0, 0x80, 0, null, null, 0)}, nil},
		{"the second is compacted away", 2, 2, [][]byte{framed(0, 0, 0, null, null, 0), framed(0, 0, 4, null, null, 0)}, nil},
		{"fewer than said", 1, 2, [][]byte{framed(0, 0, 0, null, null, 0)}, batch.ErrMalformed},
		{"more than said", 1, 1, [][]byte{framed(0, 0, 0, null, null, 0), framed(0, 0, 2, null, null, 0)}, batch.ErrMalformed},
		{"an offset twice", 1, 2, [][]byte{framed(0, 0, 0, null, null, 0), framed(0, 0, 0, null, null, 0)}, batch.ErrMalformed},
		{"offsets go back", 2, 2, [][]byte{framed(0, 0, 2, null, null, 0), framed(0, 0, 0, null, null, 0)}, batch.ErrMalformed},
		{"a negative offset", 0, 1, [][]byte{framed(0, 0, 1, null, null, 0)}, batch.ErrMalformed},
		{"an offset behind the batch", 0, 1, [][]byte{framed(0, 0, 2, null, null, 0)}, batch.ErrMalformed},
		{"a length of nothing", 0, 1, [][]byte{{0}}, batch.ErrMalformed},
		{"a negative length", 0, 1, [][]byte{{1}}, batch.ErrMalformed},
		{"a length that goes on", 0, 1, [][]byte{{0x80}}, batch.ErrMalformed},
		{"a length beyond the end", 0, 1, [][]byte{{14}, {0, 0, 0, null, null, 0}}, batch.ErrMalformed},
		{"a length beyond 32 bits", 0, 1, [][]byte{{0xff, 0xff, 0xff, 0xff, 0x1f}}, batch.ErrMalformed},
		{"a length of 6 bytes", 0, 1, [][]byte{{0x8c, 0x80, 0x80, 0x80, 0x80, 0}, {0, 0, 0, null, null, 0}}, batch.ErrMalformed},
		{"only attributes", 0, 1, [][]byte{framed(0)}, batch.ErrMalformed},
		{"no value", 0, 1, [][]byte{framed(0, 0, 0, null)}, batch.ErrMalformed},
		{"no headers", 0, 1, [][]byte{framed(0, 0, 0, null, null)}, batch.ErrMalformed},
		{"a byte too many", 0, 1, [][]byte{framed(0, 0, 0, null, null, 0, 0)}, batch.ErrMalformed},
		{"a key of -2 bytes", 0, 1, [][]byte{framed(0, 0, 0, 3, null, 0)}, batch.ErrMalformed},
		{"a key beyond the record", 0, 1, [][]byte{framed(0, 0, 0, 6, null, 0)}, batch.ErrMalformed},
		{"a key of 2 GiB", 0, 1, [][]byte{framed(0, 0, 0, 0xfe, 0xff, 0xff, 0xff, 0x0f, null, 0)}, batch.ErrMalformed},
		{"a value beyond the record", 0, 1, [][]byte{framed(0, 0, 0, null, 4, 0)}, batch.ErrMalformed},
		{"a timestamp beyond 64 bits", 0, 1, [][]byte{framed(0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, null, null, 0)}, batch.ErrMalformed},
		{"a negative count of headers", 0, 1, [][]byte{framed(0, 0, 0, null, null, 1)}, batch.ErrMalformed},
		{"2 billion headers", 0, 1, [][]byte{framed(0, 0, 0, null, null, 0xfe, 0xff, 0xff, 0xff, 0x0f)}, batch.ErrMalformed},
		{"a header without key", 0, 1, [][]byte{framed(0, 0, 0, null, null, 2, null, null)}, batch.ErrMalformed},
		{"a header without value", 0, 1, [][]byte{framed(0, 0, 0, null, null, 2, 2, 'k')}, batch.ErrMalformed},
	} {
		t.Run(test.name, func(t *testing.T) {
			records := bytes.Join(test.records, nil)
			b := kmsg.RecordBatch{LastOffsetDelta: test.last, NumRecords: test.count, ProducerID: -1, Records: records}
			_, err := batch.Verify(foreign(b))
			fails(t, err, test.want)
			for _, how := range compressions {
				b.Attributes = int16(how)
				b.Records = foreignCompress(t, records, how)
				_, err := read(new(batch.Reader), foreign(b))
				fails(t, err, test.want)
			}
		})
	}
}

func TestCheckAllocatesNothing(t *testing.T) {
	b := write(producer, three...)
	allocations := testing.AllocsPerRun(100, func() {
		if _, err := batch.Check(b); err != nil {
			t.Fatal(err)
		}
	})
	equal(t, allocations, 0.)
}
