package store

import (
	"fmt"

	"github.com/rio-streams/rio/broker/internal/transaction"
)

// Each entry documents its key and its value. Times are in ms since 1970, sizes in bytes.

// Counters are the next numbers to assign.
//
//	n → next topic (4) | next producer id (8)
type Counters struct {
	Topic    uint32
	Producer int64
}

func (c Counters) encode(b []byte) []byte {
	return appendInt64(appendInt32(b, int32(c.Topic)), c.Producer)
}

func decodeCounters(b []byte) (Counters, error) {
	d := decoder{rest: b}
	c := Counters{uint32(d.int32()), d.int64()}
	return c, d.end()
}

// Topic is a topic.
//
//	t name → number (4) | id (16) | partitions (4) | created (8) | settings
type Topic struct {
	Name       string
	Number     uint32
	ID         [16]byte
	Partitions int32
	Created    int64
	Config     map[string]string // settings that differ from the defaults
}

func (t *Topic) encode(b []byte) []byte {
	b = append(appendInt32(b, int32(t.Number)), t.ID[:]...)
	return appendMap(appendInt64(appendInt32(b, t.Partitions), t.Created), t.Config)
}

func decodeTopic(key, b []byte) (Topic, error) {
	d := decoder{rest: b}
	t := Topic{Name: string(key[1:]), Number: uint32(d.int32())}
	copy(t.ID[:], d.take(len(t.ID)))
	t.Partitions, t.Created = d.int32(), d.int64()
	t.Config = d.stringMap()
	return t, d.end()
}

// Partition holds the positions of a partition. Segment is its last one, which is still being filled.
//
//	p partition → start (8) | next (8) | size (8) | cleaned (8) | horizon (8) | segment
type Partition struct {
	Start   int64 // the first readable offset
	Next    int64 // the offset of the next record
	Size    int64 // total size of all batches ever written, as in Segment.Position
	Cleaned int64 // compaction has processed everything before this offset
	Horizon int64 // when compaction can remove the next tombstone, 0 for never
	Segment Segment
}

// NoTimestamp means that there is no timestamp.
const NoTimestamp = -1

// EmptyPartition returns the entry of a partition without records.
func EmptyPartition() Partition { return Partition{Segment: Segment{MaxTimestamp: NoTimestamp}} }

func (p *Partition) encode(b []byte) []byte {
	for _, n := range []int64{p.Start, p.Next, p.Size, p.Cleaned, p.Horizon, p.Segment.Base} {
		b = appendInt64(b, n)
	}
	return p.Segment.encode(b)
}

func decodePartition(b []byte) (Partition, error) {
	d := decoder{rest: b}
	p := Partition{Start: d.int64(), Next: d.int64(), Size: d.int64(), Cleaned: d.int64(), Horizon: d.int64()}
	p.Segment.Base = d.int64()
	p.Segment.decode(&d)
	return p, d.end()
}

// Segment describes a range of a partition, for lookups by time and for retention: the batches from Base to the base
// of the next segment.
//
//	i partition, base offset → position (8) | newest (8) | first (8)
type Segment struct {
	Base         int64
	Position     int64 // bytes written to the partition before this segment
	MaxTimestamp int64 // the largest, NoTimestamp for none
	First        int64 // timestamp of its first batch
}

func (s *Segment) encode(b []byte) []byte {
	for _, n := range []int64{s.Position, s.MaxTimestamp, s.First} {
		b = appendInt64(b, n)
	}
	return b
}

func (s *Segment) decode(d *decoder) {
	s.Position, s.MaxTimestamp, s.First = d.int64(), d.int64(), d.int64()
}

// Aborted is an aborted transaction in one partition.
//
//	a partition, last offset → producer id (8) | first offset (8) | last stable offset (8)
type Aborted struct {
	Producer    int64
	First, Last int64 // Last is the offset of the marker
	Stable      int64 // the last stable offset after it ended: transactions that end later begin at or after it
}

func (a *Aborted) encode(b []byte) []byte {
	return appendInt64(appendInt64(appendInt64(b, a.Producer), a.First), a.Stable)
}

func decodeAborted(key, b []byte) (Aborted, error) {
	d := decoder{rest: b}
	a := Aborted{Last: keyOffset(key), Producer: d.int64(), First: d.int64(), Stable: d.int64()}
	return a, d.end()
}

