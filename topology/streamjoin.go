package topology

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// JoinStreams combines each pair of records of two streams that have the same key and whose timestamps are within the
// interval, as soon as the second one arrives. The result has the later timestamp and the headers of the second record.
// Both streams need the same key and the same number of partitions.
//
// The records of both sides are kept in stores called after name, as long as a record can arrive that meets them; a
// record that comes too late to be kept is counted as dropped, but meets those that are there. The time is the greatest
// timestamp of the records of both sides. Records without a key or a value are dropped and counted. A join of a stream
// with itself needs one store only; each record meets itself.
func JoinStreams[K, V, W, R any](left *Stream[K, V], right *Stream[K, W], name string, interval Interval, combine func(V, W) R) *Stream[K, R] {
	return joinStreams(left, right, "join-streams", sides{left: true, right: true}, name, interval, combine != nil, func(v V, _ bool, w W, _ bool) R { return combine(v, w) })
}

// LeftJoinStreams is like JoinStreams, and has a result for each record on the left without a partner on the right; ok
// reports whether there is one. The result without a partner leaves when the time has passed the end of the interval
// and the grace; if a record comes after its interval, at once. It has the record's own timestamp, and the headers of
// the record that brought the time. A record on the left without a key has a result at once.
func LeftJoinStreams[K, V, W, R any](left *Stream[K, V], right *Stream[K, W], name string, interval Interval, combine func(v V, w W, ok bool) R) *Stream[K, R] {
	return joinStreams(left, right, "left-join-streams", sides{left: true}, name, interval, combine != nil, func(v V, _ bool, w W, ok bool) R { return combine(v, w, ok) })
}

// OuterJoinStreams is like LeftJoinStreams for both sides; hasV and hasW report which of the records exist.
func OuterJoinStreams[K, V, W, R any](left *Stream[K, V], right *Stream[K, W], name string, interval Interval, combine func(v V, hasV bool, w W, hasW bool) R) *Stream[K, R] {
	return joinStreams(left, right, "outer-join-streams", sides{}, name, interval, combine != nil, combine)
}

func joinStreams[K, V, W, R any](left *Stream[K, V], right *Stream[K, W], kind string, needs sides, name string, interval Interval, given bool, combine func(V, bool, W, bool) R) *Stream[K, R] {
	b := left.b
	if right.b != b {
		b.mistake(callSite(), "the two streams of the %s come from two builders: read both with one", kind)
		right = &Stream[K, W]{b: b, node: b.add(kind, ""), key: new(form[K]), value: new(form[W])}
	}
	self := needs.left && needs.right && left.node == right.node && left.port == right.port
	n := b.addStreamJoin(kind, name, interval, given, left.output(), right.output(), self)
	left.needsKey(n)
	right.needsKey(n)
	t := &typedJoin[K, V, W, R]{combine: combine}
	var stores joinStores
	b.deferStep(func() {
		if l, r := left.key.name(b, n), right.key.name(b, n); l != r {
			b.mistake(n.Where, "the two sides of the join are not co-partitioned: the keys on the left are %s and on the right %s; use one codec", l, r)
		}
		t.keys, t.lefts, t.rights = left.key.codecFor(b, n, ofKeys), left.value.codecFor(b, n, ofValues), right.value.codecFor(b, n, ofValues)
		this, other, unmatched := joinStoreNames(name, needs)
		stores.left = state.NewJoinWindow(this, t.keys, t.lefts, interval.size(), interval.retention())
		if !self {
			stores.right = state.NewJoinWindow(other, t.keys, t.rights, interval.size(), interval.retention())
		}
		if needs != (sides{left: true, right: true}) {
			stores.unmatched = state.NewUnmatched(unmatched, t.keys, t.lefts, t.rights)
		}
		stores.attach(b, n)
	})
	n.Build = func(l *plan.Linker) []any {
		t := *t // of this task
		t.next, t.enter = plan.StreamOutput[K, R](l, n), func() { l.Enter(n) }
		j := newStreamJoin(l, n, stores, needs, interval)
		j.unpaired = t.unpaired
		j.left.pair, j.left.alone = t.leftPair, t.leftAlone
		j.right.pair, j.right.alone = t.rightPair, t.rightAlone
		var onLeft *processor.Record[K, V] // the current records
		var onRight *processor.Record[K, W]
		if late := latePort[K, V](l, n, 0); late != nil {
			j.left.late = func() error { return late(onLeft) }
		}
		if late := latePort[K, W](l, n, 1); late != nil {
			j.right.late = func() error { return late(onRight) }
		}
		fromLeft := func(r *processor.Record[K, V]) (err error) {
			onLeft = r
			t.key, t.left, t.out.Headers, t.out.NoKey = r.Key, r.Value, r.Headers, r.NoKey
			if err = encodeJoined(j, t.keys, t.lefts, r); err == nil && self && !r.NoKey && !r.Tombstone {
				t.right, err = decodeJoined(t.rights, j.value)
			}
			if err != nil {
				return err
			}
			return j.process(&j.left, r.Timestamp, r.NoKey, r.Tombstone)
		}
		fromRight := func(r *processor.Record[K, W]) error {
			onRight = r
			t.key, t.right, t.out.Headers, t.out.NoKey = r.Key, r.Value, r.Headers, r.NoKey
			if err := encodeJoined(j, t.keys, t.rights, r); err != nil {
				return err
			}
			return j.process(&j.right, r.Timestamp, r.NoKey, r.Tombstone)
		}
		return []any{plan.Stream[K, V](fromLeft), plan.Stream[K, W](fromRight)}
	}
	joined := after[R](left, &settings{node: n}, 0)
	joined.window = joined.window.unclosed()
	return joined
}

