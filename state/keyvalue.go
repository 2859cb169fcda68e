package state

import (
	"errors"
	"fmt"
	"iter"
	"reflect"
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
	immutable       bool
}

// NewKeyValue declares a store of one value per key.
func NewKeyValue[K, V any](name string, key codec.Codec[K], value codec.Codec[V]) *KeyValueDefinition[K, V] {
	return &KeyValueDefinition[K, V]{name: name, keys: key, values: value}
}

// Windowed returns the declaration of a store whose keys are windows of one size, kept for retention after their start.
// The key codec must end each key with the start of its window, as codec.Windowed does. Rows are ordered by window
// start, then by key.
func (d *KeyValueDefinition[K, V]) Windowed(size, retention time.Duration) *KeyValueDefinition[K, V] {
	w := *d
	w.layout, w.size, w.retention = layout{kind: byStart}, size, retention
	return &w
}

// WindowedByKey is like Windowed, but orders rows by key within time ranges of the length of a window, which makes
// FetchKey cheap.
func (d *KeyValueDefinition[K, V]) WindowedByKey(size, retention time.Duration) *KeyValueDefinition[K, V] {
	w := d.Windowed(size, retention)
	w.layout = layout{kind: byKey, bucket: max(size.Milliseconds(), 1)}
	return w
}

// Immutable returns the declaration of a store whose values are never modified in place: a value that was put, returned
// or passed to a function must not be written through afterwards. The store can then keep values with maps, slices or
// pointers inside decoded. Without that promise it keeps them encoded, which costs a decoding per read. Values without
// such references never need it.
func (d *KeyValueDefinition[K, V]) Immutable() *KeyValueDefinition[K, V] {
	i := *d
	i.immutable = true
	return &i
}

// mutable reports whether values of a type contain references through which they can be changed in place.
func mutable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Struct:
		if t == reflect.TypeFor[time.Time]() {
			return false
		}
		for i := range t.NumField() {
			if mutable(t.Field(i).Type) {
				return true
			}
		}
		return false
	case reflect.Array:
		return mutable(t.Elem())
	case reflect.Slice, reflect.Map, reflect.Pointer, reflect.Interface, reflect.Chan, reflect.Func, reflect.UnsafePointer:
		return true
	}
	return false
}

// Name implements Definition.
func (d *KeyValueDefinition[K, V]) Name() string { return d.name }

// Retention implements Definition.
func (d *KeyValueDefinition[K, V]) Retention() time.Duration { return d.retention }

// String implements Definition.
func (d *KeyValueDefinition[K, V]) String() string { return d.describe(d.keys, d.values) }

// Format implements Definition.
func (d *KeyValueDefinition[K, V]) Format() string {
	if d.keys == nil || d.values == nil {
		return d.String() // Open rejects it
	}
	return d.describe(codec.Format(d.keys), codec.Format(d.values))
}

func (d *KeyValueDefinition[K, V]) describe(keys, values any) string {
	return describe(d.layout, d.size, keys, values)
}

func describe(layout layout, size time.Duration, keys, values any) string {
	switch layout.kind {
	case bySession:
		return fmt.Sprintf("session %s, %s → %s", size, keys, values)
	case byKey:
		return fmt.Sprintf("window %s by key, %s → %s", size, keys, values)
	case byStart:
		return fmt.Sprintf("window %s, %s → %s", size, keys, values)
	}
	return fmt.Sprintf("key-value %s → %s", keys, values)
}

// Open implements Definition.
func (d *KeyValueDefinition[K, V]) Open(db DB, prefix []byte, opts Options) (Store, error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	return &d.open(db, prefix, opts).base, nil
}

func (d *KeyValueDefinition[K, V]) open(db DB, prefix []byte, opts Options) *core[K, V] {
	budget := opts.Budget
	if budget == nil {
		budget = NewBudget(defaultBudget)
	}
	s := &core[K, V]{rows: d.rows(prefix)}
	s.base = base{
		space:     &s.rows.space,
		db:        db,
		changelog: []byte{}, // an empty key is not null
		expiry:    newExpiry(d.name, d.layout, d.size, d.retention),
		cache:     newCache(budget, s.rows.sealing, reflect.TypeFor[cell[V]]().Size(), s),
	}
	return s
}

// rows returns the rows of the store under a prefix.
func (d *KeyValueDefinition[K, V]) rows(prefix []byte) rows[K, V] {
	return rows[K, V]{
		space: space{name: d.name, prefix: prefix, layout: d.layout, retention: d.retention.Milliseconds()},
		keys:  d.keys, values: d.values, sealing: d.seals(),
	}
}

// seals reports whether the store keeps its values encoded.
func (d *KeyValueDefinition[K, V]) seals() bool {
	return !d.immutable && mutable(reflect.TypeFor[V]())
}

// newExpiry returns the expiry of a store without rows. Expired windows are deleted about once per minute of the store's
// time.
func newExpiry(name string, layout layout, size, retention time.Duration) expiry {
	e := expiry{deleted: never}
	if layout.kind != plain {
		e.clock, e.within = newClock(name), layout.kind == bySequence
		e.step = max(size, min(retention, time.Minute)).Milliseconds()
	}
	return e
}

// errNotWindowed: a loop over windows was requested from a store without windows.
var errNotWindowed = errors.New("its keys are not windows: declare it with Windowed, or with NewWindow")

// errNotByKey: the windows of one key were requested from a store that does not order them by key.
var errNotByKey = errors.New("its rows are not ordered by key: declare it with WindowedByKey, Sessions or NewWindow")

// check reports every mistake in the declaration.
func (d *KeyValueDefinition[K, V]) check() error {
	return checkDefinition(d.name, d.layout, d.size, d.retention, d.keys != nil && d.values != nil, d.keys)
}

