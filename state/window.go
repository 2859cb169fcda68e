package state

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"time"

	"github.com/rio-streams/rio/codec"
)

// WindowDefinition declares a store of one value per key and window.
type WindowDefinition[K, V any] struct {
	rows *KeyValueDefinition[codec.WindowKey[K], V]
	keys codec.Codec[K]
}

// NewWindow declares a store of one value per key and window: windows of one size, which may start at any millisecond,
// kept for the retention after their start, in stream time.
//
// Its rows are ordered by key within time ranges of the length of a window, which makes Fetch cheap. A store declared
// with KeyValueDefinition.Windowed orders them by start.
func NewWindow[K, V any](
	name string, key codec.Codec[K], value codec.Codec[V], size, retention time.Duration,
) *WindowDefinition[K, V] {
	d := &WindowDefinition[K, V]{rows: &KeyValueDefinition[codec.WindowKey[K], V]{name: name, values: value}, keys: key}
	if key != nil {
		d.rows.keys = codec.Windowed(key).Size(size)
	}
	d.rows.size, d.rows.retention = size, retention
	d.rows.layout = layout{kind: byKey, bucket: max(size.Milliseconds(), 1)}
	return d
}

// Immutable is like KeyValueDefinition.Immutable.
func (d *WindowDefinition[K, V]) Immutable() *WindowDefinition[K, V] {
	return &WindowDefinition[K, V]{d.rows.Immutable(), d.keys}
}

// Name implements Definition.
func (d *WindowDefinition[K, V]) Name() string { return d.rows.name }

// Retention implements Definition.
func (d *WindowDefinition[K, V]) Retention() time.Duration { return d.rows.retention }

// String implements Definition.
func (d *WindowDefinition[K, V]) String() string { return d.rows.String() }

// Format implements Definition.
func (d *WindowDefinition[K, V]) Format() string { return d.rows.Format() }

// Open implements Definition.
func (d *WindowDefinition[K, V]) Open(db DB, prefix []byte, opts Options) (Store, error) {
	return d.rows.Open(db, prefix, opts)
}

// In returns the handle of the store that a task opened, like KeyValueDefinition.In.
func (d *WindowDefinition[K, V]) In(s Stores) *Window[K, V] {
	return &Window[K, V]{d.rows.in(s), d.keys}
}

// Window is a task's handle of a store of one value per key and window. A window is identified by its key and start;
// the end in a key is ignored. Expired windows are not found, and writes to them are dropped. Only the task's goroutine
// may use it.
type Window[K, V any] struct {
	core *core[codec.WindowKey[K], V]
	keys codec.Codec[K]
}

// Get returns the value of a window, and whether there is one.
func (w *Window[K, V]) Get(key codec.WindowKey[K]) (V, bool, error) {
	v, _, found, err := w.core.get(key)
	return v, found, err
}

// GetWithTime is like Get with the timestamp of the value, in milliseconds since 1970.
func (w *Window[K, V]) GetWithTime(key codec.WindowKey[K]) (V, int64, bool, error) {
	return w.core.get(key)
}

// Put is like KeyValue.Put. A timestamp before the start of the window is raised to the start, because the changelog is
// purged by time.
func (w *Window[K, V]) Put(key codec.WindowKey[K], value V, timestamp int64) error {
	return w.core.set(key, value, timestamp)
}

// Delete is like KeyValue.Delete.
func (w *Window[K, V]) Delete(key codec.WindowKey[K], timestamp int64) error {
	return w.core.delete(key, timestamp)
}

// Replace is like KeyValue.Replace.
func (w *Window[K, V]) Replace(key codec.WindowKey[K], value V, timestamp int64) (Change[V], error) {
	return w.core.replace(key, value, timestamp)
}

// Remove is like KeyValue.Remove.
func (w *Window[K, V]) Remove(key codec.WindowKey[K], timestamp int64) (Change[V], error) {
	return w.core.remove(key, timestamp)
}

// Update is like KeyValue.Update.
func (w *Window[K, V]) Update(key codec.WindowKey[K], timestamp int64, f func(old V, found bool) V) (Change[V], error) {
	return w.core.update(key, timestamp, func(old V, found bool) (V, bool) { return f(old, found), true })
}

// Modify is like KeyValue.Modify.
func (w *Window[K, V]) Modify(
	key codec.WindowKey[K], timestamp int64, f func(old V, found bool) (V, bool),
) (Change[V], error) {
	return w.core.update(key, timestamp, f)
}

