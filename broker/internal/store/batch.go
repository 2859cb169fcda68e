package store

import (
	"github.com/cockroachdb/pebble/v2"

	"github.com/rio-streams/rio/broker/internal/batch"
)

// Batch is a set of changes that are committed atomically.
type Batch struct {
	pebble  *pebble.Batch
	scratch []byte
}

// retained is the size up to which a batch's memory is kept for reuse.
const retained = 8 << 20

// NewBatch returns an empty batch. Release returns its memory.
func (db *DB) NewBatch() *Batch {
	return &Batch{pebble: db.pebble.NewBatch(pebble.WithMaxRetainedSizeBytes(retained))}
}

// Release returns the batch's memory for reuse. The batch must have been committed, and must not be used again.
func (b *Batch) Release() { _ = b.pebble.Close() }

// Empty reports whether the batch has no changes.
func (b *Batch) Empty() bool { return b.pebble.Empty() }

// Size returns the approximate size of the batch in bytes.
func (b *Batch) Size() int { return b.pebble.Len() }

// set cannot fail: a batch without a database only fails when it is closed.
func (b *Batch) set(key, value []byte) { _ = b.pebble.Set(key, value, nil) }

func (b *Batch) del(key []byte) { _ = b.pebble.Delete(key, nil) }

func (b *Batch) deleteRange(from, to []byte) { _ = b.pebble.DeleteRange(from, to, nil) }

// SetCounters writes the counters.
func (b *Batch) SetCounters(c Counters) { b.set([]byte{byte(kindCounters)}, c.encode(nil)) }

// SetTopic writes a topic.
func (b *Batch) SetTopic(t *Topic) { b.set(nameKey(kindTopic, t.Name), t.encode(nil)) }

// DeleteTopic deletes a topic with all its data.
func (b *Batch) DeleteTopic(t *Topic) {
	b.del(nameKey(kindTopic, t.Name))
	for _, k := range partitionKinds {
		b.deleteRange(partitionKey(k, PartitionID{t.Number, 0}), partitionKey(k, PartitionID{t.Number + 1, 0}))
	}
}

// SetPartition writes the positions of a partition.
func (b *Batch) SetPartition(id PartitionID, p *Partition) {
	b.scratch = appendPartition(b.scratch[:0], kindPartition, id)
	n := len(b.scratch)
	b.scratch = p.encode(b.scratch)
	b.set(b.scratch[:n], b.scratch[n:])
}

// SetRecords writes a record batch. It replaces one that ends at the same offset.
func (b *Batch) SetRecords(id PartitionID, lastOffset int64, records []byte) {
	b.scratch = appendOffsetKey(b.scratch[:0], kindBatch, id, lastOffset)
	b.set(b.scratch, records)
}

// AppendRecords writes a record batch with base as its base offset, in place of the one in records.
func (b *Batch) AppendRecords(id PartitionID, base, last int64, records []byte) {
	deferred := b.pebble.SetDeferred(offsetKeySize, len(records))
	appendOffsetKey(deferred.Key[:0], kindBatch, id, last)
	copy(deferred.Value, records)
	batch.SetBaseOffset(deferred.Value, base)
	batch.SetLeaderEpoch(deferred.Value, 0)
	_ = deferred.Finish()
}

// DeleteRecords deletes one record batch.
func (b *Batch) DeleteRecords(id PartitionID, lastOffset int64) {
	b.del(offsetKey(kindBatch, id, lastOffset))
}

// Truncate deletes everything that ends before an offset: batches, aborted transactions and segments. It keeps the
// segment that contains the offset, whose base is segment.
func (b *Batch) Truncate(id PartitionID, start, segment int64) {
	for _, k := range []kind{kindBatch, kindAborted} {
		b.deleteRange(offsetKey(k, id, 0), offsetKey(k, id, start))
	}
	b.deleteRange(offsetKey(kindSegment, id, 0), offsetKey(kindSegment, id, segment))
}

// SetSegment writes a complete segment.
func (b *Batch) SetSegment(id PartitionID, s *Segment) {
	b.set(offsetKey(kindSegment, id, s.Base), s.encode(nil))
}

// SetAborted writes an aborted transaction.
func (b *Batch) SetAborted(id PartitionID, a *Aborted) {
	b.set(offsetKey(kindAborted, id, a.Last), a.encode(nil))
}

// DeleteAborted deletes an aborted transaction that has no records left.
func (b *Batch) DeleteAborted(id PartitionID, last int64) { b.del(offsetKey(kindAborted, id, last)) }

// SetProducer writes a partition's state of a producer.
func (b *Batch) SetProducer(id PartitionID, p *Producer) {
	b.scratch = appendOffsetKey(b.scratch[:0], kindProducer, id, p.ID)
	n := len(b.scratch)
	b.scratch = p.encode(b.scratch)
	b.set(b.scratch[:n], b.scratch[n:])
}

// DeleteProducer deletes a partition's state of a producer.
func (b *Batch) DeleteProducer(id PartitionID, producer int64) {
	b.del(offsetKey(kindProducer, id, producer))
}

// SetTransaction writes the state of a transactional id.
func (b *Batch) SetTransaction(t *Transaction) {
	b.set(nameKey(kindTransaction, t.ID), encodeTransaction(nil, t))
}

// DeleteTransaction deletes a transactional id.
func (b *Batch) DeleteTransaction(id string) { b.del(nameKey(kindTransaction, id)) }

// SetGroup writes the membership of a group.
func (b *Batch) SetGroup(name string, snapshot []byte) { b.set(nameKey(kindGroup, name), snapshot) }

// DeleteGroup deletes a group with its offsets.
func (b *Batch) DeleteGroup(name string) {
	b.del(nameKey(kindGroup, name))
	for _, k := range []kind{kindOffset, kindPending} {
		prefix := groupKey(k, name)
		b.deleteRange(prefix, after(prefix))
	}
}

// SetOffset writes a committed offset.
func (b *Batch) SetOffset(o *Offset) {
	b.set(committedKey(o.Group, o.Topic, o.Partition), o.encode(nil))
}

// DeleteOffset deletes a committed offset.
func (b *Batch) DeleteOffset(group, topic string, partition int32) {
	b.del(committedKey(group, topic, partition))
}

// SetPending writes an offset that takes effect when a transaction is committed.
func (b *Batch) SetPending(o *Offset) {
	b.set(pendingKey(o.Group, o.Producer, o.Topic, o.Partition), o.encode(nil))
}

// DeletePending deletes a group's pending offsets of a producer's transaction.
func (b *Batch) DeletePending(group string, producer int64) {
	prefix := appendInt64(groupKey(kindPending, group), producer)
	b.deleteRange(prefix, after(prefix))
}
