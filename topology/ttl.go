package topology

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

// TTL sets how long rows live: a row ends when the time of the table, the greatest timestamp of the records that have
// reached it, is more than d after the row's timestamp. Then the row is deleted, and a tombstone leaves, before the record
// that brings the time is processed. Rows end in the order of their timestamps, then of their encoded keys. The tombstone
// has the time at which the row ended, and the changelog gets it, too.
//
// A record that is so late that its row has ended already makes no row: an aggregate drops it as late unless there is a
// row for it, and in other tables it deletes the row of its key.
//
// The rows of windows have a Retention instead. A table from a topic has none: make it with ToTable of a stream.
func (t *Table[K, V]) TTL(d time.Duration) *Table[K, V] {
	why := t.withoutStore()
	switch {
	case why != "":
	case t.windows.windowed():
		why = "the rows of windows expire by Retention"
	case d < time.Millisecond || d%time.Millisecond != 0:
		why = fmt.Sprintf("rows live for whole milliseconds, at least one, not for %v", d)
	}
	if t.b.checkSetting(t.made, "TTL", why) {
		t.made.ttl = d
		where := callSite()
		t.b.timed[t.node] = true
		t.b.deferStep(func() {
			t.keys = t.key.codecFor(t.b, t.node, ofKeys)
			if t.versioned != nil {
				t.b.mistake(where, "TTL on %s: a versioned table keeps its rows for its history", t.made.label())
			}
		})
	}
	return t
}

// lifetimes deletes the rows of a table in one task when they end. Nil stands for a table without TTL.
type lifetimes[K, V any] struct {
	ttl   int64
	time  *plan.Time
	aging *state.Aging
	keys  codec.Codec[K]
	key   []byte // reused
}

// lifetimes returns those of the table, which all its inputs share.
func (t *Table[K, V]) lifetimes(l *plan.Linker, rows *state.KeyValue[K, V], next plan.Table[K, V]) *lifetimes[K, V] {
	if t.made.ttl == 0 {
		return nil
	}
	return l.Shared(t.node, func() any {
		x := &lifetimes[K, V]{ttl: t.made.ttl.Milliseconds(), time: l.Time(t.node), keys: t.keys}
		store, err := l.Host.Store(t.name)
		if err == nil {
			x.aging, err = state.NewAging(store, x.ttl/16)
		}
		if err != nil {
			l.Host.Fail(err)
			return x
		}
		change := new(plan.Change[K, V])
		x.time.Follow(func(before, now int64) error {
			return x.aging.Take(before-x.ttl, now-x.ttl, func(encoded []byte, since int64) error {
				key, err := x.keys.Decode(encoded)
				if err != nil {
					return fmt.Errorf("%s: decode key: %w", t.node.Label(), err)
				}
				_, timestamp, found, err := rows.GetWithTime(key)
				if err != nil || !found || timestamp != since { // it has changed
					return err
				}
				c, err := rows.Remove(key, timestamp+x.ttl)
				if err != nil {
					return err
				}
				*change = plan.Change[K, V]{Key: key, Old: c.Old, Had: true, OldTimestamp: c.OldTimestamp, Timestamp: c.Timestamp}
				return next(change)
			})
		})
		return x
	}).(*lifetimes[K, V])
}

// begin advances the table's time to that of a record, which ends rows. It reports whether a row with the record's
// timestamp would have ended.
func (x *lifetimes[K, V]) begin(timestamp int64) (ended bool, err error) {
	if x == nil {
		return false, nil
	}
	now, err := x.time.Advance(timestamp)
	return timestamp < now-x.ttl, err
}

// wrote remembers when a row that was written will end.
func (x *lifetimes[K, V]) wrote(key K, timestamp int64) (err error) {
	if x == nil || !x.aging.Wants(timestamp) {
		return nil
	}
	if x.key, err = x.keys.Append(x.key[:0], key); err == nil {
		x.aging.Add(x.key, timestamp)
	}
	return err
}

// putting returns the function that sets or deletes a row of a table with TTL and emits the change from the stored row.
func (t *Table[K, V]) putting(l *plan.Linker, rows *state.KeyValue[K, V], x *lifetimes[K, V], next plan.Table[K, V]) func(key K, value V, has bool, timestamp int64) error {
	change := new(plan.Change[K, V])
	return func(key K, value V, has bool, timestamp int64) error {
		ended, err := x.begin(timestamp)
		if err != nil {
			return err
		}
		l.Enter(t.node)
		var c state.Change[V]
		if has && !ended {
			c, err = rows.Replace(key, value, timestamp)
		} else {
			c, err = rows.Remove(key, timestamp)
		}
		if err == nil && c.Has {
			err = x.wrote(key, timestamp)
		}
		if err != nil || !c.Had && !c.Has {
			return err
		}
		*change = plan.Change[K, V]{Key: key, Old: c.Old, New: c.New, Had: c.Had, Has: c.Has, OldTimestamp: c.OldTimestamp, Timestamp: c.Timestamp}
		return next(change)
	}
}
