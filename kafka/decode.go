package kafka

import (
	"encoding/binary"
	"fmt"
	"reflect"
	"slices"

	"github.com/IBM/sarama"
)

// maxDecompressed bounds the decompressed size of a batch, in bytes. A few compressed kilobytes can expand to
// gigabytes.
const maxDecompressed = 256 << 20

func init() {
	if sarama.MaxDecompressedBatchSize == 0 { // the program has not set a limit
		sarama.MaxDecompressedBatchSize = maxDecompressed
	}
}

// decoded is the decoded answer to a fetch for one partition.
type decoded struct {
	Fetched
	partial bool // it ends with a truncated batch
}

// decode returns the records of block from offset on. With committed, it leaves out records of aborted transactions;
// the broker has then not sent any of open ones.
func decode(block *sarama.FetchResponseBlock, tp TopicPartition, offset int64, committed bool) decoded {
	d := decoded{Fetched: Fetched{Topic: tp.Topic, Partition: tp.Partition, From: offset, Next: offset}}
	if block == nil {
		d.Err = fmt.Errorf("%w: the broker did not answer for this partition", ErrCorrupt)
		return d
	}
	d.HighWatermark, d.LastStable, d.LogStart = block.HighWaterMarkOffset, block.LastStableOffset, block.LogStartOffset
	if d.LastStable < 0 {
		d.LastStable = d.HighWatermark // the broker computes it only for readers of committed records
	}
	if d.Err = codeError(block.Err); d.Err != nil {
		return d
	}
	d.partial = block.Partial
	aborted := newAborted(block.AbortedTransactions, committed)
	size := 0
	for _, set := range block.RecordsSet {
		if set.RecordBatch != nil {
			size += len(set.RecordBatch.Records)
		}
	}
	if size > 0 {
		d.Records = make([]Record, 0, size)
	}
	for _, set := range block.RecordsSet {
		batch := set.RecordBatch
		if batch == nil {
			d.Err = fmt.Errorf("%w: records in a format older than that of Kafka 0.11", ErrUnsupported)
			return d
		}
		if batch.PartialTrailingRecord {
			d.partial = true
			break
		}
		if !aborted.hides(batch) && !batch.Control {
			d.Records = appendRecords(d.Records, batch, offset)
		}

		d.Next = max(d.Next, batch.LastOffset()+1)
	}
	for i := range d.Records {
		d.Bytes += len(d.Records[i].Key) + len(d.Records[i].Value)
	}
	if next, ok := afterEmptyBatches(block); ok && !d.partial {
		d.Next = max(d.Next, next)
	}
	return d
}

// appendRecords appends the records of batch from offset on. A batch may begin before the requested offset.
func appendRecords(records []Record, batch *sarama.RecordBatch, offset int64) []Record {
	first, logAppend := millis(batch, batch.FirstTimestamp.UnixMilli()), int64(0)
	if batch.LogAppendTime {
		logAppend = batch.MaxTimestamp.UnixMilli()
	}
	var made headerMaker
	for _, r := range batch.Records {
		made.wanted += len(r.Headers)
	}
	for _, r := range batch.Records {
		at := batch.FirstOffset + r.OffsetDelta
		if at < offset {
			continue
		}
		record := Record{Offset: at, Timestamp: first + r.TimestampDelta.Milliseconds(), Key: r.Key, Value: r.Value}
		if batch.LogAppendTime {
			record.Timestamp = logAppend
		}
		if len(r.Headers) > 0 {
			record.Headers = made.headers(r.Headers)
		}
		records = append(records, record)
	}
	return records
}

// millis returns the first timestamp of batch, or -1 (Kafka's "none").
func millis(batch *sarama.RecordBatch, first int64) int64 {
	if batch.FirstTimestamp.IsZero() {
		return -1
	}
	return first
}

// headerMaker makes the headers of a batch's records. It allocates them in one slice, and reuses the string of a key
// that repeats from record to record.
type headerMaker struct {
	wanted int // number of headers in the batch
	room   []Header
	key    string
}

func (m *headerMaker) headers(from []*sarama.RecordHeader) []Header {
	if m.room == nil {
		m.room = make([]Header, 0, m.wanted)
	}
	first := len(m.room)
	for _, h := range from {
		if string(h.Key) != m.key {
			m.key = string(h.Key)
		}
		m.room = append(m.room, Header{Key: m.key, Value: h.Value})
	}
	return m.room[first:len(m.room):len(m.room)]
}

func headers(from []*sarama.RecordHeader) []Header {
	to := make([]Header, len(from))
	for i, h := range from {
		to[i] = Header{Key: string(h.Key), Value: h.Value}
	}
	return to
}

// aborted tracks aborted transactions across the batches of an answer. The broker lists the first offset of each; it
// ends at the producer's control batch in the log.
type aborted struct {
	coming []*sarama.AbortedTransaction // not yet reached, by first offset
	open   map[int64]bool               // producers with an aborted transaction at the current batch
}

func newAborted(list []*sarama.AbortedTransaction, committed bool) *aborted {
	a := &aborted{}
	if committed && len(list) > 0 {
		a.coming = slices.SortedFunc(slices.Values(list), func(x, y *sarama.AbortedTransaction) int {
			return int(min(max(x.FirstOffset-y.FirstOffset, -1), 1))
		})
		a.open = make(map[int64]bool)
	}
	return a
}

// hides reports whether batch, the next one in the log, belongs to an aborted transaction.
func (a *aborted) hides(batch *sarama.RecordBatch) bool {
	if a.open == nil {
		return false
	}
	for len(a.coming) > 0 && a.coming[0].FirstOffset <= batch.LastOffset() {
		a.open[a.coming[0].ProducerID] = true
		a.coming = a.coming[1:]
	}
	if batch.Control {
		if abortMark(batch) {
			delete(a.open, batch.ProducerID)
		}
		return true
	}
	return batch.IsTransactional && a.open[batch.ProducerID]
}

// abortMark reports whether a control batch aborts a transaction. The key of its only record is
//
//	version int16 | type int16: 0 abort, 1 commit
func abortMark(batch *sarama.RecordBatch) bool {
	if len(batch.Records) == 0 || len(batch.Records[0].Key) < 4 {
		return false
	}
	return binary.BigEndian.Uint16(batch.Records[0].Key[2:]) == 0
}

// afterEmptyBatches returns the position after the last batch of block. Compaction can leave batches without records,
// which preserve the producer's sequence number. sarama omits them from RecordsSet, so a client that only reads
// RecordsSet would request the same offset forever. sarama does report the position in a field of its own, and the size
// of a truncated batch, in which case that position is too far. TestEmptyBatches fails if these fields disappear.
func afterEmptyBatches(block *sarama.FetchResponseBlock) (next int64, ok bool) {
	v := reflect.ValueOf(block).Elem()
	position, cut := v.FieldByName("recordsNextOffset"), v.FieldByName("partialBatchSize")
	if !position.IsValid() || !cut.IsValid() || position.IsNil() || cut.Int() != 0 {
		return 0, false
	}
	return position.Elem().Int(), true
}
