package state

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"slices"
	"strings"
)

// versions implements Store: all values that keys had within a time. It is the part of a versioned store that does not
// depend on its types. A version is valid from its timestamp until that of the next one; a deletion is a version, too.
// After the prefix of the store, the keys of its rows are
//
//	| 0 | key … |                                  the latest version, if it has a value
//	| 2 | key … |                                  the latest version, if it is a deletion
//	| 1 | key … | ^timestamp, 8 bytes BE |         an earlier version; its value begins with 1, or is 0 for a deletion
//
// so that the earlier versions of a key are adjacent, the newest first. The changelog has one record per version, with
// the version's key, value and timestamp, as in Kafka Streams. After late versions of a key, its latest is written
// again, because compaction keeps the last record of a key.
type versions struct {
	*base
	core    *core[[]byte, []byte]
	clock   *Clock // the greatest timestamp written
	history int64  // ms

	at      []byte // the key of the row that is looked up or written
	row     []byte
	written []version // since the last Flush; some may have been undone

	restoring Batch             // that of the last Restore
	restored  map[string]latest // the keys in it

	swept   []byte // where the next Expire begins, nil if a sweep has ended
	horizon int64  // of the last sweep
}

// version is a version of a key that was written.
type version struct {
	key       string // physical, of the latest version
	timestamp int64
}

// latest is the latest version of a key.
type latest struct {
	known, deleted bool
	timestamp      int64
	value          []byte
}

const (
	latestRow  = 0
	earlierRow = 1
	deletedRow = 2
)

var errDamagedVersion = errors.Join(errors.New("a row is not that of a version"), ErrDamaged)

func newVersions(c *core[[]byte, []byte], history int64) *versions {
	return &versions{base: &c.base, core: c, clock: newClock(c.base.name), history: history, horizon: never}
}

// Clock implements Store.
func (v *versions) Clock() *Clock { return v.clock }

// since returns the earliest time as of which the store can be read.
func (v *versions) since() int64 {
	if v.clock.now < math.MinInt64+v.history {
		return math.MinInt64
	}
	return v.clock.now - v.history
}

// locate makes a row that of the core.
func (v *versions) locate(kind byte, key []byte, timestamp int64) error {
	v.at = append(append(v.at[:0], kind), key...)
	if kind == earlierRow {
		v.at = binary.BigEndian.AppendUint64(v.at, ^uint64(timestamp))
	}
	_, err := v.core.locateToWrite(v.at, timestamp)
	return err
}

// latest returns the latest version of a key. The value must not be modified.
func (v *versions) latest(key []byte) (latest, error) {
	for _, kind := range []byte{latestRow, deletedRow} {
		if err := v.locate(kind, key, 0); err != nil {
			return latest{}, err
		}
		c, err := v.core.find()
		if err != nil || c.entry.has {
			return latest{known: true, deleted: kind == deletedRow, timestamp: c.entry.timestamp, value: c.entry.sealed}, err
		}
	}
	return latest{}, nil
}

// asOf returns the version of a key that was valid at a time, if it has a value. The latest version never expires. The
// value must not be modified.
func (v *versions) asOf(key []byte, at int64) (value []byte, timestamp int64, found bool, err error) {
	last, err := v.latest(key)
	switch {
	case err != nil || !last.known:
		return nil, 0, false, err
	case last.timestamp <= at:
		return last.value, last.timestamp, !last.deleted, nil
	case at < v.since() || at < 0:
		return nil, 0, false, nil
	}
	err = v.earlier(key, at, func(t int64, row []byte) bool {
		value, timestamp, found = row[1:], t, row[0] != 0
		return false
	})
	return value, timestamp, found, err
}

