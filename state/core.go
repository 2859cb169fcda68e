package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// core is the one implementation of all stores: rows of a database, and before them a write-back cache.
type core[K, V any] struct {
	rows[K, V]
	db DB
	expiry
	cache[V]

	// Buffers, each for the key or row that was handled last.
	key       []byte // physical, with the prefix
	row       []byte
	changelog []byte
}

// expiry is what a store of windows does about those that have expired. Its clock is the greatest timestamp that was written to it.
type expiry struct {
	clock   *Clock // nil: nothing expires
	step    int64  // ms
	deleted int64  // the horizon of the last Expire
}

// at is the store's time for those who read and write. It moves between two records: the record that moves the time still finds the
// windows that it closes.
func (e *expiry) at() int64 {
	if e.clock == nil {
		return never
	}
	return e.clock.begun
}

// wrote moves the store's time.
func (e *expiry) wrote(timestamp int64) {
	if e.clock != nil {
		e.clock.Advance(timestamp)
	}
}

func (s *core[K, V]) Name() string { return s.name }

// reading is the store as it is now, with what is not committed yet.
func (s *core[K, V]) reading() reading[K, V] {
	return reading[K, V]{rows: &s.rows, from: s.db, over: &s.cache, horizon: s.horizon(s.at())}
}

// locate writes the key of k into s.key and tells whether the store may hold it: it holds no expired window.
func (s *core[K, V]) locate(k K) (bool, error) {
	key, err := s.appendKey(s.key[:0], k)
	s.key = key
	if err != nil {
		return false, err
	}
	return s.visible(key, s.horizon(s.at())), nil
}

// locateToWrite is locate for a row that will have a timestamp.
func (s *core[K, V]) locateToWrite(k K, timestamp int64) (bool, error) {
	if timestamp < 0 || timestamp > LatestTime {
		return false, s.wrap("write", fmt.Errorf("the timestamp, %d ms, is not within the years 1970 to 2262: the changelog cannot have it", timestamp))
	}
	return s.locate(k)
}

// find returns the entry of the key located last, from the cache or else from the database. A key that is nowhere has an
// entry that says so.
func (s *core[K, V]) find() (*entry[V], error) {
	if e := s.entries[string(s.key)]; e != nil {
		e.recent = true
		s.lookups.Hits++
		return e, nil
	}
	s.lookups.Misses++
	row, found, err := s.db.Get(s.row[:0], s.key)
	s.row = row
	if err != nil {
		return nil, s.broken("read", err)
	}
	var c content[V]
	if found {
		if c, err = s.read(row); err != nil {
			return nil, err
		}
	}
	e := s.insert(string(s.key), c, len(row))
	s.keep(e)
	return e, nil
}

// read makes the content of a row. It does not alias the row.
func (s *core[K, V]) read(row []byte) (content[V], error) {
	timestamp, value, err := s.split(row)
	if err != nil {
		return content[V]{}, err
	}
	c := content[V]{timestamp: timestamp, has: true}
	if s.sealing {
		c.sealed = bytes.Clone(value)
		return c, nil
	}
	c.value, err = s.decode(value)
	return c, err
}

// seal makes the content that is kept for a value.
func (s *core[K, V]) seal(v V, timestamp int64) (content[V], error) {
	c := content[V]{timestamp: timestamp, has: true}
	if !s.sealing {
		c.value = v
		return c, nil
	}
	var err error
	if c.sealed, err = s.values.Append(nil, v); err != nil {
		return c, s.wrap("encode value", err)
	}
	return c, nil
}

// get returns what the store holds for k.
func (s *core[K, V]) get(k K) (v V, timestamp int64, has bool, err error) {
	visible, err := s.locate(k)
	if !visible || err != nil {
		return v, 0, false, err
	}
	e, err := s.find()
	if err != nil || !e.has {
		return v, 0, false, err
	}
	timestamp = e.timestamp
	v, err = s.open(e.content)
	return v, timestamp, err == nil, err
}

// put writes c for k without reading what was there.
func (s *core[K, V]) put(k K, c content[V]) error {
	visible, err := s.locateToWrite(k, c.timestamp)
	if !visible || err != nil {
		return err
	}
	e := s.entries[string(s.key)]
	if e == nil {
		e = s.insert(string(s.key), content[V]{}, len(c.sealed))
		e.blind = true
	}
	s.wrote(c.timestamp)
	s.write(e, c)
	return nil
}

// set writes a value for k without reading what was there.
func (s *core[K, V]) set(k K, v V, timestamp int64) error {
	c, err := s.seal(v, timestamp)
	if err != nil {
		return err
	}
	return s.put(k, c)
}

// replace writes a value for k and returns what was there.
func (s *core[K, V]) replace(k K, v V, timestamp int64) (Change[V], error) {
	c, err := s.seal(v, timestamp)
	if err != nil {
		return Change[V]{}, err
	}
	return s.swap(k, v, c)
}

// remove deletes k and returns what was there.
func (s *core[K, V]) remove(k K, timestamp int64) (Change[V], error) {
	var none V
	return s.swap(k, none, content[V]{timestamp: timestamp})
}

