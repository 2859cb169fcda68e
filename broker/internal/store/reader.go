package store

import (
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"
)

// Reader sees the store as it was when the reader was made. It belongs to one goroutine and must be closed.
type Reader struct {
	iter *pebble.Iterator
}

// NewReader returns a reader.
func (db *DB) NewReader() (*Reader, error) {
	it, err := db.pebble.NewIter(nil)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	return &Reader{it}, nil
}

// Close gives back what the reader holds.
func (r *Reader) Close() error { return r.iter.Close() }

// StoredRecords is a record batch in the log. The bytes are good until the next step.
type StoredRecords struct {
	Last  int64 // its last offset
	Bytes []byte
}

// Records returns the record batches of a partition from the one that has the offset, or the first behind it, on. An error
// says at which offset the log is damaged, and is the last.
func (r *Reader) Records(id PartitionID, offset int64) iter.Seq2[StoredRecords, error] {
	return func(yield func(StoredRecords, error) bool) {
		for key, err := range r.scan(offsetKey(kindBatch, id, offset), after(partitionKey(kindBatch, id))) {
			var stored StoredRecords
			if err == nil {
				stored.Last = keyOffset(key)
				stored.Bytes, err = r.iter.ValueAndErr()
			}
			if err != nil {
				yield(stored, fmt.Errorf("partition %v at %d: %w", id, offset, err))
				return
			}
			offset = stored.Last + 1
			if !yield(stored, nil) {
				return
			}
		}
	}
}

// scan steps through the keys in [from, to). The key is good until the next step.
func (r *Reader) scan(from, to []byte) iter.Seq2[[]byte, error] {
	return func(yield func([]byte, error) bool) {
		for ok := r.iter.SeekGE(from); ok; ok = r.iter.Next() {
			if to != nil && string(r.iter.Key()) >= string(to) {
				return
			}
			if !yield(r.iter.Key(), nil) {
				return
			}
		}
		if err := r.iter.Error(); err != nil {
			yield(nil, err)
		}
	}
}

// errEntry says which entry cannot be read.
func errEntry(key []byte, err error) error { return fmt.Errorf("entry %q: %w", key, err) }

// entries reads what lies in [from, to). An error is the last.
func entries[T any](r *Reader, from, to []byte, decode func(key, value []byte) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for key, err := range r.scan(from, to) {
			var value []byte
			var entry T
			if err == nil {
				value, err = r.iter.ValueAndErr()
			}
			if err == nil {
				entry, err = decode(key, value)
			}
			if err != nil {
				yield(entry, errEntry(key, err))
				return
			}
			if !yield(entry, nil) {
				return
			}
		}
	}
}

func all[T any](r *Reader, k kind, decode func(key, value []byte) (T, error)) iter.Seq2[T, error] {
	return entries(r, []byte{byte(k)}, []byte{byte(k) + 1}, decode)
}

// OfPartition is an entry of a partition.
type OfPartition[T any] struct {
	ID    PartitionID
	Entry T
}

// within adds the partition to what decode makes of an entry.
func within[T any](decode func(key, value []byte) (T, error)) func(key, value []byte) (OfPartition[T], error) {
	return func(key, value []byte) (OfPartition[T], error) {
		if len(key) < len(partitionKey(0, PartitionID{})) {
			return OfPartition[T]{}, errShort
		}
		entry, err := decode(key, value)
		return OfPartition[T]{keyPartition(key), entry}, err
	}
}

// Counters reads the next numbers.
func (r *Reader) Counters() (Counters, error) {
	decode := func(_, value []byte) (Counters, error) { return decodeCounters(value) }
	for c, err := range all(r, kindCounters, decode) {
		return c, err
	}
	return Counters{Topic: 1, Producer: 1}, nil
}

// Topics reads all topics.
func (r *Reader) Topics() iter.Seq2[Topic, error] { return all(r, kindTopic, decodeTopic) }

// Partitions reads how far all partitions are.
func (r *Reader) Partitions() iter.Seq2[OfPartition[Partition], error] {
	return all(r, kindPartition, within(func(_, value []byte) (Partition, error) { return decodePartition(value) }))
}

// ErrNoPartition says that there is no such partition, or no longer.
var ErrNoPartition = errors.New("there is no such partition")

// Partition reads how far one partition is.
func (r *Reader) Partition(id PartitionID) (Partition, error) {
	key := partitionKey(kindPartition, id)
	for p, err := range entries(r, key, after(key), func(_, value []byte) (Partition, error) { return decodePartition(value) }) {
		return p, err
	}
	return Partition{}, ErrNoPartition
}

func decodeSegment(key, value []byte) (Segment, error) {
	d := decoder{rest: value}
	s := Segment{Base: keyOffset(key)}
	s.decode(&d)
	return s, d.end()
}

// Segments reads the complete segments of a partition.
func (r *Reader) Segments(id PartitionID) iter.Seq2[Segment, error] {
	prefix := partitionKey(kindSegment, id)
	return entries(r, prefix, after(prefix), decodeSegment)
}

// Aborted reads the aborted transactions of a partition that end at an offset or behind it.
func (r *Reader) Aborted(id PartitionID, offset int64) iter.Seq2[Aborted, error] {
	return entries(r, offsetKey(kindAborted, id, offset), after(partitionKey(kindAborted, id)), decodeAborted)
}

// Producers reads what all partitions know of producers.
func (r *Reader) Producers() iter.Seq2[OfPartition[Producer], error] {
	return all(r, kindProducer, within(decodeProducer))
}

// Transactions reads the transactional ids.
func (r *Reader) Transactions() iter.Seq2[Transaction, error] {
	return all(r, kindTransaction, decodeTransaction)
}

// StoredGroup is the membership of a group.
type StoredGroup struct {
	Name     string
	Snapshot []byte
}

// Groups reads the membership of all groups.
func (r *Reader) Groups() iter.Seq2[StoredGroup, error] {
	return all(r, kindGroup, func(key, value []byte) (StoredGroup, error) {
		return StoredGroup{string(key[1:]), append([]byte(nil), value...)}, nil
	})
}

// Offsets reads all committed offsets.
func (r *Reader) Offsets() iter.Seq2[Offset, error] { return all(r, kindOffset, decodeOffset) }

// Pending reads all offsets that wait for the end of a transaction.
func (r *Reader) Pending() iter.Seq2[Offset, error] { return all(r, kindPending, decodeOffset) }
