package state

import (
	"bytes"
	"iter"
	"math"
	"slices"
	"strings"
	"time"
)

// reading is a consistent view of a store: the rows of a Reader, overlaid with uncommitted changes.
type reading[K, V any] struct {
	*rows[K, V]
	from    Reader
	over    overlay[V] // nil for committed rows only
	horizon int64      // the earliest start of a window that has not expired
}

// overlay holds the uncommitted changes of a store. A cache is one.
type overlay[V any] interface {
	// uncommitted appends the contents of a range of keys, in key order.
	uncommitted(dst []pending[V], lower, upper []byte) []pending[V]

	// first returns the first key at or after from.
	first(from []byte) (key string, found bool)
}

// pending returns the uncommitted contents in a range of keys.
func (s reading[K, V]) pending(lower, upper []byte) []pending[V] {
	if s.over == nil {
		return nil
	}
	return s.over.uncommitted(nil, lower, upper)
}

// yieldFunc is the body of a loop over rows.
type yieldFunc[K, V any] = func(Row[K, V], error) bool

// scan iterates over the rows from one key to another, both included; nil means no bound.
func (s reading[K, V]) scan(from, to *K) iter.Seq2[Row[K, V], error] {
	return func(yield func(Row[K, V], error) bool) {
		lower, upper, err := s.bounds(from, to)
		if err != nil {
			yield(Row[K, V]{}, err)
			return
		}
		s.merge(lower, upper, nil, yield)
	}
}

// fetchAll iterates over the windows that start between two times, both included.
func (s reading[K, V]) fetchAll(from, to time.Time) iter.Seq2[Row[K, V], error] {
	return func(yield func(Row[K, V], error) bool) {
		if s.layout.kind == plain {
			yield(Row[K, V]{}, s.wrap("fetch", errNotWindowed))
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

// starts returns the first and last window start between two times, both included, that have not expired.
func (s reading[K, V]) starts(from, to time.Time) (first, last int64) {
	return max(ceilMillis(from), s.horizon), floorMillis(to)
}

// floorMillis returns the last whole millisecond that is not after t, within the range of int64.
func floorMillis(t time.Time) int64 {
	if sec := t.Unix(); sec > math.MaxInt64/1000-1 {
		return math.MaxInt64
	} else if sec < math.MinInt64/1000+1 {
		return math.MinInt64
	}
	return t.UnixMilli()
}

// ceilMillis returns the first whole millisecond that is not before t.
func ceilMillis(t time.Time) int64 {
	ms := floorMillis(t)
	if t.Nanosecond()%int(time.Millisecond) != 0 && ms < math.MaxInt64 {
		ms++
	}
	return ms
}

// merge yields the committed rows of a range, overlaid with uncommitted ones. It skips expired rows, and rows for which
// filter returns false.
func (s reading[K, V]) merge(lower, upper []byte, filter func(physical []byte) bool, yield yieldFunc[K, V]) {
	if upper != nil && bytes.Compare(lower, upper) >= 0 {
		return
	}
	m := merged[V]{overlay: s.pending(lower, upper)}
	rows, err := s.from.Iter(lower, upper)
	if err != nil {
		yield(Row[K, V]{}, s.storeError("scan", err))
		return
	}
	defer rows.Close() // read-only
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
		yield(Row[K, V]{}, s.storeError("scan", err))
	}
}

// show passes the current row of a merge to the loop body, unless it has expired or is filtered out.
func (s reading[K, V]) show(m *merged[V], filter func(physical []byte) bool, yield yieldFunc[K, V]) (bool, error) {
	physical := m.key[len(s.prefix):]
	if err := s.layout.check(physical); err != nil {
		return false, s.storeError("scan", err)
	}
	if !s.visible(m.key, s.horizon) || filter != nil && !filter(physical) {
		return true, nil
	}
	row, has, err := s.current(m)
	if !has || err != nil {
		return err == nil, err
	}
	if row.Key, err = s.decodeKey(m.key); err != nil {
		return false, err
	}
	return yield(row, nil), nil
}

// current returns the current row of a merge, without its key, if it exists.
func (s reading[K, V]) current(m *merged[V]) (row Row[K, V], has bool, err error) {
	if m.row == nil {
		row.Timestamp = m.timestamp
		row.Value, err = s.open(m.content)
		return row, m.has, err
	}
	var value []byte
	if row.Timestamp, value, err = s.split(m.row); err != nil {
		return row, false, err
	}
	row.Value, err = s.decode(value)
	return row, true, err
}

// merged iterates over committed rows and uncommitted contents in key order. If both have a key, the uncommitted
// content wins.
type merged[V any] struct {
	rows    Iterator
	more    bool // rows is at a row
	passed  bool // the current row of rows was shown or overlaid
	overlay []pending[V]

	key []byte
	row []byte // nil if content applies
	content[V]
}

// within reports whether the next row, if there is one, comes before a key.
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
	order := 1 // compares the overlay's key with the database's
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