// swap writes now for k and returns the old value beside the new one, v.
func (s *core[K, V]) swap(k K, v V, now content[V]) (Change[V], error) {
	visible, err := s.locateToWrite(k, now.timestamp)
	if !visible || err != nil {
		return Change[V]{}, err
	}
	e, err := s.find()
	if err != nil {
		return Change[V]{}, err
	}
	old, err := s.open(e.content)
	if err != nil {
		return Change[V]{}, err
	}
	change := Change[V]{old, v, e.has, now.has, e.since(), now.timestamp}
	s.wrote(now.timestamp)
	s.write(e, now)
	return change, nil
}

// update writes for k what f makes of the old value, or deletes k if f does not want to keep its result. It is the hot path of every
// aggregate, so it copies values no more often than it must.
func (s *core[K, V]) update(k K, timestamp int64, f func(old V, found bool) (V, bool)) (change Change[V], err error) {
	visible, err := s.locateToWrite(k, timestamp)
	if !visible || err != nil {
		return change, err
	}
	e, err := s.find()
	if err != nil {
		return change, err
	}
	if e.has {
		timestamp = max(timestamp, e.timestamp)
		change.Had, change.OldTimestamp = true, e.timestamp
	}
	change.Timestamp = timestamp
	if s.sealing {
		return change, s.updateSealed(e, &change, f)
	}
	change.Old = e.value
	e.pinned = true // f may use the store
	change.New, change.Has = f(change.Old, change.Had)
	e.pinned = false
	if !change.Has {
		return change, s.drop(e, &change)
	}
	s.wrote(timestamp)
	s.touch(e)
	e.value, e.timestamp, e.has = change.New, timestamp, true
	return change, nil
}

// updateSealed is update where f may write to what it is given, and so gets a copy of its own.
func (s *core[K, V]) updateSealed(e *entry[V], change *Change[V], f func(old V, found bool) (V, bool)) error {
	given, err := s.open(e.content)
	if err != nil {
		return err
	}
	if change.Old, err = s.open(e.content); err != nil {
		return err
	}
	e.pinned = true // f may use the store
	change.New, change.Has = f(given, change.Had)
	e.pinned = false
	if !change.Has {
		return s.drop(e, change)
	}
	now, err := s.seal(change.New, change.Timestamp)
	if err == nil {
		s.wrote(now.timestamp)
		s.write(e, now)
	}
	return err
}

// drop ends an update that removes its key, if it was there.
func (s *core[K, V]) drop(e *entry[V], change *Change[V]) error {
	var none V
	change.New = none
	if change.Had {
		s.wrote(change.Timestamp)
		s.write(e, content[V]{timestamp: change.Timestamp})
	}
	return nil
}

// Flush implements Store.
func (s *core[K, V]) Flush(b Batch, log LogFunc) error {
	s.Begin()
	for _, e := range s.takeDirty() {
		if err := s.flushEntry(e, b, log); err != nil {
			return err
		}
	}
	return nil
}

// flushEntry writes one entry to the batch and to the changelog.
func (s *core[K, V]) flushEntry(e *entry[V], b Batch, log LogFunc) error {
	s.key = append(s.key[:0], e.key...)
	s.changelog = s.layout.appendChangelog(s.changelog[:0], s.key[len(s.prefix):])
	if !e.has {
		b.Delete(s.key)
		s.resize(e, 0)
		return log(s.changelog, nil, s.layout.stamp(s.key[len(s.prefix):], e.timestamp))
	}
	row := binary.BigEndian.AppendUint64(s.row[:0], uint64(e.timestamp))
	var err error
	if s.sealing {
		row = append(row, e.sealed...)
	} else if row, err = s.values.Append(row, e.value); err != nil {
		return s.broken(fmt.Sprintf("encode the value of key %q", s.changelog), err)
	}
	s.row = row
	b.Set(s.key, row)
	s.resize(e, len(row))
	return log(s.changelog, row[timestampSize:], s.layout.stamp(s.key[len(s.prefix):], e.timestamp))
}

// Restore implements Store.
func (s *core[K, V]) Restore(b Batch, key, value []byte, timestamp int64) error {
	physical, err := s.layout.appendRestored(append(s.key[:0], s.prefix...), key)
	s.key = physical
	if err != nil {
		return s.broken("restore", err)
	}
	if e := s.entries[string(physical)]; e != nil && !e.dirty && !e.flushing {
		s.evict(e)
	}
	if value == nil {
		b.Delete(physical)
		return nil
	}
	s.row = append(binary.BigEndian.AppendUint64(s.row[:0], uint64(timestamp)), value...)
	b.Set(physical, s.row)
	return nil
}

// Lookups implements Store.
func (s *core[K, V]) Lookups() Lookups { return s.lookups }

// Clock implements Store.
func (s *core[K, V]) Clock() *Clock { return s.clock }

// Expire implements Store. It waits until some time is worth a range deletion.
func (s *core[K, V]) Expire(b Batch) {
	horizon := s.horizon(s.at())
	if horizon == never || s.deleted > never && horizon-s.deleted < s.step {
		return
	}
	s.deleted = horizon
	b.DeleteRange(s.prefix, appendTime(slices.Clone(s.prefix), s.layout.lead(horizon)))
}
