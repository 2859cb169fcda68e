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
	rows    *rows[K, V]
	scanner scanner
}

// scanner is the part of a reading that does not depend on its types.
type scanner struct {
	space   *space
	from    Reader
	over    *cache // the uncommitted changes; nil for committed rows only
	horizon int64  // the earliest time of a window that has not expired
}

// yieldFunc is the body of a loop over rows.
type yieldFunc[K, V any] = func(Row[K, V], error) bool

// scan iterates over the rows from one key to another, both included; nil means no bound.
func (s *reading[K, V]) scan(from, to *K) iter.Seq2[Row[K, V], error] {
	return func(yield func(Row[K, V], error) bool) {
		lower, upper, err := s.rows.bounds(from, to)
		if err != nil {
			yield(Row[K, V]{}, err)
			return
		}
		s.each(lower, upper, nil, yield)
	}
}

// fetchAll iterates over the windows that start, or the sessions that end, between two times, both included.
func (s *reading[K, V]) fetchAll(from, to time.Time) iter.Seq2[Row[K, V], error] {
	return func(yield func(Row[K, V], error) bool) {
		if s.scanner.space.layout.kind == plain {
			yield(Row[K, V]{}, s.scanner.space.wrap("fetch", errNotWindowed))
			return
		}
		first, last := s.scanner.times(from, to)
		if first > last {
			return
		}
		lower, upper, within := s.scanner.between(first, last)
		s.each(lower, upper, within, yield)
	}
}

// between returns the range of the keys of windows whose time is between two times, both included, and a filter for it.
func (s *scanner) between(first, last int64) (lower, upper []byte, within func(physical []byte) bool) {
	layout := s.space.layout
	lower = appendTime(slices.Clone(s.space.prefix), layout.lead(first))
	upper = after(appendTime(slices.Clone(s.space.prefix), layout.lead(last)))
	return lower, upper, func(physical []byte) bool {
		time := layout.time(physical)
		return first <= time && time <= last
	}
}

// times returns the first and last time of a window between two times, both included, that have not expired.
func (s *scanner) times(from, to time.Time) (first, last int64) {
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

// each yields the rows of a range. It skips expired rows, and rows for which filter returns false.
func (s *reading[K, V]) each(lower, upper []byte, filter func(physical []byte) bool, yield yieldFunc[K, V]) {
	m := s.scanner.merge(lower, upper)
	defer m.close()
	values := s.copyValues(&m)
	for m.next(filter) {
		row, err := s.row(&m, values)
		if err != nil {
			yield(Row[K, V]{}, err)
			return
		}
		if !yield(row, nil) {
			return
		}
	}
	if m.err != nil {
		yield(Row[K, V]{}, m.err)
	}
}

// copyValues returns the uncommitted values of a merge as they are now: the body of the loop may change them.
func (s *reading[K, V]) copyValues(m *merged) []V {
	if s.rows.sealing || len(m.overlay) == 0 {
		return nil
	}
	values := make([]V, len(m.overlay))
	for i, p := range m.overlay {
		values[i] = p.entry.cell.(*cell[V]).value
	}
	return values
}

// row returns the current row of a merge, given its uncommitted values; nil stands for those of now.
func (s *reading[K, V]) row(m *merged, values []V) (row Row[K, V], err error) {
	row.Timestamp = m.timestamp
	if m.decoded >= 0 && !s.rows.sealing {
		if values != nil {
			row.Value = values[m.decoded]
		} else {
			row.Value = m.overlay[m.decoded].entry.cell.(*cell[V]).value
		}
	} else if row.Value, err = s.rows.decode(m.value); err != nil {
		return row, err
	}
	row.Key, err = s.rows.decodeKey(m.key)
	return row, err
}

// merged iterates over committed rows and uncommitted contents in key order. If both have a key, the uncommitted
// content wins.
type merged struct {
	scanner *scanner
	rows    Iterator
	more    bool   // rows is at a row
	passed  bool   // the current row of rows was shown or overlaid
	upper   []byte // where to end, if rows go on beyond that; nil otherwise
	overlay []pending
	at      int // the next one of overlay
	err     error

	// The current row.
	key       []byte
	timestamp int64
	value     []byte // encoded; not set for an uncommitted row of a store that is not sealing
	decoded   int    // the index in overlay of an uncommitted row; -1 for a committed one
}

// merge begins to iterate over a range of keys.
func (s *scanner) merge(lower, upper []byte) (m merged) {
	m.scanner = s
	if upper != nil && bytes.Compare(lower, upper) >= 0 {
		return m
	}
	m.overlay = s.pending(lower, upper)
	rows, err := s.from.Iter(lower, upper)
	if err != nil {
		m.err, m.overlay = s.space.storeError("scan", err), nil
		return m
	}
	m.rows, m.more = rows, rows.First()
	return m
}

// pending returns the uncommitted contents in a range of keys.
func (s *scanner) pending(lower, upper []byte) []pending {
	if s.over == nil {
		return nil
	}
	return s.over.uncommitted(nil, lower, upper)
}

func (m *merged) close() {
	if m.rows != nil {
		m.rows.Close() // read-only
	}
}

// next moves to the next row that exists, has not expired, and passes the filter. At the end, and after an error, it
// returns false.
func (m *merged) next(filter func(physical []byte) bool) bool {
	for m.err == nil && m.step() {
		s := m.scanner.space
		physical := s.physical(m.key)
		if err := s.layout.check(physical); err != nil {
			m.err = s.storeError("scan", err)
			return false
		}
		if !s.visible(m.key, m.scanner.horizon) || filter != nil && !filter(physical) {
			continue
		}
		if m.decoded >= 0 {
			p := m.overlay[m.decoded]
			if !p.has {
				continue
			}
			m.timestamp, m.value = p.timestamp, p.sealed
			return true
		}
		m.timestamp, m.value, m.err = s.split(m.rows.Value())
		return m.err == nil
	}
	if m.err == nil && m.rows != nil {
		if err := m.rows.Error(); err != nil {
			m.err = m.scanner.space.storeError("scan", err)
		}
	}
	return false
}

// within reports whether the next row, if there is one, comes before the end.
func (m *merged) within() bool {
	if m.at < len(m.overlay) {
		return true
	}
	m.advance()
	return m.more && (m.upper == nil || bytes.Compare(m.rows.Key(), m.upper) < 0)
}

// advance moves the committed rows past the current one.
func (m *merged) advance() {
	if m.passed {
		m.more, m.passed = m.rows.Next(), false
	}
}

// step moves to the next key.
func (m *merged) step() bool {
	if !m.within() {
		return false
	}
	m.advance()
	order := 1 // compares the overlay's key with the database's
	switch {
	case !m.more:
		order = -1
	case m.at < len(m.overlay):
		order = strings.Compare(m.overlay[m.at].entry.key, string(m.rows.Key()))
	}
	m.passed = order >= 0
	if order > 0 {
		m.key, m.decoded = m.rows.Key(), -1
		return true
	}
	m.key, m.decoded = append([]byte(nil), m.overlay[m.at].entry.key...), m.at
	m.at++
	return true
}
