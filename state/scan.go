package state

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"strings"
)

// scan iterates over the rows from one key to another, both included; nil is no bound.
func (s *core[K, V]) scan(from, to *K) iter.Seq2[Row[K, V], error] {
	return func(yield func(Row[K, V], error) bool) {
		lower, upper, err := s.bounds(from, to)
		if err != nil {
			yield(Row[K, V]{}, err)
			return
		}
		s.merge(lower, upper, yield)
	}
}

// bounds encodes the ends of a range: lower included, upper not.
func (s *core[K, V]) bounds(from, to *K) (lower, upper []byte, err error) {
	lower = slices.Clone(s.prefix)
	if from != nil {
		if lower, err = s.appendPhysical(lower, *from); err != nil {
			return nil, nil, s.wrap("encode key", err)
		}
	}
	if s.retention > 0 && s.horizon > math.MinInt64 {
		if first := appendStart(slices.Clone(s.prefix), s.horizon); bytes.Compare(lower, first) < 0 {
			lower = first
		}
	}
	if to == nil {
		return lower, after(s.prefix), nil
	}
	if upper, err = s.appendPhysical(slices.Clone(s.prefix), *to); err != nil {
		return nil, nil, s.wrap("encode key", err)
	}
	return lower, append(upper, 0), nil
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

// pending is an uncommitted entry as it was when a scan began.
type pending[V any] struct {
	key string
	content[V]
}

// merge yields the committed rows of a range, overlaid with those that are not yet committed.
func (s *core[K, V]) merge(lower, upper []byte, yield func(Row[K, V], error) bool) {
	fail := func(err error) { yield(Row[K, V]{}, s.wrap("scan", err)) }
	if upper != nil && bytes.Compare(lower, upper) >= 0 {
		return
	}
	overlay := s.pending(lower, upper)
	rows, err := s.db.Iter(lower, upper)
	if err != nil {
		fail(err)
		return
	}
	defer rows.Close()

	more := rows.First()
	for more || len(overlay) > 0 {
		order := -1 // the overlay's key against the database's
		switch {
		case len(overlay) == 0:
			order = 1
		case more:
			order = strings.Compare(overlay[0].key, string(rows.Key()))
		}
		var key []byte
		var c content[V]
		if order <= 0 {
			key, c = []byte(overlay[0].key), overlay[0].content
			overlay = overlay[1:]
		} else {
			key = rows.Key()
			if c, err = s.decode(rows.Value()); err != nil {
				yield(Row[K, V]{}, err)
				return
			}
		}
		if c.has && !s.yieldRow(key, c, yield) {
			return
		}
		if order >= 0 {
			more = rows.Next()
		}
	}
	if err := rows.Error(); err != nil {
		fail(err)
	}
}

// yieldRow decodes a physical key and passes the row on.
func (s *core[K, V]) yieldRow(physical []byte, c content[V], yield func(Row[K, V], error) bool) bool {
	key, err := s.keys.Decode(s.layout.appendEncoded(nil, physical[len(s.prefix):]))
	if err != nil {
		yield(Row[K, V]{}, s.wrap("decode key", err))
		return false
	}
	return yield(Row[K, V]{key, c.value, c.timestamp}, nil)
}

// pending returns the uncommitted entries of a range in order.
func (s *core[K, V]) pending(lower, upper []byte) []pending[V] {
	var found []pending[V]
	add := func(list []*entry[V], skip bool) {
		for _, e := range list {
			if e.key >= string(lower) && (upper == nil || e.key < string(upper)) && !(skip && e.dirty) && (e.dirty || e.flushing) {
				found = append(found, pending[V]{e.key, e.content})
			}
		}
	}
	add(s.dirty, false)
	add(s.flushed, true)
	slices.SortFunc(found, func(a, b pending[V]) int { return strings.Compare(a.key, b.key) })
	return slices.CompactFunc(found, func(a, b pending[V]) bool { return a.key == b.key })
}
