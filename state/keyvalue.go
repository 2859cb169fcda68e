package state

import (
	"errors"
	"fmt"
	"iter"
	"math"
	"time"

	"github.com/rio-streams/rio/codec"
)

// KeyValueDefinition declares a store of one value per key.
type KeyValueDefinition[K, V any] struct {
	name            string
	keys            codec.Codec[K]
	values          codec.Codec[V]
	layout          layout
	size, retention time.Duration
}

// NewKeyValue declares a store of one value per key.
func NewKeyValue[K, V any](name string, key codec.Codec[K], value codec.Codec[V]) *KeyValueDefinition[K, V] {
	return &KeyValueDefinition[K, V]{name: name, keys: key, values: value}
}

// Windowed returns the declaration of a store whose keys are windows of one size, kept for so long after their start. The
// key codec must end each key with the start of its window, as codec.Windowed does. Rows are then in the order of window
// start, and of keys within a start.
func (d *KeyValueDefinition[K, V]) Windowed(size, retention time.Duration) *KeyValueDefinition[K, V] {
	w := *d
	w.layout, w.size, w.retention = windowed, size, retention
	return &w
}

// Name implements Definition.
func (d *KeyValueDefinition[K, V]) Name() string { return d.name }

// Retention implements Definition.
func (d *KeyValueDefinition[K, V]) Retention() time.Duration { return d.retention }

// String implements Definition.
func (d *KeyValueDefinition[K, V]) String() string {
	if d.layout == windowed {
		return fmt.Sprintf("window %s %s → %s", d.size, d.keys, d.values)
	}
	return fmt.Sprintf("key-value %s → %s", d.keys, d.values)
}

// Open implements Definition.
func (d *KeyValueDefinition[K, V]) Open(db DB, prefix []byte, opts Options) (Store, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	return d.open(db, prefix, opts), nil
}

func (d *KeyValueDefinition[K, V]) open(db DB, prefix []byte, opts Options) *core[K, V] {
	if opts.Budget == nil {
		opts.Budget = NewBudget(16 << 20)
	}
	opts.Budget.stores.Add(1)
	s := &core[K, V]{
		name: d.name, db: db, prefix: prefix, layout: d.layout, keys: d.keys, values: d.values,
		retention: millis(d.retention), horizon: math.MinInt64,
	}
	s.budget = opts.Budget
	s.entries = make(map[string]*entry[V])
	return s
}

// check tells every mistake in the declaration.
func (d *KeyValueDefinition[K, V]) check() error {
	var errs []error
	if d.name == "" {
		errs = append(errs, errors.New("state: a store needs a name"))
	}
	if d.keys == nil || d.values == nil {
		errs = append(errs, fmt.Errorf("state: store %q needs a codec for its keys and one for its values", d.name))
	}
	if d.layout == windowed && (d.size <= 0 || d.retention < d.size) {
		errs = append(errs, fmt.Errorf("state: store %q keeps windows of %s for %s: the retention must not be shorter than a window",
			d.name, d.size, d.retention))
	}
	return errors.Join(errs...)
}

// In returns the handle of the store that a task opened. If the step has no such store it calls s.Fail and returns a handle of a
// throw-away store in memory, so that the constructor of a handler needs no error handling.
func (d *KeyValueDefinition[K, V]) In(s Stores) *KeyValue[K, V] { return &KeyValue[K, V]{d.in(s)} }

func (d *KeyValueDefinition[K, V]) in(s Stores) *core[K, V] {
	store, err := s.Store(d.name)
	if err == nil {
		if c, ok := store.(*core[K, V]); ok {
			return c
		}
		err = fmt.Errorf("state: store %q is not a %s: another declaration has the same name", d.name, d)
	}
	s.Fail(err)
	return d.open(NewMemory(), nil, Options{})
}

// KeyValue is a task's part of a store of one value per key. Only the task's goroutine uses it.
//
// A value that was put or returned belongs to the store and the caller together: neither changes what it refers to.
type KeyValue[K, V any] struct{ core *core[K, V] }

// Change is what one write did to a key: the content before and after it. Timestamps are in milliseconds since 1970.
type Change[V any] struct {
	Old, New                V
	Had, Has                bool // whether there was an old value, whether there is a new one
	OldTimestamp, Timestamp int64
}

// Row is one key of a store.
type Row[K, V any] struct {
	Key       K
	Value     V
	Timestamp int64 // milliseconds since 1970
}

// Get returns the value of key, and whether there is one.
func (s *KeyValue[K, V]) Get(key K) (V, bool, error) {
	c, err := s.core.get(key)
	return c.value, c.has, err
}

// GetWithTime is Get with the timestamp of the value, in milliseconds since 1970.
func (s *KeyValue[K, V]) GetWithTime(key K) (V, int64, bool, error) {
	c, err := s.core.get(key)
	return c.value, c.timestamp, c.has, err
}

// Put sets the value of key, without reading the old one.
func (s *KeyValue[K, V]) Put(key K, value V, timestamp int64) error {
	return s.core.put(key, content[V]{value, timestamp, true})
}

// Delete removes key, without reading its value. The changelog gets a tombstone with the timestamp, whether there was a value or not.
func (s *KeyValue[K, V]) Delete(key K, timestamp int64) error {
	return s.core.put(key, content[V]{timestamp: timestamp})
}

// Replace is Put that tells the old value.
func (s *KeyValue[K, V]) Replace(key K, value V, timestamp int64) (Change[V], error) {
	return s.core.swap(key, content[V]{value, timestamp, true})
}

// Remove is Delete that tells the old value.
func (s *KeyValue[K, V]) Remove(key K, timestamp int64) (Change[V], error) {
	return s.core.swap(key, content[V]{timestamp: timestamp})
}

// Update sets the value of key to what f makes of the old one, in one look-up. The new timestamp is the later of the old one and
// the given one. On an expired window f is not called, and the Change is zero.
func (s *KeyValue[K, V]) Update(key K, timestamp int64, f func(old V, found bool) V) (Change[V], error) {
	visible, err := s.core.locate(key)
	if !visible || err != nil {
		return Change[V]{}, err
	}
	e, err := s.core.find()
	if err != nil {
		return Change[V]{}, err
	}
	old := e.content
	if old.has {
		timestamp = max(timestamp, old.timestamp)
	}
	e.pinned = true
	now := content[V]{f(old.value, old.has), timestamp, true}
	e.pinned = false
	s.core.write(e, now)
	return change(old, now), nil
}

// Modify is Update with the choice to remove the key: f says whether its result is to be kept.
func (s *KeyValue[K, V]) Modify(key K, timestamp int64, f func(old V, found bool) (V, bool)) (Change[V], error) {
	var kept bool
	c, err := s.Update(key, timestamp, func(old V, found bool) V {
		var v V
		v, kept = f(old, found)
		return v
	})
	if err != nil || kept || !c.Has {
		return c, err
	}
	var none V
	c.New, c.Has = none, false
	return c, s.Delete(key, c.Timestamp)
}

// All iterates over all rows in the order of their encoded keys, in a store of windows by start and then key. It shows the store as
// it was when the loop began.
func (s *KeyValue[K, V]) All() iter.Seq2[Row[K, V], error] { return s.core.scan(nil, nil) }

// Range is All from one key to another, both included, in the order of their encoded bytes.
func (s *KeyValue[K, V]) Range(from, to K) iter.Seq2[Row[K, V], error] {
	return s.core.scan(&from, &to)
}
