package state

import (
	"iter"
	"time"

	"github.com/rio-streams/rio/codec"
)

// WindowDefinition declares a store of one value per key and window.
type WindowDefinition[K, V any] struct {
	*KeyValueDefinition[codec.WindowKey[K], V]
}

// NewWindow declares a store of one value per key and window: windows of one size, kept for the retention after their
// start, by stream time.
func NewWindow[K, V any](
	name string, key codec.Codec[K], value codec.Codec[V], size, retention time.Duration,
) *WindowDefinition[K, V] {
	keys := codec.Windowed(key).Size(size)
	return &WindowDefinition[K, V]{NewKeyValue(name, codec.Codec[codec.WindowKey[K]](keys), value).Windowed(size, retention)}
}

// In returns the handle of the store that a task opened, as that of a key-value store does.
func (d *WindowDefinition[K, V]) In(s Stores) *Window[K, V] {
	return &Window[K, V]{KeyValue[codec.WindowKey[K], V]{d.in(s)}}
}

// Window is a task's part of a store of one value per key and window: a KeyValue of window keys. A window is named by its key and
// Start alone.
type Window[K, V any] struct {
	KeyValue[codec.WindowKey[K], V]
}

// Fetch iterates over the windows of one key with from ≤ start ≤ to, in the order of time.
func (w *Window[K, V]) Fetch(key K, from, to time.Time) iter.Seq2[Row[codec.WindowKey[K], V], error] {
	return func(yield func(Row[codec.WindowKey[K], V], error) bool) {
		for row, err := range w.All() {
			_ = row
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
}