// earlier calls visit for the earlier versions of a key from a time on, the newest first, until it returns false.
func (v *versions) earlier(key []byte, from int64, visit func(timestamp int64, row []byte) bool) error {
	s := scanner{space: v.space, from: v.db, over: &v.cache, horizon: never}
	lower := append(append(slices.Clone(v.prefix), earlierRow), key...)
	upper := append(slices.Clone(lower), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0)
	lower = binary.BigEndian.AppendUint64(lower, ^uint64(from))
	m := s.merge(lower, upper)
	defer m.close()
	for m.next(func(physical []byte) bool { return len(physical) == 1+len(key)+timeSize }) {
		if len(m.value) == 0 {
			return v.storeError("read", errDamagedVersion)
		}
		if !visit(m.timestamp, slices.Clone(m.value)) {
			break
		}
	}
	return m.err
}

// put writes a version, and reports whether it was written, which it is not if it is older than the history, and whether
// it is the latest of its key.
func (v *versions) put(key, value []byte, deleted bool, timestamp int64) (before latest, written, isLatest bool, err error) {
	if before, err = v.latest(key); err != nil {
		return before, false, false, err
	}
	if err := v.checkTime(timestamp); err != nil || timestamp < v.since() {
		return before, false, false, err
	}
	v.clock.Advance(timestamp)
	if !before.known || timestamp >= before.timestamp {
		isLatest = true
		err = v.replaceLatest(key, before, latest{true, deleted, timestamp, append([]byte{}, value...)})
	} else {
		err = v.write(earlierRow, key, timestamp, earlierValue(deleted, value))
	}
	v.at = append(append(v.at[:0], latestRow), key...)
	v.written = append(v.written, version{string(v.at), timestamp})
	return before, err == nil, isLatest, err
}

// replaceLatest writes the latest version of a key. The one before becomes an earlier one, unless it has the same time.
func (v *versions) replaceLatest(key []byte, before, now latest) error {
	if before.known && before.timestamp < now.timestamp {
		if err := v.write(earlierRow, key, before.timestamp, earlierValue(before.deleted, before.value)); err != nil {
			return err
		}
	}
	kind, other := byte(latestRow), byte(deletedRow)
	if now.deleted {
		kind, other = deletedRow, latestRow
	}
	if err := v.write(kind, key, now.timestamp, now.value); err != nil || !before.known || before.deleted == now.deleted {
		return err
	}
	return v.write(other, key, now.timestamp, nil)
}

// write writes a row, or deletes it if the value is nil. The store keeps the value.
func (v *versions) write(kind byte, key []byte, timestamp int64, value []byte) error {
	if err := v.locate(kind, key, timestamp); err != nil {
		return err
	}
	return v.core.put(v.at, nil, content{sealed: value, timestamp: timestamp, has: value != nil})
}

func earlierValue(deleted bool, value []byte) []byte {
	if deleted {
		return []byte{0}
	}
	return append([]byte{1}, value...)
}

// Flush implements Store.
func (v *versions) Flush(b Batch, log LogFunc) error {
	if err := v.base.Flush(b, func([]byte, []byte, int64) error { return nil }); err != nil {
		return err
	}
	slices.SortFunc(v.written, func(a, b version) int {
		return cmp.Or(strings.Compare(a.key, b.key), cmp.Compare(a.timestamp, b.timestamp))
	})
	written := slices.Compact(v.written)
	for i, w := range written {
		last := i+1 == len(written) || written[i+1].key != w.key
		if err := v.logVersion([]byte(w.key[1:]), w.timestamp, last, log); err != nil {
			return err
		}
	}
	v.written = v.written[:0]
	return nil
}

// logVersion writes a version to the changelog, unless it was undone; if it is the last one of its key, followed by the
// latest version of the key.
func (v *versions) logVersion(key []byte, timestamp int64, last bool, log LogFunc) error {
	now, err := v.latest(key)
	if err != nil || !now.known {
		return err
	}
	if timestamp < now.timestamp {
		if err := v.locate(earlierRow, key, timestamp); err != nil {
			return err
		}
		c, err := v.core.find()
		if err != nil {
			return err
		}
		if c.entry.has {
			if err := log(key, valueOf(c.entry.sealed), timestamp); err != nil {
				return err
			}
		}
	}
	if timestamp < now.timestamp && !last {
		return nil
	}
	if now.deleted {
		return log(key, nil, now.timestamp)
	}
	return log(key, now.value, now.timestamp)
}

