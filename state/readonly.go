package state

import (
	"errors"
	"iter"
)

// ReadOnly reads the rows of a store that another step of the task writes, including uncommitted ones. (A View reads
// committed rows, outside of the task.) Only the task's goroutine may use it.
type ReadOnly[K, V any] struct{ rows readable[K, V] }

// readable is a KeyValue or a Versioned.
type readable[K, V any] interface {
	GetWithTime(key K) (V, int64, bool, error)
	All() iter.Seq2[Row[K, V], error]
	Range(from, to K) iter.Seq2[Row[K, V], error]
}

// ReadOnly returns a read-only handle of the store that a task opened. If the step has no such store, it calls s.Fail,
// as In does.
func (d *KeyValueDefinition[K, V]) ReadOnly(s Stores) *ReadOnly[K, V] {
	return &ReadOnly[K, V]{d.In(s)}
}

// Get returns the value of key, and whether there is one.
func (r *ReadOnly[K, V]) Get(key K) (V, bool, error) {
	v, _, found, err := r.rows.GetWithTime(key)
	return v, found, err
}

// GetWithTime is like Get with the timestamp of the value, in milliseconds since 1970.
func (r *ReadOnly[K, V]) GetWithTime(key K) (V, int64, bool, error) { return r.rows.GetWithTime(key) }

// All iterates over all rows, as KeyValue.All does.
func (r *ReadOnly[K, V]) All() iter.Seq2[Row[K, V], error] { return r.rows.All() }

// Range is like All from one key to another, both included.
func (r *ReadOnly[K, V]) Range(from, to K) iter.Seq2[Row[K, V], error] { return r.rows.Range(from, to) }

// ReadOnly returns a read-only handle of the store that a task opened, like KeyValueDefinition.ReadOnly.
func (d *VersionedDefinition[K, V]) ReadOnly(s Stores) *ReadOnly[K, V] {
	return &ReadOnly[K, V]{d.In(s)}
}

// GetAsOf returns the value that was valid at a time, in milliseconds since 1970, as Versioned.GetAsOf does. It is for
// versioned stores.
func (r *ReadOnly[K, V]) GetAsOf(key K, at int64) (value V, timestamp int64, found bool, err error) {
	versions, ok := r.rows.(*Versioned[K, V])
	if !ok {
		return value, 0, false, errNotVersioned
	}
	return versions.GetAsOf(key, at)
}

var errNotVersioned = errors.New("state: only versioned stores can be read as of a time")
