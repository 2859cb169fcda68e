package state

import "sync/atomic"

// Shared is a database that one goroutine writes and the tasks of a process read: that of the global tables. Its Get
// must be safe for use by several goroutines, also while the owner commits; that of package pebblestore is.
type Shared struct {
	Reader
	version atomic.Uint64 // changes with every commit
}

// Share returns the shared form of a database.
func Share(r Reader) *Shared { return &Shared{Reader: r} }

// Changed must be called by the owner of the database after each commit.
func (s *Shared) Changed() { s.version.Add(1) }

// Lookup looks up committed rows of a store in a shared database, for one task. Rows are decoded once and kept while
// nothing is committed; do not modify what they refer to.
type Lookup[K, V any] struct {
	shared  *Shared
	rows    rows[K, V]
	key     []byte
	version uint64 // of the database when the rows in memory were read
	found   map[string]looked[V]
}

// looked is the row of a key, if it exists.
type looked[V any] struct {
	value     V
	timestamp int64
	has       bool
}

// lookedLimit is how many rows a Lookup keeps.
const lookedLimit = 1024

// Lookup returns a Lookup of the store in a shared database, or an error if the database does not have the store.
func (d *KeyValueDefinition[K, V]) Lookup(s *Shared) (*Lookup[K, V], error) {
	reading, err := d.committed(s, d)
	if err != nil {
		return nil, err
	}
	return &Lookup[K, V]{shared: s, rows: *reading.rows, found: map[string]looked[V]{}}, nil
}

// Get returns the value of key, and whether there is one.
func (l *Lookup[K, V]) Get(key K) (V, bool, error) {
	value, _, found, err := l.GetWithTime(key)
	return value, found, err
}

// GetWithTime is like Get with the timestamp of the value, in milliseconds since 1970.
func (l *Lookup[K, V]) GetWithTime(key K) (value V, timestamp int64, found bool, err error) {
	if l.key, err = l.rows.appendKey(l.key[:0], key); err != nil {
		return value, 0, false, err
	}
	if version := l.shared.version.Load(); version != l.version || len(l.found) == lookedLimit {
		clear(l.found)
		l.version = version
	}
	row, ok := l.found[string(l.key)]
	if !ok {
		if row, err = l.read(); err != nil {
			return value, 0, false, err
		}
		l.found[string(l.key)] = row
	}
	return row.value, row.timestamp, row.has, nil
}

// read reads the row of l.key.
func (l *Lookup[K, V]) read() (row looked[V], err error) {
	data, found, err := l.shared.Get(nil, l.key)
	if err != nil {
		return row, l.rows.space.storeError("read", err)
	}
	if !found {
		return row, nil
	}
	timestamp, encoded, err := l.rows.space.split(data)
	if err != nil {
		return row, err
	}
	value, err := l.rows.decode(encoded)
	return looked[V]{value, timestamp, true}, err
}
