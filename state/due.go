package state

import (
	"encoding/binary"
	"fmt"
	"math"
)

// Due visits the windows of a store in the order of their times: windows by start and then by key, sessions by end, start
// and then by key. The rows that it visits include uncommitted ones.
//
// A store that orders its rows by start is scanned. Other stores order them by key within time ranges; then Due keeps the
// keys of the range that comes next in memory, in their order in time, so that each range is scanned once.
type Due struct {
	scanner  scanner
	store    *base
	soon     *index // time and key of the windows from at to until; nil if they must be read
	at       int64  // the time up to which windows have been visited
	until    int64
	key, row []byte
}

// NewDue returns the windows of a store of windows or sessions that a task opened.
func NewDue(store Store) (*Due, error) {
	b, ok := store.(*base)
	if !ok || b.layout.kind != byStart && b.layout.kind != byKey && b.layout.kind != bySession {
		return nil, fmt.Errorf("state: store %q: %w", store.Name(), errNotWindowed)
	}
	return &Due{store: b}, nil
}

// Take calls visit for the windows with from ≤ time < to, in ms, given their encoded keys, which are valid during the
// call. The time of a window is its start, that of a session its end. from should be the last to; otherwise, as after a
// record was rolled back, the store is read again.
func (d *Due) Take(from, to int64, visit func(key []byte) error) error {
	if d.store.layout.kind == byStart {
		return d.scan(from, to-1, visit)
	}
	if d.soon == nil || d.at != from {
		d.soon, d.until = newIndex(), from
	}
	soon := d.soon
	d.soon = nil // unless all of this succeeds
	if to > d.until {
		end := d.store.layout.lead(to - 1)
		end = min(end, math.MaxInt64-d.store.layout.bucket) + d.store.layout.bucket
		err := d.scan(d.until, end-1, func(key []byte) error {
			soon.add(d.inOrder(key))
			return nil
		})
		if err != nil {
			return err
		}
		d.until = end
	}
	for {
		first, some := soon.first()
		if !some || timeInOrder(first) >= to {
			break
		}
		soon.remove(first)
		split := d.store.layout.suffix()
		d.key = append(append(d.key[:0], first[split:]...), first[:split]...)
		if err := visit(d.key); err != nil {
			return err
		}
	}
	d.soon, d.at = soon, to
	return nil
}

// Wants reports whether Due must know of a window with this time that was written.
func (d *Due) Wants(time int64) bool { return d.soon != nil && d.at <= time && time < d.until }

// Add adds a window that was written. It does nothing unless Due wants it.
func (d *Due) Add(key []byte) {
	if order := d.inOrder(key); d.soon != nil && d.Wants(timeInOrder(order)) {
		d.soon.add(order)
	}
}

// inOrder returns an encoded key with its times in front, so that it sorts by them.
func (d *Due) inOrder(key []byte) string {
	split := len(key) - d.store.layout.suffix()
	d.row = append(append(d.row[:0], key[split:]...), key[:split]...)
	return string(d.row)
}

func timeInOrder(order string) int64 {
	return int64(binary.BigEndian.Uint64([]byte(order[:timeSize])))
}

// scan visits the windows from one time to another, both included, as the store orders them.
func (d *Due) scan(first, last int64, visit func(key []byte) error) error {
	s := &d.scanner
	*s = scanner{space: d.store.space, from: d.store.db, over: &d.store.cache, horizon: d.store.horizon(d.store.time())}
	first = max(first, s.horizon)
	if first > last {
		return nil
	}
	lower, upper, within := s.between(first, last)
	m := s.merge(lower, upper)
	defer m.close()
	for m.next(within) {
		d.key = s.space.layout.appendEncoded(d.key[:0], s.space.physical(m.key))
		if err := visit(d.key); err != nil {
			return err
		}
	}
	return m.err
}