// typedJoin is the part of a join that knows the types of the records.
type typedJoin[K, V, W, R any] struct {
	keys    codec.Codec[K]
	lefts   codec.Codec[V]
	rights  codec.Codec[W]
	combine func(V, bool, W, bool) R
	enter   func()
	next    plan.Stream[K, R]

	// The record that is being joined, and its results.
	key   K
	left  V
	right W
	out   processor.Record[K, R]
}

func (t *typedJoin[K, V, W, R]) emit(key K, v V, hasV bool, w W, hasW bool, timestamp int64) error {
	t.enter()
	t.out.Key, t.out.Value, t.out.Timestamp = key, t.combine(v, hasV, w, hasW), timestamp
	return t.next(&t.out)
}

func (t *typedJoin[K, V, W, R]) leftPair(other []byte, timestamp int64) error {
	w, err := decodeJoined(t.rights, other)
	if err != nil {
		return err
	}
	return t.emit(t.key, t.left, true, w, true, timestamp)
}

func (t *typedJoin[K, V, W, R]) rightPair(other []byte, timestamp int64) error {
	v, err := decodeJoined(t.lefts, other)
	if err != nil {
		return err
	}
	return t.emit(t.key, v, true, t.right, true, timestamp)
}

func (t *typedJoin[K, V, W, R]) leftAlone(timestamp int64) error {
	return t.emit(t.key, t.left, true, *new(W), false, timestamp)
}

func (t *typedJoin[K, V, W, R]) rightAlone(timestamp int64) error {
	return t.emit(t.key, *new(V), false, t.right, true, timestamp)
}

// unpaired emits the result of a record that was kept until no partner could come.
func (t *typedJoin[K, V, W, R]) unpaired(onLeft bool, key, value []byte, timestamp int64) error {
	k, err := decodeJoined(t.keys, key)
	if err != nil {
		return err
	}
	if onLeft {
		v, err := decodeJoined(t.lefts, value)
		if err != nil {
			return err
		}
		return t.emit(k, v, true, *new(W), false, timestamp)
	}
	w, err := decodeJoined(t.rights, value)
	if err != nil {
		return err
	}
	return t.emit(k, *new(V), false, w, true, timestamp)
}
