package state

import (
	"encoding/binary"
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/codec"
)

// core is the one implementation of all stores: rows under a prefix of a database, and before them a write-back cache of
// decoded values. Its rows are drawn like this, keys by their layout:
//
//	physical key            row
//	| prefix | key … |  →  | timestamp: ms since 1970, 8 bytes BE | value … |
//
// which is Kafka Streams' timestamped format. The changelog has the value alone; the timestamp is that of its record.
type core[K, V any] struct {
	name      string
	db        DB
	prefix    []byte
	layout    layout
	keys      codec.Codec[K]
	values    codec.Codec[V]
	retention int64 // ms; 0 = for ever
	horizon   int64 // starts before this are expired

	cache[V]

	key   []byte // the physical key looked up last, prefix included
	row   []byte // the row read or written last
	bound []byte // the changelog key written last
}

// timestampSize is the length of the timestamp before each value.
const timestampSize = 8

func (s *core[K, V]) Name() string { return s.name }

// locate writes the physical key of k into s.key and tells whether the store may hold it: no expired window is there.
func (s *core[K, V]) locate(k K) (bool, error) {
	key, err := s.appendPhysical(append(s.key[:0], s.prefix...), k)
	s.key = key
	if err != nil {
		return false, s.wrap("encode key", err)
	}
	return s.retention == 0 || startOf(key[len(s.prefix):]) >= s.horizon, nil
}

// appendPhysical appends the physical form of k, without the prefix.
func (s *core[K, V]) appendPhysical(dst []byte, k K) ([]byte, error) {
	if s.layout == plain {
		return s.keys.Append(dst, k)
	}
	head := len(dst)
	dst, err := s.keys.Append(append(dst, make([]byte, startSize)...), k)
	if err != nil {
		return dst, err
	}
	tail := len(dst) - startSize
	if tail < head+startSize {
		return dst, fmt.Errorf("the key of a window store ends in 8 bytes of window start, but %s wrote %d bytes", s.keys, tail-head)
	}
	start := binary.BigEndian.Uint64(dst[tail:])
	binary.BigEndian.PutUint64(dst[head:], start^signBit)
	return dst[:tail], nil
}

// find returns the entry of the key located last, from the cache or else from the database. A key that is nowhere has an
// entry that says so.
func (s *core[K, V]) find() (*entry[V], error) {
	if e := s.entries[string(s.key)]; e != nil {
		e.recent = true
		return e, nil
	}
	row, found, err := s.db.Get(s.row[:0], s.key)
	s.row = row
	if err != nil {
		return nil, s.wrap("read", err)
	}
	var c content[V]
	if found {
		if c, err = s.decode(row); err != nil {
			return nil, err
		}
	}
	e := s.insert(string(s.key), c, len(row))
	s.keep(e)
	return e, nil
}

// decode reads a row.
func (s *core[K, V]) decode(row []byte) (content[V], error) {
	if len(row) < timestampSize {
		return content[V]{}, s.wrap("read", fmt.Errorf("a row has at least 8 bytes, got %d: the database is damaged", len(row)))
	}
	value, err := s.values.Decode(row[timestampSize:])
	if err != nil {
		return content[V]{}, s.wrap("decode value", err)
	}
	return content[V]{value: value, timestamp: int64(binary.BigEndian.Uint64(row)), has: true}, nil
}

// get returns what the store holds for k.
func (s *core[K, V]) get(k K) (content[V], error) {
	visible, err := s.locate(k)
	if !visible || err != nil {
		return content[V]{}, err
	}
	e, err := s.find()
	if err != nil {
		return content[V]{}, err
	}
	return e.content, nil
}

// put writes c for k without reading what was there.
func (s *core[K, V]) put(k K, c content[V]) error {
	visible, err := s.locate(k)
	if !visible || err != nil {
		return err
	}
	e := s.entries[string(s.key)]
	if e == nil {
		e = s.insert(string(s.key), content[V]{}, 0)
		e.blind = true
	}
	s.write(e, c)
	return nil
}

// swap writes c for k and returns what was there.
func (s *core[K, V]) swap(k K, c content[V]) (Change[V], error) {
	visible, err := s.locate(k)
	if !visible || err != nil {
		return Change[V]{}, err
	}
	e, err := s.findRead()
	if err != nil {
		return Change[V]{}, err
	}
	old := e.content
	s.write(e, c)
	return change(old, c), nil
}

// findRead is find, and reads the old content of an entry that was only written so far.
func (s *core[K, V]) findRead() (*entry[V], error) { return s.find() }

// change describes the step from one content to the next.
func change[V any](old, now content[V]) Change[V] {
	return Change[V]{
		Old: old.value, Had: old.has, OldTimestamp: old.timestamp,
		New: now.value, Has: now.has, Timestamp: now.timestamp,
	}
}

// Flush implements Store.
func (s *core[K, V]) Flush(b Batch, log LogFunc) error {
	s.Begin()
	dirty := s.takeDirty()
	slices.SortFunc(dirty, func(a, b *entry[V]) int { return strings.Compare(a.key, b.key) })
	for _, e := range dirty {
		if err := s.flushEntry(e, b, log); err != nil {
			return err
		}
	}
	return nil
}

// flushEntry writes one entry to the batch and to the changelog.
func (s *core[K, V]) flushEntry(e *entry[V], b Batch, log LogFunc) error {
	s.key = append(s.key[:0], e.key...)
	s.bound = s.layout.appendChangelog(s.bound[:0], s.key[len(s.prefix):])
	var value []byte
	if e.has {
		row, err := s.values.Append(binary.BigEndian.AppendUint64(s.row[:0], uint64(e.timestamp)), e.value)
		s.row = row
		if err != nil {
			return s.wrap("encode value", err)
		}
		b.Set(s.key, row)
		value = row[timestampSize:]
		s.resize(e, len(row))
	} else {
		b.Delete(s.key)
		s.resize(e, 0)
	}
	if log == nil {
		return nil
	}
	return log(s.bound, value, e.timestamp)
}

// Restore implements Store.
func (s *core[K, V]) Restore(b Batch, key, value []byte, timestamp int64) error {
	physical, err := s.layout.appendRestored(append(s.key[:0], s.prefix...), key)
	s.key = physical
	if err != nil {
		return s.wrap("restore", err)
	}
	if value == nil {
		b.Delete(physical)
		return nil
	}
	s.row = append(binary.BigEndian.AppendUint64(s.row[:0], uint64(timestamp)), value...)
	b.Set(physical, s.row)
	return nil
}

// Advance implements Store.
func (s *core[K, V]) Advance(streamTime int64) {
	if s.retention > 0 && streamTime > math.MinInt64+s.retention {
		s.horizon = max(s.horizon, streamTime-s.retention)
	}
}

// Expire implements Store.
func (s *core[K, V]) Expire(b Batch) {
	if s.retention == 0 || s.horizon == math.MinInt64 {
		return
	}
	b.DeleteRange(s.prefix, appendStart(slices.Clone(s.prefix), s.horizon))
}

// wrap names the store and what it was doing.
func (s *core[K, V]) wrap(doing string, err error) error {
	return fmt.Errorf("state: store %q: %s: %w", s.name, doing, err)
}

// millis is a duration in the unit of timestamps.
func millis(d time.Duration) int64 { return d.Milliseconds() }
