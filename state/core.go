package state

import "bytes"

// core is the typed part of all kinds of stores: a write-back cache of decoded values over the rows of a database.
type core[K, V any] struct {
	rows  rows[K, V]
	base  base
	saved []V // the values of the entries in the undo log of the cache, unless they are sealed
}

// cell is an entry of the cache with its decoded value, which is not used in a sealing store.
type cell[V any] struct {
	entry entry
	value V
}

// newCell returns a cell that is not in the cache yet.
func newCell[V any](c content) *cell[V] {
	e := &cell[V]{entry: entry{content: c}}
	e.entry.cell = e
	return e
}

// reading returns a view of the store that includes uncommitted changes.
func (s *core[K, V]) reading() *reading[K, V] {
	return &reading[K, V]{&s.rows, scanner{space: &s.rows.space, from: s.base.db, over: &s.base.cache, horizon: s.base.horizon(s.base.time())}}
}

// locate writes the key of k into the buffer of the base and reports whether the store may hold it; expired windows do
// not count.
func (s *core[K, V]) locate(k K) (bool, error) {
	key, err := s.rows.appendKey(s.base.key[:0], k)
	s.base.key = key
	return err == nil && s.base.reads(), err
}

// locateToWrite is like locate for a row with the given timestamp.
func (s *core[K, V]) locateToWrite(k K, timestamp int64) (bool, error) {
	if err := s.base.checkTime(timestamp); err != nil {
		return false, err
	}
	return s.locate(k)
}

// find returns the cell of the last located key, from the cache or the database. If the key does not exist, the cell
// says so.
func (s *core[K, V]) find() (*cell[V], error) {
	if e := s.base.lookup(s.base.key); e != nil {
		return e.cell.(*cell[V]), nil
	}
	timestamp, value, found, err := s.base.load()
	if err != nil {
		return nil, err
	}
	e := newCell[V](content{timestamp: timestamp, has: found})
	switch {
	case !found:
	case s.rows.sealing:
		e.entry.sealed = bytes.Clone(value)
	default:
		if e.value, err = s.rows.decode(value); err != nil {
			return nil, err
		}
	}
	s.base.insert(&e.entry, string(s.base.key), len(s.base.row))
	s.base.addClean(&e.entry)
	return e, nil
}

// open returns the value of a cell. The caller may modify it.
func (s *core[K, V]) open(e *cell[V]) (V, error) {
	if !s.rows.sealing || !e.entry.has {
		return e.value, nil
	}
	return s.rows.decode(e.entry.sealed)
}

// seal returns the content to keep for a value.
func (s *core[K, V]) seal(v V, timestamp int64) (content, error) {
	c := content{timestamp: timestamp, has: true}
	if !s.rows.sealing {
		return c, nil
	}
	var err error
	if c.sealed, err = s.rows.values.Append(nil, v); err != nil {
		return c, s.base.wrap("encode value", err)
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
	if err != nil || !e.entry.has {
		return v, 0, false, err
	}
	timestamp = e.entry.timestamp
	v, err = s.open(e)
	return v, timestamp, err == nil, err
}

// put sets the content of k without reading the old one.
func (s *core[K, V]) put(k K, v V, c content) error {
	visible, err := s.locateToWrite(k, c.timestamp)
	if !visible || err != nil {
		return err
	}
	var to *cell[V]
	if e := s.base.entries[string(s.base.key)]; e != nil {
		to = e.cell.(*cell[V])
	} else {
		to = newCell[V](content{})
		s.base.insert(&to.entry, string(s.base.key), len(c.sealed))
		to.entry.blind = true
	}
	s.write(to, v, c)
	return nil
}

// set sets the value of k without reading the old one.
func (s *core[K, V]) set(k K, v V, timestamp int64) error {
	c, err := s.seal(v, timestamp)
	if err != nil {
		return err
	}
	return s.put(k, v, c)
}

// delete deletes k without reading the old value.
func (s *core[K, V]) delete(k K, timestamp int64) error {
	return s.put(k, *new(V), content{timestamp: timestamp})
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
	return s.swap(k, *new(V), content{timestamp: timestamp})
}

// swap sets the content of k to the argument now. It returns the change from the old value to v.
func (s *core[K, V]) swap(k K, v V, now content) (Change[V], error) {
	visible, err := s.locateToWrite(k, now.timestamp)
	if !visible || err != nil {
		return Change[V]{}, err
	}
	e, err := s.find()
	if err != nil {
		return Change[V]{}, err
	}
	old, err := s.open(e)
	if err != nil {
		return Change[V]{}, err
	}
	change := Change[V]{old, v, e.entry.has, now.has, e.entry.since(), now.timestamp}
	s.write(e, v, now)
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
	if e.entry.has {
		timestamp = max(timestamp, e.entry.timestamp)
		change.Had, change.OldTimestamp = true, e.entry.timestamp
	}
	change.Timestamp = timestamp
	if s.rows.sealing {
		return change, s.updateSealed(e, &change, f)
	}
	change.Old = e.value
	e.entry.pinned = true // f may use the store
	change.New, change.Has = f(change.Old, change.Had)
	e.entry.pinned = false
	if !change.Has {
		s.drop(e, &change)
		return change, nil
	}
	s.base.advance(timestamp)
	s.touch(e)
	e.value, e.entry.timestamp, e.entry.has = change.New, timestamp, true
	return change, nil
}

// updateSealed is like update for a sealing store, where f gets a copy that it may modify.
func (s *core[K, V]) updateSealed(e *cell[V], change *Change[V], f func(old V, found bool) (V, bool)) error {
	given, err := s.open(e)
	if err != nil {
		return err
	}
	if change.Old, err = s.open(e); err != nil {
		return err
	}
	e.entry.pinned = true // f may use the store
	change.New, change.Has = f(given, change.Had)
	e.entry.pinned = false
	if !change.Has {
		s.drop(e, change)
		return nil
	}
	now, err := s.seal(change.New, change.Timestamp)
	if err == nil {
		s.write(e, change.New, now)
	}
	return err
}

// drop completes an update that deletes its key.
func (s *core[K, V]) drop(e *cell[V], change *Change[V]) {
	var none V
	change.New = none
	if change.Had {
		s.write(e, none, content{timestamp: change.Timestamp})
	}
}

// write changes the content of a cell.
func (s *core[K, V]) write(e *cell[V], v V, now content) {
	s.base.advance(now.timestamp)
	s.touch(e)
	e.entry.content = now
	if s.rows.sealing {
		s.base.resize(&e.entry, len(now.sealed))
		return
	}
	e.value = v
}

// touch saves the content of a cell before it is changed.
func (s *core[K, V]) touch(e *cell[V]) {
	if s.base.touch(&e.entry) {
		s.saved = append(s.saved, e.value)
	}
}

// restore implements values.
func (s *core[K, V]) restore(i int, e *entry) { e.cell.(*cell[V]).value = s.saved[i] }

// forget implements values.
func (s *core[K, V]) forget(i int) {
	clear(s.saved[i:])
	s.saved = s.saved[:i]
}

// appendValue implements values.
func (s *core[K, V]) appendValue(dst []byte, e *entry) ([]byte, error) {
	return s.rows.values.Append(dst, e.cell.(*cell[V]).value)
}
