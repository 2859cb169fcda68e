package state

import "iter"

// ReadOnly reads the rows of a store that another step of the task writes, including uncommitted ones. (A View reads
// committed rows, outside of the task.) Only the task's goroutine may use it.
type ReadOnly[K, V any] struct{ rows *KeyValue[K, V] }

// ReadOnly returns a read-only handle of the store that a task opened. If the step has no such store, it calls s.Fail,
// as In does.
func (d *KeyValueDefinition[K, V]) ReadOnly(s Stores) *ReadOnly[K, V] {
	return &ReadOnly[K, V]{d.In(s)}
}

// Get returns the value of key, and whether there is one.
func (r *ReadOnly[K, V]) Get(key K) (V, bool, error) { return r.rows.Get(key) }

// GetWithTime is like Get with the timestamp of the value, in milliseconds since 1970.
func (r *ReadOnly[K, V]) GetWithTime(key K) (V, int64, bool, error) { return r.rows.GetWithTime(key) }

// All iterates over all rows, as KeyValue.All does.
func (r *ReadOnly[K, V]) All() iter.Seq2[Row[K, V], error] { return r.rows.All() }

// Range is like All from one key to another, both included.
func (r *ReadOnly[K, V]) Range(from, to K) iter.Seq2[Row[K, V], error] { return r.rows.Range(from, to) }