// Producer is a partition's state of an idempotent producer: its last batches, to recognize duplicates.
//
//	s partition, producer id → epoch (2) | coordinator epoch (4) | transaction (8) | written (8) | count (4) × batch
//	batch: first sequence (4) | last sequence (4) | base offset (8) | last offset (8) | timestamp (8)
type Producer struct {
	ID               int64
	Epoch            int16
	CoordinatorEpoch int32
	Transaction      int64 // the first offset of the open transaction, -1 for none
	Written          int64 // time of its last write, by the broker's clock
	Batches          []SequencedBatch
}

// SequencedBatch is a batch of an idempotent producer.
type SequencedBatch struct {
	FirstSequence, LastSequence int32
	BaseOffset, LastOffset      int64
	Timestamp                   int64
}

func (p *Producer) encode(b []byte) []byte {
	b = appendInt64(appendInt64(appendInt32(appendInt16(b, p.Epoch), p.CoordinatorEpoch), p.Transaction), p.Written)
	b = appendInt32(b, int32(len(p.Batches)))
	for _, s := range p.Batches {
		b = appendInt32(appendInt32(b, s.FirstSequence), s.LastSequence)
		b = appendInt64(appendInt64(appendInt64(b, s.BaseOffset), s.LastOffset), s.Timestamp)
	}
	return b
}

func decodeProducer(key, b []byte) (Producer, error) {
	d := decoder{rest: b}
	p := Producer{ID: keyOffset(key), Epoch: d.int16(), CoordinatorEpoch: d.int32(), Transaction: d.int64(), Written: d.int64()}
	for range d.count(32) {
		p.Batches = append(p.Batches, SequencedBatch{d.int32(), d.int32(), d.int64(), d.int64(), d.int64()})
	}
	return p, d.end()
}

// Transaction is the coordinator's state of a transactional id.
//
//	x id → producer id (8) | epoch (2) | last producer id (8) | last epoch (2) | timeout (4) | state (1) | started (8) |
//	       updated (8) | count (4) × (topic (4) | partition (4)) | count (4) × group
type Transaction = transaction.Snapshot

func encodeTransaction(b []byte, t *Transaction) []byte {
	for _, p := range []transaction.Producer{t.Producer, t.Last} {
		b = appendInt16(appendInt64(b, p.ID), p.Epoch)
	}
	b = append(appendInt32(b, t.Timeout), byte(t.State))
	b = appendInt64(appendInt64(b, t.Started), t.Updated)
	b = appendInt32(b, int32(len(t.Partitions)))
	for _, p := range t.Partitions {
		b = appendInt32(appendInt32(b, int32(p.Topic)), p.Partition)
	}
	b = appendInt32(b, int32(len(t.Groups)))
	for _, group := range t.Groups {
		b = appendString(b, group)
	}
	return b
}

func decodeTransaction(key, b []byte) (Transaction, error) {
	d := decoder{rest: b}
	t := Transaction{ID: string(key[1:])}
	for _, p := range []*transaction.Producer{&t.Producer, &t.Last} {
		p.ID, p.Epoch = d.int64(), d.int16()
	}
	t.Timeout, t.State, t.Started, t.Updated = d.int32(), transaction.State(d.byte()), d.int64(), d.int64()
	for range d.count(8) {
		t.Partitions = append(t.Partitions, transaction.Partition{Topic: uint32(d.int32()), Partition: d.int32()})
	}
	for range d.count(4) {
		t.Groups = append(t.Groups, d.string())
	}
	if t.State > transaction.Aborted {
		return t, fmt.Errorf("a transaction has state %d, which this version does not know", byte(t.State))
	}
	return t, d.end()
}

// Offset is an offset that a group has committed, or will commit with the transaction of Producer.
//
//	o group, topic, partition              → offset (8) | leader epoch (4) | committed (8) | metadata
//	u group, producer id, topic, partition → the same
type Offset struct {
	Group       string
	Producer    int64 // for pending offsets
	Topic       string
	Partition   int32
	Offset      int64
	LeaderEpoch int32
	Committed   int64 // time of the commit
	Metadata    string
}

func (o *Offset) encode(b []byte) []byte {
	return appendString(appendInt64(appendInt32(appendInt64(b, o.Offset), o.LeaderEpoch), o.Committed), o.Metadata)
}

func decodeOffset(key, b []byte) (Offset, error) {
	k := decoder{rest: key[1:]}
	o := Offset{Group: k.string()}
	if kind(key[0]) == kindPending {
		o.Producer = k.int64()
	}
	o.Topic, o.Partition = k.string(), k.int32()
	if err := k.end(); err != nil {
		return o, err
	}
	d := decoder{rest: b}
	o.Offset, o.LeaderEpoch, o.Committed, o.Metadata = d.int64(), d.int32(), d.int64(), d.string()
	return o, d.end()
}
