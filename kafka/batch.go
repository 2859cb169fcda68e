package kafka

import (
	"math"
	"sync"
	"time"

	"github.com/IBM/sarama"
)

const (
	// recordOverhead is the maximum encoded size of a record beyond its own bytes: five varints of 32 bits (length,
	// offset delta, key length, value length, number of headers), one of 64 (timestamp delta), and the attributes.
	recordOverhead = 5*5 + 10 + 1

	// recordMemory is the approximate memory per record beyond its own bytes.
	recordMemory = 160

	// batchOverhead is the size of the header of a record batch.
	batchOverhead = 61

	// maxTimestamp is the last millisecond that sarama can encode; it converts to nanoseconds internally.
	maxTimestamp = math.MaxInt64 / int64(time.Millisecond)
)

// A batch collects records of one partition. It reuses its memory, so that adding a record does not allocate: the bytes
// go into an arena, and the records come from a slice that only grows.
type batch struct {
	records []*sarama.Record // the first n are in use
	tags    []Tag            // of the records in use
	n       int
	arena   []byte
	headers []sarama.RecordHeader
	kept    []*sarama.RecordHeader // pointers to headers
	size    int                    // upper bound of the encoded size, in bytes
	first   int64                  // timestamps, in milliseconds
	max     int64
	rb      sarama.RecordBatch
	part    *producerPartition
	since   time.Time // time of the first attempt
	lost    bool      // an answer was lost: the broker may have the batch
}

var batches = sync.Pool{New: func() any { return new(batch) }}

func newBatch(part *producerPartition) *batch {
	b := batches.Get().(*batch)
	b.part = part
	b.size = batchOverhead
	return b
}

// release clears the batch for reuse.
func (b *batch) release() {
	const tooBig = 2 << 20 // grown by a huge record; do not keep it
	if cap(b.arena) > tooBig {
		return
	}
	*b = batch{records: b.records, tags: b.tags[:0], arena: b.arena[:0], headers: b.headers[:0], kept: b.kept[:0]}
	batches.Put(b)
}

// recordSize returns an upper bound of the encoded size of r in a batch.
func recordSize(r *Record) int {
	size := recordOverhead + len(r.Key) + len(r.Value)
	for i := range r.Headers {
		size += 10 + len(r.Headers[i].Key) + len(r.Headers[i].Value)
	}
	return size
}

// memory returns the approximate memory of the batch, in bytes.
func (b *batch) memory() int { return b.size - batchOverhead + b.n*recordMemory }

// add copies r into the batch.
func (b *batch) add(r *Record, tag Tag, size int) {
	if b.n == len(b.records) {
		b.grow()
	}
	if len(b.arena)+size > cap(b.arena) {
		// Records that were added before keep referring to the old arena.
		b.arena = make([]byte, 0, max(2*cap(b.arena), size, 4<<10))
	}
	if b.n == 0 {
		b.first, b.max = r.Timestamp, r.Timestamp
	}
	b.max = max(b.max, r.Timestamp)

	rec := b.records[b.n]
	rec.OffsetDelta = int64(b.n)
	rec.TimestampDelta = time.Duration(r.Timestamp-b.first) * time.Millisecond
	rec.Key = b.copyBytes(r.Key)
	rec.Value = b.copyBytes(r.Value)
	rec.Headers = nil
	if len(r.Headers) > 0 {
		rec.Headers = b.keepHeaders(r.Headers)
	}
	b.tags = append(b.tags, tag)
	b.n++
	b.size += size
}

// record returns the i-th record, which shares the batch's memory.
func (b *batch) record(i int) (Record, Tag) {
	rec := b.records[i]
	r := Record{Timestamp: b.first + rec.TimestampDelta.Milliseconds(), Key: rec.Key, Value: rec.Value}
	if len(rec.Headers) > 0 {
		r.Headers = headers(rec.Headers)
	}
	return r, b.tags[i]
}

// copyBytes copies data into the arena, which must have room for it. nil stays nil.
func (b *batch) copyBytes(data []byte) []byte {
	if data == nil {
		return nil
	}
	start := len(b.arena)
	b.arena = append(b.arena, data...)
	return b.arena[start:len(b.arena):len(b.arena)]
}

func (b *batch) keepHeaders(headers []Header) []*sarama.RecordHeader {
	first := len(b.kept)
	for _, h := range headers {
		start := len(b.arena)
		b.arena = append(b.arena, h.Key...)
		key := b.arena[start:len(b.arena):len(b.arena)]
		b.headers = append(b.headers, sarama.RecordHeader{Key: key, Value: b.copyBytes(h.Value)}) // pointers to old headers stay valid when it grows
		b.kept = append(b.kept, &b.headers[len(b.headers)-1])
	}
	return b.kept[first:len(b.kept):len(b.kept)]
}

// grow doubles the capacity for records.
func (b *batch) grow() {
	chunk := make([]sarama.Record, max(32, len(b.records)))
	for i := range chunk {
		b.records = append(b.records, &chunk[i])
	}
}

// finish prepares the batch for encoding by sarama; only the sequence number is still missing.
func (b *batch) finish(p *Producer) {
	b.rb = sarama.RecordBatch{
		Version:          2,
		Codec:            p.codec,
		CompressionLevel: sarama.CompressionLevelDefault,
		LastOffsetDelta:  int32(b.n - 1),
		FirstTimestamp:   time.UnixMilli(b.first),
		MaxTimestamp:     time.UnixMilli(b.max),
		ProducerID:       p.id,
		ProducerEpoch:    p.epoch,
		Records:          b.records[:b.n],
		IsTransactional:  p.cfg.TransactionalID != "",
	}
}
