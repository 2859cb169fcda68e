package state

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/rio-streams/rio/codec"
)

// rows describes where the rows of a store lie in a database and how they are encoded. A row is
//
//	| prefix | physical key … |  →  | timestamp: ms since 1970, 8 bytes BE | value … |
//
// which is Kafka Streams' timestamped format. The changelog has the value alone; the timestamp is that of its record.
// rows has no mutable state, so a store and its views share one.
type rows[K, V any] struct {
	name    string
	prefix  []byte
	layout  layout
	keys    codec.Codec[K]
	values  codec.Codec[V]
	sealing bool // values are kept encoded in memory, see content

	// retention is how long the row of a window is kept after the start of the window, in ms. All windows of a store
	// have the same size, so this is equivalent to a time after their end.
	retention int64
}

const timestampSize = 8

// appendKey appends the database key of k.
func (s *rows[K, V]) appendKey(dst []byte, k K) ([]byte, error) {
	key, err := s.appendPhysical(append(dst, s.prefix...), k)
	if err != nil {
		return key, s.wrap("encode key", err)
	}
	return key, nil
}

// appendPhysical appends the physical form of k, without the prefix.
func (s *rows[K, V]) appendPhysical(dst []byte, k K) ([]byte, error) {
	if s.layout.kind == plain {
		return s.keys.Append(dst, k)
	}
	head := len(dst)
	dst, err := s.keys.Append(appendTime(dst, 0), k)
	if err != nil {
		return dst, err
	}
	return s.layout.arrange(dst, head)
}

// decodeKey decodes a database key.
func (s *rows[K, V]) decodeKey(key []byte) (K, error) {
	k, err := s.keys.Decode(s.layout.appendEncoded(nil, key[len(s.prefix):]))
	if err != nil {
		return k, s.storeError("decode key", err)
	}
	return k, nil
}

// split splits a row into timestamp and value.
func (s *rows[K, V]) split(row []byte) (timestamp int64, value []byte, err error) {
	if len(row) < timestampSize {
		return 0, nil, s.storeError("read", fmt.Errorf("a row has at least 8 bytes, got %d: %w", len(row), ErrDamaged))
	}
	return int64(binary.BigEndian.Uint64(row)), row[timestampSize:], nil
}

// decode decodes a value.
func (s *rows[K, V]) decode(value []byte) (V, error) {
	v, err := s.values.Decode(value)
	if err != nil {
		return v, s.storeError("decode value", err)
	}
	return v, nil
}

// open returns the value of a content. The caller may modify it.
func (s *rows[K, V]) open(c content[V]) (V, error) {
	if !s.sealing || !c.has {
		return c.value, nil
	}
	return s.decode(c.sealed)
}

// horizon returns the earliest start of a window that has not expired at a time of the store. A timestamp of 0 means no
// time: nothing has expired.
func (s *rows[K, V]) horizon(time int64) int64 {
	if time <= 0 {
		return never
	}
	return time - s.retention
}

// visible reports whether a database key is not that of an expired window.
func (s *rows[K, V]) visible(key []byte, horizon int64) bool {
	return horizon == never || s.layout.start(key[len(s.prefix):]) >= horizon
}

// bounds encodes the ends of a range: lower inclusive, upper exclusive.
func (s *rows[K, V]) bounds(from, to *K) (lower, upper []byte, err error) {
	lower, upper = slices.Clone(s.prefix), after(s.prefix)
	if from != nil {
		if lower, err = s.appendKey(nil, *from); err != nil {
			return nil, nil, err
		}
	}
	if to != nil {
		if upper, err = s.appendKey(nil, *to); err != nil {
			return nil, nil, err
		}
		upper = append(upper, 0)
	}
	return lower, upper, nil
}

// after returns the first key after all keys that start with prefix; nil if there is none.
func after(prefix []byte) []byte {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] < 0xff {
			next := slices.Clone(prefix[:i+1])
			next[i]++
			return next
		}
	}
	return nil
}

// each calls visit for the committed rows of the store in from, including expired ones, until visit returns false or an
// error. Key and value are only valid during the call.
func (s *rows[K, V]) each(from Reader, doing string, visit func(key, value []byte, timestamp int64) (more bool, err error)) error {
	rows, err := from.Iter(s.prefix, after(s.prefix))
	if err != nil {
		return s.storeError(doing, err)
	}
	defer rows.Close() // read-only
	for more := rows.First(); more; more = rows.Next() {
		if err := s.layout.check(rows.Key()[len(s.prefix):]); err != nil {
			return s.storeError(doing, err)
		}
		timestamp, value, err := s.split(rows.Value())
		if err != nil {
			return err
		}
		if more, err := visit(rows.Key(), value, timestamp); !more || err != nil {
			return err
		}
	}
	if err := rows.Error(); err != nil {
		return s.storeError(doing, err)
	}
	return nil
}

// wrap adds to an error the name of the store and the operation.
func (s *rows[K, V]) wrap(doing string, err error) error {
	return fmt.Errorf("state: store %q: %s: %w", s.name, doing, err)
}

// storeError is wrap for an error of the store itself, which is not the record's fault.
func (s *rows[K, V]) storeError(doing string, err error) error {
	return &Error{Store: s.name, Err: s.wrap(doing, err)}
}