func checkDefinition(name string, layout layout, size, retention time.Duration, hasCodecs bool, keys any) error {
	var errs []error
	if name == "" {
		errs = append(errs, errors.New("state: a store needs a name"))
	}
	if !hasCodecs {
		errs = append(errs, fmt.Errorf("state: store %q needs a codec for its keys and one for its values", name))
	}
	if layout.kind != plain && (size < time.Millisecond || retention < size) {
		errs = append(errs, fmt.Errorf("state: store %q keeps %s of %s for %s: %[2]s need at least 1ms, and the retention must not be shorter",
			name, layout.lengths(), size, retention))
	}
	if keys, ok := keys.(codec.WindowedKeys); ok && layout.kind != plain {
		shape := layout.shape(size)
		if keys.Windows().Rule != "" { // the size is that of the longest window
			shape.Size = 0
		}
		if !shape.Agrees(keys.Windows()) {
			errs = append(errs, fmt.Errorf("state: store %q has %v, but its keys are encoded with %v", name, shape, keys.Windows()))
		}
	}
	return errors.Join(errs...)
}

// shape returns what the key codec of a store of windows must encode.
func (l layout) shape(size time.Duration) codec.WindowShape {
	if l.kind == bySession {
		return codec.WindowShape{Kind: codec.ByEndAndStart}
	}
	return codec.WindowShape{Kind: codec.ByStart, Size: size}
}

// lengths says what the size of a store of windows is the length of.
func (l layout) lengths() string {
	if l.kind == bySession {
		return "sessions with a gap"
	}
	return "windows"
}

// In returns the handle of the store that a task opened. If the step has no such store, it calls s.Fail and returns a
// handle of a temporary store in memory, so that the constructor of a handler needs no error handling.
func (d *KeyValueDefinition[K, V]) In(s Stores) *KeyValue[K, V] { return &KeyValue[K, V]{d.in(s)} }

func (d *KeyValueDefinition[K, V]) in(s Stores) *core[K, V] {
	store, err := s.Store(d.name)
	if err == nil {
		if b, ok := store.(*base); ok {
			if c, ok := b.values.(*core[K, V]); ok {
				return c
			}
		}
		err = fmt.Errorf("state: store %q is not a %s: another declaration has the same name", d.name, d)
	}
	s.Fail(err)
	return d.open(NewMemory(), nil, Options{})
}

// KeyValue is a task's handle of a store of one value per key. Only the task's goroutine may use it.
type KeyValue[K, V any] struct{ core *core[K, V] }

// Change describes a write to a key: its value before and after. Timestamps are in milliseconds since 1970.
type Change[V any] struct {
	Old, New                V
	Had, Has                bool // whether there was an old value, and whether there is a new one
	OldTimestamp, Timestamp int64
}

// Row is one row of a store.
type Row[K, V any] struct {
	Key       K
	Value     V
	Timestamp int64 // milliseconds since 1970
}

// Get returns the value of key, and whether there is one.
func (s *KeyValue[K, V]) Get(key K) (V, bool, error) {
	v, _, found, err := s.core.get(key)
	return v, found, err
}

// GetWithTime is like Get with the timestamp of the value, in milliseconds since 1970.
func (s *KeyValue[K, V]) GetWithTime(key K) (V, int64, bool, error) {
	return s.core.get(key)
}

// Put sets the value of key, without reading the old one.
func (s *KeyValue[K, V]) Put(key K, value V, timestamp int64) error {
	return s.core.set(key, value, timestamp)
}

// Delete removes key without reading its value. It writes a tombstone with the timestamp to the changelog, whether
// there was a value or not.
func (s *KeyValue[K, V]) Delete(key K, timestamp int64) error {
	return s.core.delete(key, timestamp)
}

// Replace is Put, and also returns the old value.
func (s *KeyValue[K, V]) Replace(key K, value V, timestamp int64) (Change[V], error) {
	return s.core.replace(key, value, timestamp)
}

// Remove is Delete, and also returns the old value.
func (s *KeyValue[K, V]) Remove(key K, timestamp int64) (Change[V], error) {
	return s.core.remove(key, timestamp)
}

// Update sets the value of key to the result of f for the old one, in one lookup. The new timestamp is the later of
// the old one and the given one. If key is an expired window, f is not called, and the Change is zero.
func (s *KeyValue[K, V]) Update(key K, timestamp int64, f func(old V, found bool) V) (Change[V], error) {
	return s.core.update(key, timestamp, func(old V, found bool) (V, bool) { return f(old, found), true })
}

// Modify is like Update with the option to remove the key: f returns false to remove it.
func (s *KeyValue[K, V]) Modify(key K, timestamp int64, f func(old V, found bool) (V, bool)) (Change[V], error) {
	return s.core.update(key, timestamp, f)
}

// All iterates over all rows in the order of their encoded keys; in a store of windows by start, then by key. Like
// every loop over a store it shows the store as it was when the loop began, whatever the loop body writes. An error is
// the last thing it yields.
func (s *KeyValue[K, V]) All() iter.Seq2[Row[K, V], error] { return s.core.reading().scan(nil, nil) }

// Range is like All from one key to another, both included, in the order of the encoded keys.
func (s *KeyValue[K, V]) Range(from, to K) iter.Seq2[Row[K, V], error] {
	return s.core.reading().scan(&from, &to)
}

// FetchAll iterates over the windows with from ≤ start ≤ to, by start, then by key. It is for stores of windows; of
// sessions it finds those with from ≤ end ≤ to.
func (s *KeyValue[K, V]) FetchAll(from, to time.Time) iter.Seq2[Row[K, V], error] {
	return s.core.reading().fetchAll(from, to)
}