// valueOf returns the value of the row of an earlier version; nil for a deletion.
func valueOf(row []byte) []byte {
	if len(row) == 0 || row[0] == 0 {
		return nil
	}
	return row[1:]
}

// Restore implements Store. The batch is not readable, so the store remembers the latest versions in it.
func (v *versions) Restore(b Batch, key, value []byte, timestamp int64) error {
	if b != v.restoring {
		v.restoring, v.restored = b, map[string]latest{}
	}
	before, ok := v.restored[string(key)]
	if !ok {
		var err error
		if before, err = v.latest(key); err != nil {
			return err
		}
	}
	now := latest{true, value == nil, timestamp, slices.Clone(value)}
	if before.known && timestamp < before.timestamp {
		v.setRow(b, earlierRow, key, timestamp, earlierValue(now.deleted, value))
		return nil
	}
	if before.known && before.timestamp < timestamp {
		v.setRow(b, earlierRow, key, before.timestamp, earlierValue(before.deleted, before.value))
	}
	kind, other := byte(latestRow), byte(deletedRow)
	if now.deleted {
		kind, other = deletedRow, latestRow
	}
	v.setRow(b, kind, key, timestamp, value)
	b.Delete(v.physicalKey(other, key, timestamp))
	v.restored[string(key)] = now
	return nil
}

// setRow writes a row into a batch.
func (v *versions) setRow(b Batch, kind byte, key []byte, timestamp int64, value []byte) {
	v.row = append(binary.BigEndian.AppendUint64(v.row[:0], uint64(timestamp)), value...)
	b.Set(v.physicalKey(kind, key, timestamp), v.row)
}

// physicalKey returns the database key of a row. A clean row in memory is no longer valid.
func (v *versions) physicalKey(kind byte, key []byte, timestamp int64) []byte {
	v.at = append(append(append(v.at[:0], v.prefix...), kind), key...)
	if kind == earlierRow {
		v.at = binary.BigEndian.AppendUint64(v.at, ^uint64(timestamp))
	}
	if e := v.entries[string(v.at)]; e != nil && !e.dirty && !e.flushing {
		v.evict(e)
	}
	return v.at
}

// Dump implements Store. The versions of a key are in the order of time, the latest after all earlier ones of all keys.
func (v *versions) Dump(log LogFunc) error {
	var versions []EncodedRow // earlier ones of one key
	dumpKey := func() error {
		for _, row := range slices.Backward(versions) {
			if err := log(row.Key, row.Value, row.Timestamp); err != nil {
				return err
			}
		}
		versions = versions[:0]
		return nil
	}
	for _, kind := range []byte{earlierRow, latestRow, deletedRow} {
		err := v.each(v.db, "dump", func(key, row []byte, timestamp int64) (bool, error) {
			physical := v.physical(key)
			switch {
			case len(physical) == 0 || physical[0] != kind:
				return true, nil
			case kind == latestRow:
				return true, log(physical[1:], row, timestamp)
			case kind == deletedRow:
				return true, log(physical[1:], nil, timestamp)
			case len(physical) < 1+timeSize:
				return false, v.storeError("dump", errDamagedVersion)
			}
			key = slices.Clone(physical[1 : len(physical)-timeSize])
			if len(versions) > 0 && !bytes.Equal(versions[0].Key, key) {
				if err := dumpKey(); err != nil {
					return false, err
				}
			}
			versions = append(versions, EncodedRow{key, slices.Clone(valueOf(row)), timestamp})
			return true, nil
		})
		if err = errors.Join(err, dumpKey()); err != nil {
			return err
		}
	}
	return nil
}
