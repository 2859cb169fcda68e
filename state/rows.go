package state

import (
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/rio-streams/rio/codec"
)

// rows is where the rows of a store lie in a database and what their bytes mean. A row is
//
//	| prefix | physical key … |  →  | timestamp: ms since 1970, 8 bytes BE | value … |
//
// which is Kafka Streams' timestamped format. The changelog has the value alone; the timestamp is that of its record. It has no
// state, so that a store and the views of it share one.
type rows[K, V any] struct {
	name    string
	prefix  []byte
	layout  layout
	keys    codec.Codec[K]
	values  codec.Codec[V]
	sealing bool // in memory, values are kept encoded: see content

	// retention is how long the row of a window is kept after the start of the window, in ms. Since all windows of a store are
	// of one size, that is the same as so long after its end.
	retention int64
}

const timestampSize = 8

// appendKey appends the key of k in the database.
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

// decodeKey reads a key of the database.
func (s *rows[K, V]) decodeKey(key []byte) (K, error) {
	k, err := s.keys.Decode(s.layout.appendEncoded(nil, key[len(s.prefix):]))
	if err != nil {
		return k, s.broken("decode key", err)
	}
	return k, nil
}

// split takes a row apart.
func (s *rows[K, V]) split(row []byte) (timestamp int64, value []byte, err error) {
	if len(row) < timestampSize {
		return 0, nil, s.broken("read", fmt.Errorf("a row has at least 8 bytes, got %d: %w", len(row), ErrDamaged))
	}
	return int64(binary.BigEndian.Uint64(row)), row[timestampSize:], nil
}

// decode reads an encoded value.
func (s *rows[K, V]) decode(value []byte) (V, error) {
	v, err := s.values.Decode(value)
	if err != nil {
		return v, s.broken("decode value", err)
	}
	return v, nil
}

// open makes the value of a content, with which the caller may do anything.
func (s *rows[K, V]) open(c content[V]) (V, error) {
	if !s.sealing || !c.has {
		return c.value, nil
	}
	return s.decode(c.sealed)
}

// horizon is the first start of a window that is not expired at a time of the store. A timestamp of 0 is none: nothing expires by it.
func (s *rows[K, V]) horizon(time int64) int64 {
	if time <= 0 {
		return never
	}
	return time - s.retention
}

// visible tells whether a key of the database is not that of an expired window.
func (s *rows[K, V]) visible(key []byte, horizon int64) bool {
	return horizon == never || s.layout.start(key[len(s.prefix):]) >= horizon
}

// bounds encodes the ends of a range: lower included, upper not.
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

// after is the first key behind all that start with prefix; nil if there is none.
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

// each visits the committed rows of the store in from, expired ones too, until visit returns false or an error. Key and
// value are good during the visit.
func (s *rows[K, V]) each(from Reader, doing string, visit func(key, value []byte, timestamp int64) (more bool, err error)) error {
	rows, err := from.Iter(s.prefix, after(s.prefix))
	if err != nil {
		return s.broken(doing, err)
	}
	defer rows.Close() // reads only
	for more := rows.First(); more; more = rows.Next() {
		if err := s.layout.check(rows.Key()[len(s.prefix):]); err != nil {
			return s.broken(doing, err)
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
		return s.broken(doing, err)
	}
	return nil
}

// wrap names the store and what it was doing.
func (s *rows[K, V]) wrap(doing string, err error) error {
	return fmt.Errorf("state: store %q: %s: %w", s.name, doing, err)
}

// broken is wrap for what is wrong with the store itself, whatever the record.
func (s *rows[K, V]) broken(doing string, err error) error {
	return &Error{Store: s.name, Err: s.wrap(doing, err)}
}
