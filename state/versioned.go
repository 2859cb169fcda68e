package state

import (
	"encoding/binary"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/rio-streams/rio/codec"
)

// VersionedDefinition declares a store of the values that each key had within a time: Kafka Streams' versioned key-value
// store (KIP-889).
type VersionedDefinition[K, V any] struct {
	last    *KeyValueDefinition[K, V] // the latest versions
	history time.Duration
}

// NewVersioned declares a store of the values that each key had within history, in the time of the records in the store.
// The latest value of a key is kept for ever.
func NewVersioned[K, V any](name string, key codec.Codec[K], value codec.Codec[V], history time.Duration) *VersionedDefinition[K, V] {
	return &VersionedDefinition[K, V]{NewKeyValue(name, key, value), history}
}

// Name implements Definition.
func (d *VersionedDefinition[K, V]) Name() string { return d.last.name }

// Retention implements Definition: the latest values do not expire.
func (d *VersionedDefinition[K, V]) Retention() time.Duration { return 0 }

// History returns for how long the store keeps earlier values. Compaction of the changelog must spare records for twice
// as long. Once is not enough: a late record that comes just before the end of the history follows, in the changelog,
// newer ones that are needed for as long again, and compaction would keep it in place of those.
func (d *VersionedDefinition[K, V]) History() time.Duration { return d.history }

// String implements Definition.
func (d *VersionedDefinition[K, V]) String() string {
	return fmt.Sprintf("versioned %v, %v → %v", d.history, d.last.keys, d.last.values)
}

// Format implements Definition.
func (d *VersionedDefinition[K, V]) Format() string {
	if d.last.keys == nil || d.last.values == nil {
		return d.String() // Open rejects it
	}
	return fmt.Sprintf("versioned %s → %s", codec.Format(d.last.keys), codec.Format(d.last.values))
}

// Open implements Definition.
func (d *VersionedDefinition[K, V]) Open(db DB, prefix []byte, opts Options) (Store, error) {
	err := d.last.check()
	if d.history < time.Millisecond || d.history%time.Millisecond != 0 {
		err = errors.Join(err, fmt.Errorf("state: store %q keeps versions for %v: it must be whole milliseconds, at least one", d.Name(), d.history))
	}
	if err != nil {
		return nil, err
	}
	return d.open(db, prefix, opts), nil
}

func (d *VersionedDefinition[K, V]) open(db DB, prefix []byte, opts Options) *versions {
	bytes := &KeyValueDefinition[[]byte, []byte]{name: d.Name(), keys: codec.Bytes, values: codec.Bytes}
	return newVersions(bytes.open(db, prefix, opts), d.history.Milliseconds())
}

// Encoded implements Definition: it yields the latest versions.
func (d *VersionedDefinition[K, V]) Encoded(r Reader) iter.Seq2[EncodedRow, error] {
	return func(yield func(EncodedRow, error) bool) {
		reading, err := d.committed(r)
		if err == nil {
			err = reading.scanner.encoded(yield)
		}
		if err != nil {
			yield(EncodedRow{}, err)
		}
	}
}

// View returns the latest committed versions in r, a [DB] or a [Snapshot] of one.
func (d *VersionedDefinition[K, V]) View(r Reader) (*View[K, V], error) {
	reading, err := d.committed(r)
	if err != nil {
		return nil, err
	}
	return &View[K, V]{reading}, nil
}

// committed returns the latest committed versions.
func (d *VersionedDefinition[K, V]) committed(r Reader) (*reading[K, V], error) {
	if err := d.last.check(); err != nil {
		return nil, err
	}
	id, err := findStore(r, d)
	if err != nil {
		return nil, err
	}
	rows := d.last.rows(append(binary.BigEndian.AppendUint16(nil, id), latestRow))
	return &reading[K, V]{&rows, scanner{space: &rows.space, from: r, horizon: never}}, nil
}

// In returns the handle of the store that a task opened, like KeyValueDefinition.In.
func (d *VersionedDefinition[K, V]) In(s Stores) *Versioned[K, V] {
	store, err := s.Store(d.Name())
	v, ok := store.(*versions)
	if err == nil && !ok {
		err = fmt.Errorf("state: store %q is not a %s: another declaration has the same name", d.Name(), d)
	}
	if err != nil {
		s.Fail(err)
		v = d.open(NewMemory(), nil, Options{})
	}
	rows := d.last.rows(append(append([]byte(nil), v.prefix...), latestRow))
	rows.sealing = true // those in memory are encoded
	return &Versioned[K, V]{versions: v, rows: rows}
}

