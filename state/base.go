package state

import (
	"encoding/binary"
	"fmt"
)

// base implements Store: it is the part of a store that does not depend on its types. core is the other part.
type base struct {
	*space // that of its rows
	db     DB
	expiry
	cache

	// Buffers, valid for the last key or row.
	key       []byte // physical key, with the prefix
	row       []byte
	changelog []byte
}

// expiry tracks which windows of a store have expired. Its clock is the greatest timestamp written to the store.
type expiry struct {
	clock   *Clock // nil if nothing expires
	within  bool   // the time also advances within a record
	step    int64  // ms
	deleted int64  // horizon of the last Expire
}

// time returns the store's time for reads and writes. It only advances between records: the record that advances the
// time still finds the windows that it closes. A join writes each record after it has been joined, so the time of its
// stores may advance at once.
func (e *expiry) time() int64 {
	switch {
	case e.clock == nil:
		return never
	case e.within:
		return e.clock.now
	}
	return e.clock.begun
}

// advance advances the store's clock.
func (e *expiry) advance(timestamp int64) {
	if e.clock != nil {
		e.clock.Advance(timestamp)
	}
}

// Name implements Store.
func (s *base) Name() string { return s.name }

// reads reports whether the store may hold the key in s.key; expired windows do not count.
func (s *base) reads() bool { return s.visible(s.key, s.horizon(s.time())) }

// checkTime returns an error if no row may have a timestamp.
func (s *base) checkTime(timestamp int64) error {
	if timestamp < 0 || timestamp > LatestTime {
		return s.wrap("write", fmt.Errorf("the timestamp, %d ms, is not within the years 1970 to 2262: the changelog cannot have it", timestamp))
	}
	return nil
}

// load reads the row of the key in s.key from the database. The value is valid until the next load.
func (s *base) load() (timestamp int64, value []byte, found bool, err error) {
	row, found, err := s.db.Get(s.row[:0], s.key)
	s.row = row
	switch {
	case err != nil:
		return 0, nil, false, s.storeError("read", err)
	case !found:
		return 0, nil, false, nil
	}
	timestamp, value, err = s.split(row)
	return timestamp, value, err == nil, err
}

// Flush implements Store.
func (s *base) Flush(b Batch, log LogFunc) error {
	s.Begin()
	for _, e := range s.takeDirty() {
		if err := s.flushEntry(e, b, log); err != nil {
			return err
		}
	}
	return nil
}

// flushEntry writes one entry to the batch and to the changelog.
func (s *base) flushEntry(e *entry, b Batch, log LogFunc) error {
	s.key = append(s.key[:0], e.key...)
	physical := s.physical(s.key)
	s.changelog = s.layout.appendChangelog(s.changelog[:0], physical)
	if !e.has {
		b.Delete(s.key)
		s.resize(e, 0)
		return log(s.changelog, nil, s.layout.stamp(physical, e.timestamp))
	}
	row := binary.BigEndian.AppendUint64(s.row[:0], uint64(e.timestamp))
	var err error
	if s.sealing {
		row = append(row, e.sealed...)
	} else if row, err = s.values.appendValue(row, e); err != nil {
		return s.storeError(fmt.Sprintf("encode the value of key %q", s.changelog), err)
	}
	s.row = row
	b.Set(s.key, row)
	s.resize(e, len(row))
	return log(s.changelog, row[timestampSize:], s.layout.stamp(physical, e.timestamp))
}

// Restore implements Store.
func (s *base) Restore(b Batch, key, value []byte, timestamp int64) error {
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
	if s.layout.kind == bySession { // Kafka Streams writes the timestamp of the last record to arrive
		timestamp = s.layout.stamp(s.physical(physical), timestamp)
	}
	s.row = append(binary.BigEndian.AppendUint64(s.row[:0], uint64(timestamp)), value...)
	b.Set(physical, s.row)
	return nil
}

// Dump implements Store.
func (s *base) Dump(log LogFunc) error {
	return s.each(s.db, "dump", func(key, value []byte, timestamp int64) (bool, error) {
		physical := s.physical(key)
		s.changelog = s.layout.appendChangelog(s.changelog[:0], physical)
		return true, log(s.changelog, value, s.layout.stamp(physical, timestamp))
	})
}

// Lookups implements Store.
func (s *base) Lookups() Lookups { return s.lookups }

// Clock implements Store.
func (s *base) Clock() *Clock { return s.clock }

// Expire implements Store. It does nothing until enough time has passed to make a range deletion worthwhile.
func (s *base) Expire(b Batch) {
	horizon := s.horizon(s.time())
	if horizon == never || s.deleted > never && horizon-s.deleted < s.step {
		return
	}
	s.deleted = horizon
	b.DeleteRange(s.prefix, appendTime(append([]byte(nil), s.prefix...), s.layout.lead(horizon)))
}
