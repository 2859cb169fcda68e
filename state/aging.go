package state

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Aging visits the rows of a store in the order of their timestamps, and then of their keys. It keeps the keys of the rows
// that come next in memory, so that the store is scanned once for each span of time.
type Aging struct {
	scanner   scanner
	store     *base
	span      int64  // ms that a scan looks ahead
	soon      *index // timestamp and key of the rows before until; nil if they must be read. Some may have changed since.
	at, until int64  // at is the time up to which rows have been visited
	row       []byte
}

// NewAging returns the rows of a store of one value per key that a task opened. span is how far a scan looks ahead, in
// ms: a longer one needs fewer scans and more memory.
func NewAging(store Store, span int64) (*Aging, error) {
	b, ok := store.(*base)
	if !ok || b.layout.kind != plain {
		return nil, fmt.Errorf("state: store %q does not have one value per key", store.Name())
	}
	return &Aging{store: b, span: max(span, 1)}, nil
}

// Take calls visit for the rows with timestamps before to, given their encoded keys and their timestamps. Rows that were
// deleted, or that have another timestamp now, may be among them. from should be the last to; otherwise, as after a record
// was rolled back, the store is read again.
func (a *Aging) Take(from, to int64, visit func(key []byte, timestamp int64) error) error {
	if a.soon == nil || a.at != from {
		a.soon, a.until = newIndex(), math.MinInt64
	}
	soon := a.soon
	a.soon = nil // unless all of this succeeds
	if to > a.until {
		until := to + a.span
		if err := a.scan(a.until, until, soon); err != nil {
			return err
		}
		a.until = until
	}
	for {
		first, some := soon.first()
		if !some || timeInOrder(first) >= to {
			break
		}
		soon.remove(first)
		if err := visit([]byte(first[timeSize:]), timeInOrder(first)); err != nil {
			return err
		}
	}
	a.soon, a.at = soon, to
	return nil
}

// scan adds the rows with from ≤ timestamp < to.
func (a *Aging) scan(from, to int64, soon *index) error {
	s := &a.scanner
	*s = scanner{space: a.store.space, from: a.store.db, over: &a.store.cache, horizon: never}
	m := s.merge(a.store.prefix, after(a.store.prefix))
	defer m.close()
	for m.next(nil) {
		if from <= m.timestamp && m.timestamp < to {
			soon.add(a.order(s.space.physical(m.key), m.timestamp))
		}
	}
	return m.err
}

// Wants reports whether Aging must know of a row that was written with this timestamp.
func (a *Aging) Wants(timestamp int64) bool { return a.soon != nil && timestamp < a.until }

// Add adds a row that was written. key is its encoded key.
func (a *Aging) Add(key []byte, timestamp int64) {
	if a.Wants(timestamp) {
		a.soon.add(a.order(key, timestamp))
	}
}

// order returns a key with its timestamp in front, so that it sorts by it.
func (a *Aging) order(key []byte, timestamp int64) string {
	a.row = append(binary.BigEndian.AppendUint64(a.row[:0], uint64(timestamp)), key...)
	return string(a.row)
}
