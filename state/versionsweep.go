package state

import (
	"bytes"
	"math"
	"slices"
	"time"
)

// sweepRows is how many rows of a versioned store an Expire looks at. It runs with every commit.
const sweepRows = 64

// Expire implements Store. It deletes versions that no read can find: earlier ones that were replaced before the
// history, and deletions before it. They are not adjacent, so each call looks at a few rows.
func (v *versions) Expire(b Batch) {
	horizon := v.since()
	if horizon <= 0 {
		return
	}
	if v.swept == nil {
		if v.horizon != never && horizon-v.horizon < max(v.history/8, time.Second.Milliseconds()) {
			return
		}
		v.horizon, v.swept = horizon, append(slices.Clone(v.prefix), earlierRow)
	}
	rows, err := v.db.Iter(v.swept, after(v.prefix))
	if err != nil {
		return // the next read of the store reports it
	}
	defer rows.Close()
	var newer []byte // the key of the version before, which is the next one in time
	var replaced int64
	more := rows.First()
	for n := 0; more; more = rows.Next() {
		physical := v.physical(rows.Key())
		timestamp, _, err := v.split(rows.Value())
		if err != nil || physical[0] == earlierRow && len(physical) < 1+timeSize {
			return
		}
		if n++; n > sweepRows {
			break
		}
		if physical[0] == deletedRow {
			if timestamp < horizon && !v.uncommitted(rows.Key()) && !v.hasEarlier(physical[1:]) {
				b.Delete(rows.Key())
			}
			continue
		}
		key := physical[1 : len(physical)-timeSize]
		if !bytes.Equal(key, newer) || newer == nil {
			newer = append(make([]byte, 0, len(key)+1), key...)
			if replaced, err = v.replacedAt(key); err != nil {
				return
			}
		}
		if replaced <= horizon && !v.uncommitted(rows.Key()) {
			b.Delete(rows.Key())
		}
		replaced = timestamp
	}
	v.swept = nil
	if more {
		v.swept = slices.Clone(rows.Key())
	}
}

// replacedAt returns the time of the latest version of a key. A sweep that begins among the versions of a key takes it
// for that of the next one; then it may keep a version that the next sweep deletes.
func (v *versions) replacedAt(key []byte) (int64, error) {
	last, err := v.latest(key)
	return last.timestamp, err
}

// hasEarlier reports whether a key has earlier versions, which are only known to have ended while the deletion is there.
func (v *versions) hasEarlier(key []byte) bool {
	found := false
	err := v.earlier(key, math.MaxInt64, func(int64, []byte) bool {
		found = true
		return false
	})
	return found || err != nil
}

// uncommitted reports whether a row has a change that is not in the database.
func (v *versions) uncommitted(key []byte) bool {
	e := v.entries[string(key)]
	return e != nil && (e.dirty || e.flushing)
}