// All iterates over all windows that have not expired: by the time range in which they start, then by key, then by
// start.
func (w *Window[K, V]) All() iter.Seq2[Row[codec.WindowKey[K], V], error] {
	return w.core.reading().scan(nil, nil)
}

// FetchAll is like All for the windows with from ≤ start ≤ to.
func (w *Window[K, V]) FetchAll(from, to time.Time) iter.Seq2[Row[codec.WindowKey[K], V], error] {
	return w.core.reading().fetchAll(from, to)
}

// Fetch iterates over the windows of one key with from ≤ start ≤ to, ordered by start.
func (w *Window[K, V]) Fetch(key K, from, to time.Time) iter.Seq2[Row[codec.WindowKey[K], V], error] {
	return fetch(w.core.reading(), w.keys, key, from, to)
}

// fetch iterates over the windows of a key. It collects them first.
func fetch[K, V any](s *reading[codec.WindowKey[K], V], keys codec.Codec[K], key K, from, to time.Time) iter.Seq2[Row[codec.WindowKey[K], V], error] {
	return func(yield func(Row[codec.WindowKey[K], V], error) bool) {
		keyBytes, err := keys.Append(nil, key)
		if err != nil {
			yield(Row[codec.WindowKey[K], V]{}, s.scanner.space.wrap("encode key", err))
			return
		}
		s.fetch(keyBytes, from, to, yield)
	}
}

// fetch yields the rows of the windows of an encoded key, or of its sessions.
func (s *reading[K, V]) fetch(keyBytes []byte, from, to time.Time, yield yieldFunc[K, V]) {
	var found []Row[K, V]
	err := s.scanner.windowsOf(keyBytes, from, to, func(m *merged) error {
		row, err := s.row(m, nil)
		if err == nil {
			found = append(found, row)
		}
		return err
	})
	for _, row := range found {
		if !yield(row, nil) {
			return
		}
	}
	if err != nil {
		yield(Row[K, V]{}, err)
	}
}

// windowsOf calls visit for the windows of an encoded key that start between two times, or for its sessions that
// overlap them. It goes from bucket to bucket, skipping those that do not exist.
func (s *scanner) windowsOf(keyBytes []byte, from, to time.Time, visit func(*merged) error) error {
	layout, prefix := s.space.layout, s.space.prefix
	first, last := s.times(from, to)
	latest := last // start of a session
	if layout.kind == bySession {
		last = math.MaxInt64
	}
	if first > last {
		return nil
	}
	bucket, end := layout.lead(first), layout.lead(last)
	rows, err := s.from.Iter(appendTime(slices.Clone(prefix), bucket), after(appendTime(slices.Clone(prefix), end)))
	if err != nil {
		return s.space.storeError("scan", err)
	}
	defer rows.Close() // read-only

	of := func(physical []byte) bool { // rows of longer keys may lie in between
		return len(physical) == timeSize+len(keyBytes)+layout.suffix() && bytes.HasPrefix(physical[timeSize:], keyBytes)
	}
	for bucket <= end {
		lower := s.space.inBucket(bucket, keyBytes, max(first, bucket))
		upper := after(s.space.inBucket(bucket, keyBytes, min(last, bucket+(layout.bucket-1))))
		m := merged{scanner: s, overlay: s.pending(lower, upper), rows: rows, more: rows.SeekGE(lower), upper: upper}
		next := bucket + layout.bucket
		if len(m.overlay) == 0 && !m.within() {
			var some bool
			if next, some = s.nextBucket(&m, next); !some {
				break
			}
		}
		for m.next(of) {
			if layout.kind == bySession && sessionStart(m.key) > latest {
				return nil // the sessions of a key do not overlap, so all others start later
			}
			if err := visit(&m); err != nil {
				return err
			}
		}
		if m.err != nil {
			return m.err
		}
		if next < bucket {
			break
		}
		bucket = next
	}
	if err := rows.Error(); err != nil {
		return s.space.storeError("scan", err)
	}
	return nil
}

// nextBucket returns the first existing bucket from a given one on. The rows of m must be at or before it.
func (s *scanner) nextBucket(m *merged, from int64) (next int64, some bool) {
	next = math.MaxInt64
	if m.more {
		next, some = max(readTime(s.space.physical(m.rows.Key())), from), true
	}
	if s.over == nil {
		return next, some
	}
	if key, found := s.over.first(appendTime(slices.Clone(s.space.prefix), from)); found {
		next, some = min(next, readTime([]byte(key[len(s.space.prefix):]))), true
	}
	return next, some
}
