package state

import (
	"slices"

	"github.com/rio-streams/rio/codec"
)

// rows encodes and decodes the rows in a space.
type rows[K, V any] struct {
	space   space
	keys    codec.Codec[K]
	values  codec.Codec[V]
	sealing bool // values are kept encoded in memory, see content
}

// appendKey appends the database key of k.
func (s *rows[K, V]) appendKey(dst []byte, k K) ([]byte, error) {
	head := len(dst)
	dst, err := s.keys.Append(s.space.begin(dst), k)
	return s.space.finish(dst, head, err)
}

// decodeKey decodes a database key.
func (s *rows[K, V]) decodeKey(key []byte) (K, error) {
	k, err := s.keys.Decode(s.space.layout.appendEncoded(nil, s.space.physical(key)))
	if err != nil {
		return k, s.space.storeError("decode key", err)
	}
	return k, nil
}

// decode decodes a value.
func (s *rows[K, V]) decode(value []byte) (V, error) {
	v, err := s.values.Decode(value)
	if err != nil {
		return v, s.space.storeError("decode value", err)
	}
	return v, nil
}

// bounds encodes the ends of a range: lower inclusive, upper exclusive. Nil means no bound.
func (s *rows[K, V]) bounds(from, to *K) (lower, upper []byte, err error) {
	lower, upper = slices.Clone(s.space.prefix), after(s.space.prefix)
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
