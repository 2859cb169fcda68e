package state

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
)

// yieldFunc is the body of a loop over rows.
type yieldFunc[K, V any] = func(Row[K, V], error) bool

// scan iterates over the rows from one key to another, both included; nil is no bound.
func (s *core[K, V]) scan(from, to *K) iter.Seq2[Row[K, V], error] {
	return func(yield func(Row[K, V], error) bool) {
		lower, upper, err := s.bounds(from, to)
		if err != nil {
			yield(Row[K, V]{}, err)
			return
		}
		s.merge(lower, upper, nil, yield)
	}
}

// bounds encodes the ends of a range: lower included, upper not.
func (s *core[K, V]) bounds(from, to *K) (lower, upper []byte, err error) {
	lower, upper = slices.Clone(s.prefix), after(s.prefix)
	if from != nil {
		if lower, err = s.appendPhysical(lower, *from); err != nil {
			return nil, nil, s.wrap("encode key", err)
		}
	}
	if to != nil {
		if upper, err = s.appendPhysical(slices.Clone(s.prefix), *to); err != nil {
			return nil, nil, s.wrap("encode key", err)
		}
		upper = append(upper, 0)
	}
	return lower, upper, nil
}

// fetchAll iterates over the windows that start from one time to another, both included.
func (s *core[K, V]) fetchAll(from, to time.Time) iter.Seq2[Row[K, V], error] {
	return func(yield func(Row[K, V], error) bool) {
		if !s.layout.windowed {
			yield(Row[K, V]{}, s.wrap("fetch", errNoWindows))
			return
		}
		first, last := s.starts(from, to)
		if first > last {
			return
		}
		lower := appendTime(slices.Clone(s.prefix), s.layout.lead(first))
		upper := after(appendTime(slices.Clone(s.prefix), s.layout.lead(last)))
		s.merge(lower, upper, func(physical []byte) bool {
			start := s.layout.start(physical)
			return first <= start && start <= last
		}, yield)
	}
}

// starts turns a span of time, both ends included, into the window starts in it that are not expired.
func (s *core[K, V]) starts(from, to time.Time) (first, last int64) {
	return max(ceilMillis(from), s.horizon()), floorMillis(to)
}

// floorMillis is the last whole millisecond that is not after t, as far as 64 bits can tell.
func floorMillis(t time.Time) int64 {
	if sec := t.Unix(); sec > math.MaxInt64/1000-1 {
		return math.MaxInt64
	} else if sec < math.MinInt64/1000+1 {
		return math.MinInt64
	}
	return t.UnixMilli()
}

// ceilMillis is the first whole millisecond that is not before t.
func ceilMillis(t time.Time) int64 {
	ms := floorMillis(t)
	if t.Nanosecond()%int(time.Millisecond) != 0 && ms < math.MaxInt64 {
		ms++
	}
	return ms
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

// merge yields the committed rows of a range, overlaid with those that are not yet committed. Of the rows it drops those that are
// expired, and those that the filter refuses.
func (s *core[K, V]) merge(lower, upper []byte, filter func(physical []byte) bool, yield yieldFunc[K, V]) {
	if upper != nil && bytes.Compare(lower, upper) >= 0 {
		return
	}
	m := merged[V]{overlay: s.uncommitted(nil, lower, upper)}
	rows, err := s.db.Iter(lower, upper)
	if err != nil {
		yield(Row[K, V]{}, s.broken("scan", err))
		return
	}
	defer rows.Close() // reads only
	m.rows, m.more = rows, rows.First()
	for m.next() {
		ok, err := s.show(&m, filter, yield)
		if err != nil {
			yield(Row[K, V]{}, err)
		}
		if err != nil || !ok {
			return
		}
	}
	if err := rows.Error(); err != nil {
		yield(Row[K, V]{}, s.broken("scan", err))
	}
}

// show passes the row under a merge to the loop's body, unless it is one that must not be seen.
func (s *core[K, V]) show(m *merged[V], filter func(physical []byte) bool, yield yieldFunc[K, V]) (bool, error) {
	physical := m.key[len(s.prefix):]
	if err := s.layout.check(physical); err != nil {
		return false, s.broken("scan", err)
	}
	if !s.visible(m.key) || filter != nil && !filter(physical) {
		return true, nil
	}
	c := m.content
	if m.row != nil {
		var err error
		if c, err = s.read(m.row); err != nil {
			return false, err
		}
	}
	if !c.has {
		return true, nil
	}
	key, err := s.keys.Decode(s.layout.appendEncoded(nil, physical))
	if err != nil {
		return false, s.broken("decode key", err)
	}
	value, err := s.open(c)
	if err != nil {
		return false, err
	}
	return yield(Row[K, V]{key, value, c.timestamp}, nil), nil
}

// merged walks over committed rows and uncommitted contents in the order of their keys. Where both have a key, the latter count.
type merged[V any] struct {
	rows    Iterator
	more    bool // rows stands on one
	passed  bool // the row under rows was shown or overlaid
	overlay []pending[V]

	key []byte
	row []byte // nil: content counts
	content[V]
}

// within tells whether the next row, if there is one, comes before a key.
func (m *merged[V]) within(upper []byte) bool {
	if len(m.overlay) > 0 && m.overlay[0].key < string(upper) {
		return true
	}
	if m.passed {
		m.more, m.passed = m.rows.Next(), false
	}
	return m.more && bytes.Compare(m.rows.Key(), upper) < 0
}

// next moves to the next row.
func (m *merged[V]) next() bool {
	if m.passed {
		m.more, m.passed = m.rows.Next(), false
	}
	order := 1 // of the overlay's key against the database's
	switch {
	case !m.more && len(m.overlay) == 0:
		return false
	case !m.more:
		order = -1
	case len(m.overlay) > 0:
		order = strings.Compare(m.overlay[0].key, string(m.rows.Key()))
	}
	m.passed = order >= 0
	if order > 0 {
		m.key, m.row = m.rows.Key(), m.rows.Value()
		return true
	}
	m.key, m.row, m.content = append([]byte(nil), m.overlay[0].key...), nil, m.overlay[0].content
	m.overlay = m.overlay[1:]
	return true
}
