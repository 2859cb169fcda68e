package topology

import (
	"fmt"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// This file is the part of a stream-stream join that works on bytes and times, so that it is compiled once.

// joinStores are the stores of a join. A self-join has no right one, an inner join no unmatched one.
type joinStores struct {
	left, right *state.JoinWindowDefinition
	unmatched   *state.UnmatchedDefinition
}

// joinStoreNames returns the names of the stores, as Kafka Streams derives them from that of the join.
func joinStoreNames(name string, needs sides) (left, right, unmatched string) {
	left, right, unmatched = "-this-join-store", "-other-join-store", "-left-shared-join-store"
	if !needs.right {
		right = "-outer-other-join-store"
	}
	if !needs.left {
		left, unmatched = "-outer-this-join-store", "-outer-shared-join-store"
	}
	return name + left, name + right, name + unmatched
}

func (s *joinStores) attach(b *Builder, n *plan.Node) {
	if !legalName.MatchString(n.Name) { // already reported
		return
	}
	b.attach(n, s.left, "")
	if s.right != nil {
		b.attach(n, s.right, "")
	}
	if s.unmatched != nil {
		b.attach(n, s.unmatched, "")
	}
}

// addStreamJoin adds the node of a join. It reports mistakes that do not depend on types.
func (b *Builder) addStreamJoin(kind, name string, interval Interval, given bool, left, right plan.Input, self bool) *plan.Node {
	inputs := []plan.Input{left, right}
	if self {
		inputs = inputs[:1]
	}
	n := b.add(kind, name, inputs...)
	b.checkName(n.Where, "join", name)
	b.needs(n, given)
	if err := interval.check(); err != nil {
		b.mistake(n.Where, "%v", err)
	}
	b.timed[n], b.copartition[n] = true, true
	return n
}

// streamJoin joins the records of one task.
type streamJoin struct {
	host        plan.Host
	node        *plan.Node
	clock       *state.Clock
	unmatched   *state.Unmatched // nil for an inner join
	unpaired    func(onLeft bool, key, value []byte, timestamp int64) error
	left, right joinInput
	self        bool
	grace       int64

	key, value []byte // the record that is being joined, encoded
	timestamp  int64
}

// joinInput is one input of a join. Times are in ms.
type joinInput struct {
	isLeft        bool
	outer         bool              // a record without a partner has a result, too
	rows          *state.JoinWindow // the records of this input
	other         *joinInput
	before, after int64 // how much earlier and later a partner may be

	pair  func(other []byte, timestamp int64) error // emits the result of the record and a partner
	alone func(timestamp int64) error               // emits the result of the record without a partner
	late  func() error                              // passes a late record on; nil: it is dropped
	meet  func(other []byte, timestamp int64) error
}

func newStreamJoin(l *plan.Linker, n *plan.Node, stores joinStores, needs sides, interval Interval) *streamJoin {
	j := &streamJoin{host: l.Host, node: n, clock: l.Host.Clock(n.Clock), grace: interval.grace.Milliseconds(), self: stores.right == nil}
	before, after := interval.before.Milliseconds(), interval.after.Milliseconds()
	j.left = joinInput{isLeft: true, outer: !needs.right, rows: stores.left.In(l.Host), other: &j.right, before: before, after: after}
	j.right = joinInput{outer: !needs.left, rows: j.left.rows, other: &j.left, before: after, after: before}
	if !j.self {
		j.right.rows = stores.right.In(l.Host)
	}
	if stores.unmatched != nil {
		j.unmatched = stores.unmatched.In(l.Host)
	}
	for _, in := range []*joinInput{&j.left, &j.right} {
		in.meet = func(other []byte, timestamp int64) error {
			if in.other.outer {
				if err := j.unmatched.Remove(in.other.isLeft, j.key, timestamp); err != nil {
					return err
				}
			}
			return in.pair(other, max(timestamp, j.timestamp))
		}
	}
	return j
}

// process joins the record that was encoded last, as Kafka Streams does: results of records that have waited long
// enough for a partner leave first, then those of this record; then it is stored.
func (j *streamJoin) process(in *joinInput, timestamp int64, noKey, tombstone bool) error {
	now := j.clock.Advance(timestamp)
	switch {
	case noKey && in.outer && !tombstone: // KIP-962
		return in.alone(timestamp)
	case noKey:
		j.host.Drop(j.node, plan.NoKey)
		return nil
	case tombstone:
		j.host.Drop(j.node, plan.Tombstone)
		return nil
	}
	if j.unmatched != nil && timestamp == now {
		open := now - j.grace
		if err := j.unmatched.TakeBefore(open-j.left.after, open-j.right.after, j.unpaired); err != nil {
			return err
		}
	}
	j.timestamp = timestamp
	if err := j.match(in, now); err != nil {
		return err
	}
	added, err := in.rows.Add(j.key, j.value, timestamp)
	if err != nil {
		return err
	}
	switch {
	case added:
	case in.late == nil:
		j.host.Drop(j.node, plan.Late)
	default:
		if err := in.late(); err != nil {
			return err
		}
	}
	if j.self {
		return j.match(in.other, now) // where the record meets itself
	}
	return nil
}

// match emits the results of the record, given the time of the join.
func (j *streamJoin) match(in *joinInput, now int64) error {
	found, err := in.other.rows.Fetch(j.key, j.timestamp-in.before, j.timestamp+in.after, in.meet)
	switch {
	case err != nil || found || !in.outer:
		return err
	case j.timestamp+in.after < now: // as in Kafka Streams, without the grace: it may still meet a late partner
		return in.alone(j.timestamp)
	}
	return j.unmatched.Add(in.isLeft, j.key, j.value, j.timestamp)
}

// encodeJoined encodes the record to join.
func encodeJoined[K, V any](j *streamJoin, keys codec.Codec[K], values codec.Codec[V], r *processor.Record[K, V]) (err error) {
	if r.NoKey || r.Tombstone {
		return nil
	}
	if j.key, err = keys.Append(j.key[:0], r.Key); err != nil {
		return fmt.Errorf("%s: encode key: %w", j.node.Label(), err)
	}
	if j.value, err = values.Append(j.value[:0], r.Value); err != nil {
		return fmt.Errorf("%s: encode value: %w", j.node.Label(), err)
	}
	return nil
}

// decodeJoined decodes a stored key or value.
func decodeJoined[T any](c codec.Codec[T], data []byte) (T, error) {
	v, err := c.Decode(data)
	if err != nil {
		return v, &state.Error{Err: fmt.Errorf("decode a joined record: %w", err)}
	}
	return v, nil
}
