package state

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"slices"
)

// core implements all kinds of stores: a write-back cache over the rows of a database.
type core[K, V any] struct {
	rows[K, V]
	db DB
	expiry
	cache[V]

	// Buffers, valid for the last key or row.
	key       []byte // physical key, with the prefix
	row       []byte
	changelog []byte
}

// expiry tracks which windows of a store have expired. Its clock is the greatest timestamp written to the store.
type expiry struct {
	clock   *Clock // nil if nothing expires
	step    int64  // ms
	deleted int64  // horizon of the last Expire
}

// time returns the store's time for reads and writes. It only advances between records: the record that advances the
// time still finds the windows that it closes.
func (e *expiry) time() int64 {
	if e.clock == nil {
		return never
	}
	return e.clock.begun
}

// advance advances the store's clock.
func (e *expiry) advance(timestamp int64) {
	if e.clock != nil {
		e.clock.Advance(timestamp)
	}
}

func (s *core[K, V]) Name() string { return s.name }

// reading returns a view of the store that includes uncommitted changes.
func (s *core[K, V]) reading() reading[K, V] {
	return reading[K, V]{rows: &s.rows, from: s.db, over: &s.cache, horizon: s.horizon(s.time())}
}

// locate writes the key of k into s.key and reports whether the store may hold it; expired windows do not count.
func (s *core[K, V]) locate(k K) (bool, error) {
	key, err := s.appendKey(s.key[:0], k)
	s.key = key
	if err != nil {
		return false, err
	}
	return s.visible(key, s.horizon(s.time())), nil
}

// locateToWrite is like locate for a row with the given timestamp.
func (s *core[K, V]) locateToWrite(k K, timestamp int64) (bool, error) {
	if timestamp < 0 || timestamp > LatestTime {
		return false, s.wrap("write", fmt.Errorf("the timestamp, %d ms, is not within the years 1970 to 2262: the changelog cannot have it", timestamp))
	}
	return s.locate(k)
}

// find returns the entry of the last located key, from the cache or the database. If the key does not exist, the entry
// says so.
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
		return nil, s.storeError("read", err)
	}
	var c content[V]
	if found {
		if c, err = s.read(row); err != nil {
			return nil, err
		}
	}
	e := s.insert(string(s.key), c, len(row))
	s.addClean(e)
	return e, nil
}

// read decodes the content of a row. The content does not alias the row.
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

// seal returns the content to keep for a value.
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

// put sets the content of k without reading the old one.
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
	s.advance(c.timestamp)
	s.write(e, c)
	return nil
}

// set sets the value of k without reading the old one.
func (s *core[K, V]) set(k K, v V, timestamp int64) error {
	c, err := s.seal(v, timestamp)
	if err != nil {
		return err
	}
	return s.put(k, c)
}

// replace sets the value of k and returns the change.
func (s *core[K, V]) replace(k K, v V, timestamp int64) (Change[V], error) {
	c, err := s.seal(v, timestamp)
	if err != nil {
		return Change[V]{}, err
	}
	return s.swap(k, v, c)
}

// remove deletes k and returns the change.
func (s *core[K, V]) remove(k K, timestamp int64) (Change[V], error) {
	var none V
	return s.swap(k, none, content[V]{timestamp: timestamp})
}

// swap sets the content of k to the argument now. It returns the change from the old value to v.
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
	s.advance(now.timestamp)
	s.write(e, now)
	return change, nil
}

// update sets the value of k to the result of f for the old value, or deletes k if f returns false. It is the hot path
// of all aggregations, so it avoids copying values.
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
	s.advance(timestamp)
	s.touch(e)
	e.value, e.timestamp, e.has = change.New, timestamp, true
	return change, nil
}

// updateSealed is like update for a sealed store, where f gets a copy that it may modify.
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
		s.advance(now.timestamp)
		s.write(e, now)
	}
	return err
}

// drop completes an update that deletes its key.
func (s *core[K, V]) drop(e *entry[V], change *Change[V]) error {
	var none V
	change.New = none
	if change.Had {
		s.advance(change.Timestamp)
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
		return s.storeError(fmt.Sprintf("encode the value of key %q", s.changelog), err)
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
		return s.storeError("restore", err)
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

// Expire implements Store. It does nothing until enough time has passed to make a range deletion worthwhile.
func (s *core[K, V]) Expire(b Batch) {
	horizon := s.horizon(s.time())
	if horizon == never || s.deleted > never && horizon-s.deleted < s.step {
		return
	}
	s.deleted = horizon
	b.DeleteRange(s.prefix, appendTime(slices.Clone(s.prefix), s.layout.lead(horizon)))
}
