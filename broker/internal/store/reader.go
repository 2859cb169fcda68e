package store

import (
	"errors"
	"fmt"
	"iter"

	"github.com/cockroachdb/pebble/v2"
)

// Reader reads a snapshot of the store. It belongs to one goroutine and must be closed.
type Reader struct {
	iter *pebble.Iterator
}

// NewReader returns a reader of the current state.
func (db *DB) NewReader() (*Reader, error) {
	it, err := db.pebble.NewIter(nil)
	if err != nil {
		return nil, fmt.Errorf("broker: %w", err)
	}
	return &Reader{it}, nil
}

// Close releases the reader's resources.
func (r *Reader) Close() error { return r.iter.Close() }

// StoredRecords is a record batch in the log. The bytes are valid until the next step of the iteration.
type StoredRecords struct {
	Last  int64 // its last offset
	Bytes []byte
}

// Records returns the record batches of a partition, beginning with the one that contains the offset, or else the first
// after it. An error says at which offset the log is damaged, and ends the iteration.
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

// scan iterates over the keys in [from, to). A key is valid until the next step.
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

// errEntry adds the key of the entry that cannot be decoded to an error.
func errEntry(key []byte, err error) error { return fmt.Errorf("entry %q: %w", key, err) }

// entries decodes the entries in [from, to). An error ends the iteration.
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

// OfPartition is an entry of a partition, with its partition.
type OfPartition[T any] struct {
	ID    PartitionID
	Entry T
}

// within returns decode with the partition added to its result.
func within[T any](decode func(key, value []byte) (T, error)) func(key, value []byte) (OfPartition[T], error) {
	return func(key, value []byte) (OfPartition[T], error) {
		if len(key) < len(partitionKey(0, PartitionID{})) {
			return OfPartition[T]{}, errShort
		}
		entry, err := decode(key, value)
		return OfPartition[T]{keyPartition(key), entry}, err
	}
}

// Counters returns the counters.
func (r *Reader) Counters() (Counters, error) {
	decode := func(_, value []byte) (Counters, error) { return decodeCounters(value) }
	for c, err := range all(r, kindCounters, decode) {
		return c, err
	}
	return Counters{Topic: 1, Producer: 1}, nil
}

// Topics returns all topics.
func (r *Reader) Topics() iter.Seq2[Topic, error] { return all(r, kindTopic, decodeTopic) }

// Partitions returns the positions of all partitions.
func (r *Reader) Partitions() iter.Seq2[OfPartition[Partition], error] {
	return all(r, kindPartition, within(func(_, value []byte) (Partition, error) { return decodePartition(value) }))
}

// ErrNoPartition: the partition does not exist, or was deleted.
var ErrNoPartition = errors.New("no such partition")

// Partition returns the positions of one partition.
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

// Segments returns the complete segments of a partition.
func (r *Reader) Segments(id PartitionID) iter.Seq2[Segment, error] {
	prefix := partitionKey(kindSegment, id)
	return entries(r, prefix, after(prefix), decodeSegment)
}

// Aborted returns the aborted transactions of a partition that end at or after an offset.
func (r *Reader) Aborted(id PartitionID, offset int64) iter.Seq2[Aborted, error] {
	return entries(r, offsetKey(kindAborted, id, offset), after(partitionKey(kindAborted, id)), decodeAborted)
}

// Producers returns the state of all producers in all partitions.
func (r *Reader) Producers() iter.Seq2[OfPartition[Producer], error] {
	return all(r, kindProducer, within(decodeProducer))
}

// Transactions returns the state of all transactional ids.
func (r *Reader) Transactions() iter.Seq2[Transaction, error] {
	return all(r, kindTransaction, decodeTransaction)
}

// StoredGroup is the membership of a group.
type StoredGroup struct {
	Name     string
	Snapshot []byte
}

// Groups returns the membership of all groups.
func (r *Reader) Groups() iter.Seq2[StoredGroup, error] {
	return all(r, kindGroup, func(key, value []byte) (StoredGroup, error) {
		return StoredGroup{string(key[1:]), append([]byte(nil), value...)}, nil
	})
}

// Offsets returns all committed offsets.
func (r *Reader) Offsets() iter.Seq2[Offset, error] { return all(r, kindOffset, decodeOffset) }

// Pending returns all offsets of open transactions.
func (r *Reader) Pending() iter.Seq2[Offset, error] { return all(r, kindPending, decodeOffset) }