// Versioned is a task's handle of a versioned store. A version is valid from its timestamp until that of the next one;
// records may come in any order. Only the task's goroutine may use it. Timestamps are in milliseconds since 1970.
type Versioned[K, V any] struct {
	versions   *versions
	rows       rows[K, V] // the latest versions
	key, value []byte
}

// VersionChange describes a write to a versioned store.
type VersionChange[V any] struct {
	Change[V]      // from the latest value before to the written one
	Written   bool // false if the version is older than the history: it was left out
	Latest    bool // whether the written version is the latest of its key
}

// Get returns the latest value of key, and whether there is one.
func (s *Versioned[K, V]) Get(key K) (V, bool, error) {
	v, _, found, err := s.GetWithTime(key)
	return v, found, err
}

// GetWithTime is like Get with the timestamp of the value.
func (s *Versioned[K, V]) GetWithTime(key K) (value V, timestamp int64, found bool, err error) {
	if err = s.encodeKey(key); err != nil {
		return value, 0, false, err
	}
	last, err := s.versions.latest(s.key)
	if err != nil || !last.known || last.deleted {
		return value, 0, false, err
	}
	value, err = s.rows.decode(last.value)
	return value, last.timestamp, err == nil, err
}

// GetAsOf returns the value that was valid at a time, with its own timestamp, and whether there was one. If the time is
// before the history, only the latest value is found, if it is not newer.
func (s *Versioned[K, V]) GetAsOf(key K, at int64) (value V, timestamp int64, found bool, err error) {
	if err = s.encodeKey(key); err != nil {
		return value, 0, false, err
	}
	encoded, timestamp, found, err := s.versions.asOf(s.key, at)
	if err != nil || !found {
		return value, 0, false, err
	}
	value, err = s.rows.decode(encoded)
	return value, timestamp, err == nil, err
}

// Put writes the value that key has from the timestamp on, until that of its next version. A version with the same
// timestamp is replaced. One that is older than the history is left out.
func (s *Versioned[K, V]) Put(key K, value V, timestamp int64) (VersionChange[V], error) {
	var err error
	if s.value, err = s.rows.values.Append(s.value[:0], value); err != nil {
		return VersionChange[V]{}, s.versions.wrap("encode value", err)
	}
	return s.put(key, Change[V]{New: value, Has: true, Timestamp: timestamp})
}

// Delete records that key has no value from the timestamp on. It is a version like others.
func (s *Versioned[K, V]) Delete(key K, timestamp int64) (VersionChange[V], error) {
	return s.put(key, Change[V]{Timestamp: timestamp})
}

func (s *Versioned[K, V]) put(key K, c Change[V]) (VersionChange[V], error) {
	if err := s.encodeKey(key); err != nil {
		return VersionChange[V]{}, err
	}
	before, written, isLatest, err := s.versions.put(s.key, s.value, !c.Has, c.Timestamp)
	if err != nil {
		return VersionChange[V]{}, err
	}
	if c.Had = before.known && !before.deleted; c.Had {
		c.OldTimestamp = before.timestamp
		c.Old, err = s.rows.decode(before.value)
	}
	return VersionChange[V]{c, written, isLatest}, err
}

func (s *Versioned[K, V]) encodeKey(key K) (err error) {
	if s.key, err = s.rows.keys.Append(s.key[:0], key); err != nil {
		return s.versions.wrap("encode key", err)
	}
	return nil
}

// All iterates over the latest values in the order of their encoded keys, as KeyValue.All does.
func (s *Versioned[K, V]) All() iter.Seq2[Row[K, V], error] { return s.reading().scan(nil, nil) }

// Range is like All from one key to another, both included, in the order of the encoded keys.
func (s *Versioned[K, V]) Range(from, to K) iter.Seq2[Row[K, V], error] {
	return s.reading().scan(&from, &to)
}

func (s *Versioned[K, V]) reading() *reading[K, V] {
	return &reading[K, V]{&s.rows, scanner{space: &s.rows.space, from: s.versions.db, over: &s.versions.cache, horizon: never}}
}
