package topology

import (
	"encoding/binary"
	"fmt"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Distinct passes the first record of each id of a key, and drops the others, counted as "duplicate": those with a
// timestamp from before to after that of the first. "First" is by the order of processing. After the interval the id
// may pass again.
//
//	once := topology.Distinct(payments, "seen-payments", Payment.ID, topology.Within(10*time.Minute))
//
// The ids are kept in the store name. A record is late, and dropped, if it is older than before + after + grace, in the
// time of the records that reach the step; an id is remembered for that long and after again. So of two records of one
// id that lie within the interval, never do both pass. Records without a key or a value are dropped and counted.
//
// The ids are encoded with the codec of EncodeAs, or else with codec.For.
func Distinct[K, V, I any](s *Stream[K, V], name string, id func(V) I, interval Interval) *Stream[K, V] {
	n := s.b.addDistinct(name, interval, id != nil, s.output())
	s.needsKey(n)
	var keys codec.Codec[K]
	var ids codec.Codec[I]
	var def *state.JoinWindowDefinition
	s.b.deferStep(func() {
		keys, ids = s.key.codecFor(s.b, n, ofKeys), new(form[I]).codecFor(s.b, n, ofIDs)
		def = state.NewSeen(name, keys, ids, interval.size(), interval.memory())
		if legalName.MatchString(name) { // otherwise already reported
			s.b.attach(n, def, "")
		}
	})
	n.Build = func(l *plan.Linker) []any {
		next := plan.StreamOutput[K, V](l, n)
		d := newDistinct(l, n, def, interval)
		var key, row []byte // reused from record to record
		return []any{plan.Stream[K, V](func(r *processor.Record[K, V]) (err error) {
			if !d.takes(r.NoKey, r.Tombstone) {
				return nil
			}
			l.Enter(n)
			if key, err = keys.Append(key[:0], r.Key); err != nil {
				return fmt.Errorf("%s: encode key: %w", n.Label(), err)
			}
			row = append(binary.AppendUvarint(row[:0], uint64(len(key))), key...)
			if row, err = ids.Append(row, id(r.Value)); err != nil {
				return fmt.Errorf("%s: encode id: %w", n.Label(), err)
			}
			first, err := d.first(row, r.Timestamp)
			if err != nil || !first {
				return err
			}
			return next(r)
		})}
	}
	return after[V](s, &settings{node: n}, 0)
}

// addDistinct adds the node of a Distinct. It reports mistakes that do not depend on types.
func (b *Builder) addDistinct(name string, interval Interval, given bool, input plan.Input) *plan.Node {
	n := b.add("distinct", name, input)
	b.checkName(n.Where, "Distinct", name)
	b.needs(n, given)
	switch err := interval.check(); {
	case err != nil:
		b.mistake(n.Where, "%v", err)
	case interval.before < 0 || interval.after < 0:
		b.mistake(n.Where, "Distinct with an interval %v: a record at the time of the first would not be a duplicate", interval)
	}
	b.timed[n], b.copartition[n] = true, true
	return n
}

// distinct is the part of the step that has no type parameters. Times are in ms.
type distinct struct {
	host          plan.Host
	node          *plan.Node
	clock         *state.Clock
	seen          *state.JoinWindow
	before, after int64
	late          int64 // a record that is older is late
}

func newDistinct(l *plan.Linker, n *plan.Node, def *state.JoinWindowDefinition, interval Interval) *distinct {
	return &distinct{
		host: l.Host, node: n, clock: l.Host.Clock(n.Clock), seen: def.In(l.Host),
		before: interval.before.Milliseconds(), after: interval.after.Milliseconds(), late: interval.retention().Milliseconds(),
	}
}

// takes reports whether a record has a key and a value. It counts the others.
func (d *distinct) takes(noKey, tombstone bool) bool {
	switch {
	case noKey:
		d.host.Drop(d.node, plan.NoKey)
	case tombstone:
		d.host.Drop(d.node, plan.Tombstone)
	}
	return !noKey && !tombstone
}

// first reports whether the record with a key and an id is the first one, and remembers it. It counts the others.
func (d *distinct) first(row []byte, timestamp int64) (bool, error) {
	if timestamp < d.clock.Advance(timestamp)-d.late {
		d.host.Drop(d.node, plan.Late)
		return false, nil
	}
	duplicate, err := d.seen.Fetch(row, timestamp-d.after, timestamp+d.before, func([]byte, int64) error { return nil })
	if err != nil {
		return false, err
	}
	if duplicate {
		d.host.Drop(d.node, plan.Duplicate)
		return false, nil
	}
	_, err = d.seen.Add(row, []byte{}, timestamp)
	return true, err
}
