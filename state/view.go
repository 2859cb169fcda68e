package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/rio-streams/rio/codec"
)

// View reads the committed rows of a store as of the creation of its Reader: later commits do not affect it, and
// windows that had expired then are not found. Several goroutines may use it at once if they may use its Reader, as
// with a Snapshot, and while that is open.
type View[K, V any] struct{ reading *reading[K, V] }

// View returns the committed rows of the store in r, a [DB] or a [Snapshot] of one.
func (d *KeyValueDefinition[K, V]) View(r Reader) (*View[K, V], error) {
	reading, err := d.committed(r, d)
	if err != nil {
		return nil, err
	}
	return &View[K, V]{reading}, nil
}

// committed returns a view of the store's committed rows and time in r. declared is the declaration that the user made.
func (d *KeyValueDefinition[K, V]) committed(r Reader, declared Definition) (*reading[K, V], error) {
	if err := d.check(); err != nil {
		return nil, err
	}
	id, err := findStore(r, declared)
	if err != nil {
		return nil, err
	}
	at := int64(never)
	if d.layout.kind != plain {
		if at, err = readClock(r, d.name); err != nil {
			return nil, err
		}
	}
	rows := d.rows(binary.BigEndian.AppendUint16(nil, id))
	return &reading[K, V]{&rows, scanner{space: &rows.space, from: r, horizon: rows.space.horizon(at)}}, nil
}

// ErrNoStore: the database does not have the store.
var ErrNoStore = errors.New("no such store")

// findStore returns the prefix of a store in a database.
func findStore(r Reader, d Definition) (uint16, error) {
	if err := checkFormat(r); err != nil {
		return 0, err
	}
	v, found, err := r.Get(nil, append(slices.Clone(storeKey), d.Name()...))
	switch {
	case err != nil:
		return 0, fmt.Errorf("state: find store %q: %w", d.Name(), err)
	case !found:
		return 0, fmt.Errorf("state: store %q: %w in this database", d.Name(), ErrNoStore)
	case len(v) < 2:
		return 0, errDamagedList
	}
	return binary.BigEndian.Uint16(v), CheckFormat(d, string(v[2:]))
}

// Get returns the value of key, and whether there is one.
func (v *View[K, V]) Get(key K) (V, bool, error) {
	value, _, found, err := v.GetWithTime(key)
	return value, found, err
}

// GetWithTime is like Get with the timestamp of the value, in milliseconds since 1970.
func (v *View[K, V]) GetWithTime(key K) (value V, timestamp int64, found bool, err error) {
	at, err := v.reading.rows.appendKey(nil, key)
	if err != nil {
		return value, 0, false, err
	}
	timestamp, encoded, found, err := v.reading.scanner.get(at)
	if found {
		value, err = v.reading.rows.decode(encoded)
	}
	return value, timestamp, found && err == nil, err
}

// get returns the committed row of a database key, unless it has expired.
func (s *scanner) get(key []byte) (timestamp int64, value []byte, found bool, err error) {
	if !s.space.visible(key, s.horizon) {
		return 0, nil, false, nil
	}
	row, found, err := s.from.Get(nil, key)
	switch {
	case err != nil:
		return 0, nil, false, s.space.storeError("read", err)
	case !found:
		return 0, nil, false, nil
	}
	timestamp, value, err = s.space.split(row)
	return timestamp, value, err == nil, err
}

// All iterates over all rows, in the order in which a handler sees them. An error is the last thing it yields.
func (v *View[K, V]) All() iter.Seq2[Row[K, V], error] { return v.reading.scan(nil, nil) }

// Range is like All from one key to another, both included, in the order of the encoded keys.
func (v *View[K, V]) Range(from, to K) iter.Seq2[Row[K, V], error] {
	return v.reading.scan(&from, &to)
}

// FetchAll iterates over the windows with from ≤ start ≤ to. It is for stores of windows.
func (v *View[K, V]) FetchAll(from, to time.Time) iter.Seq2[Row[K, V], error] {
	return v.reading.fetchAll(from, to)
}

// WindowView is the View of a store declared with NewWindow.
type WindowView[K, V any] struct {
	View[codec.WindowKey[K], V]
	keys codec.Codec[K]
}

// View returns the committed rows of the store in r, a [DB] or a [Snapshot] of one.
func (d *WindowDefinition[K, V]) View(r Reader) (*WindowView[K, V], error) {
	reading, err := d.rows.committed(r, d)
	if err != nil {
		return nil, err
	}
	return &WindowView[K, V]{View[codec.WindowKey[K], V]{reading}, d.keys}, nil
}

// Fetch iterates over the windows of one key with from ≤ start ≤ to, ordered by start.
func (v *WindowView[K, V]) Fetch(key K, from, to time.Time) iter.Seq2[Row[codec.WindowKey[K], V], error] {
	return fetch(v.reading, v.keys, key, from, to)
}

// EncodedRow is a row of a store whose types are unknown: its key as in the changelog, and its encoded value.
type EncodedRow struct {
	Key, Value []byte // not modified by the loop that yields them
	Timestamp  int64  // milliseconds since 1970
}

// Encoded implements Definition.
func (d *KeyValueDefinition[K, V]) Encoded(r Reader) iter.Seq2[EncodedRow, error] {
	return encoded(r, d, d)
}

// Encoded implements Definition.
func (d *WindowDefinition[K, V]) Encoded(r Reader) iter.Seq2[EncodedRow, error] {
	return d.rows.Encoded(r)
}

// encoded implements Definition.Encoded for a store that is declared as rows.
func encoded[K, V any](r Reader, declared Definition, rows *KeyValueDefinition[K, V]) iter.Seq2[EncodedRow, error] {
	return func(yield func(EncodedRow, error) bool) {
		reading, err := rows.committed(r, declared)
		if err == nil {
			err = reading.scanner.encoded(yield)
		}
		if err != nil {
			yield(EncodedRow{}, err)
		}
	}
}

// encoded yields the encoded committed rows that have not expired.
func (s *scanner) encoded(yield func(EncodedRow, error) bool) error {
	return s.space.each(s.from, "scan", func(key, value []byte, timestamp int64) (bool, error) {
		if !s.space.visible(key, s.horizon) {
			return true, nil
		}
		encoded := s.space.layout.appendChangelog([]byte{}, s.space.physical(key))
		return yield(EncodedRow{encoded, append([]byte{}, value...), timestamp}, nil), nil
	})
}
