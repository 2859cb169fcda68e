package topology

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// This file is the part of a foreign-key join that works on bytes, so that it is compiled once.

// encodedRecord is a record of one of the two topics of a foreign-key join.
type encodedRecord = processor.Record[[]byte, []byte]

// subscriber sends the subscriptions of the rows on the left.
type subscriber struct {
	host  plan.Host
	node  *plan.Node
	left  bool // a left join
	again bool // the row is subscribed once more, because the response to an older one was outdated

	// The change of a row.
	hash     hash // of the new row
	key      []byte
	old, now foreignKey

	buffer []byte
}

// foreignKey is an encoded foreign key, which a row may lack.
type foreignKey struct {
	exists bool
	bytes  []byte
}

func (k foreignKey) equal(other foreignKey) bool {
	return k.exists == other.exists && bytes.Equal(k.bytes, other.bytes)
}

// change sends what the right side must know of a change.
func (s *subscriber) change(timestamp int64) {
	moved := s.old.exists && !s.now.equal(s.old)
	switch {
	case s.left:
		if moved {
			s.send(s.old, deleteKeyNoPropagate, timestamp)
		}
		s.send(s.now, propagateNullIfNoRow, timestamp) // a row without a foreign key, too, needs a result
	case moved && !s.now.exists:
		s.send(s.old, deleteKeyAndPropagate, timestamp)
	case moved:
		s.send(s.old, deleteKeyNoPropagate, timestamp)
		s.send(s.now, propagateNullIfNoRow, timestamp)
	case s.now.exists && s.again:
		s.send(s.now, propagateNullIfNoRow, timestamp)
	case s.now.exists:
		s.send(s.now, propagateOnlyIfRow, timestamp)
	}
}

func (s *subscriber) send(to foreignKey, what instruction, timestamp int64) {
	sub := subscription{instruction: what, hash: s.hash, primary: s.key, partition: s.host.Partition()}
	s.buffer = sub.append(s.buffer[:0])
	var key []byte
	if to.exists {
		key = notNull(to.bytes)
	}
	headers, _ := s.host.Inherit()
	s.host.Send(s.node.Writes, key, s.buffer, timestamp, headers)
}

// responder keeps the subscriptions and answers them.
type responder struct {
	host          plan.Host
	node          *plan.Node
	subscriptions *state.Subscriptions
	partitions    int32                                                                     // of the topic of the responses
	row           func(foreign []byte) (row []byte, timestamp int64, found bool, err error) // of the right side

	buffer []byte
}

func newResponder(host plan.Host, n *plan.Node, subscriptions *state.SubscriptionsDefinition) *responder {
	partitions, err := host.Partitions(n.Writes, "")
	if err != nil {
		host.Fail(err)
	}
	return &responder{host: host, node: n, subscriptions: subscriptions.In(host), partitions: partitions}
}

// receive handles a subscription.
func (r *responder) receive(in *encodedRecord) error {
	if in.Tombstone {
		r.host.Drop(r.node, plan.Tombstone)
		return nil
	}
	sub, err := parseSubscription(in.Value)
	if err != nil {
		return fmt.Errorf("%s: subscription: %w", r.node.Label(), err)
	}
	if in.NoKey {
		if sub.instruction != propagateNullIfNoRow {
			r.host.Drop(r.node, plan.NoKey)
			return nil
		}
		return r.respond(&sub, sub.primary, nil, in.Timestamp, in.Headers)
	}
	if sub.instruction == deleteKeyNoPropagate || sub.instruction == deleteKeyAndPropagate {
		err = r.subscriptions.Delete(in.Key, sub.primary, in.Timestamp)
	} else {
		err = r.subscriptions.Put(in.Key, sub.primary, in.Value, in.Timestamp)
	}
	if err != nil || sub.instruction == deleteKeyNoPropagate {
		return err
	}
	row, timestamp, found, err := r.row(in.Key)
	switch {
	case err != nil:
		return err
	case !found && sub.instruction == propagateOnlyIfRow:
		return nil
	case sub.instruction == deleteKeyAndPropagate:
		row = nil
	}
	return r.respond(&sub, sub.primary, row, latest(in.Timestamp, true, timestamp, found), in.Headers)
}

// changed answers all subscriptions to a row that has changed; row is nil if it was deleted.
func (r *responder) changed(foreign, row []byte, timestamp int64) error {
	headers, _ := r.host.Inherit()
	return r.subscriptions.Each(foreign, func(primary, value []byte) error {
		sub, err := parseSubscription(value)
		if err != nil {
			return &state.Error{Store: r.node.Stores[0].Name(), Err: errors.Join(err, state.ErrDamaged)}
		}
		return r.respond(&sub, primary, row, timestamp, headers)
	})
}

func (r *responder) respond(to *subscription, primary, row []byte, timestamp int64, headers []processor.Header) error {
	if to.partition >= r.partitions {
		return fmt.Errorf("%s: a subscription of a row in partition %d, but the topic of the responses has %d partitions", r.node.Label(), to.partition, r.partitions)
	}
	answer := response{to.hash, row}
	r.buffer = answer.append(r.buffer[:0])
	r.host.SendTo(r.node.Writes, "", to.partition, plan.Raw{Key: notNull(primary), Value: r.buffer, Timestamp: timestamp, Headers: headers})
	return nil
}

// wire is the codec of the records of a foreign-key join. It does not copy: the steps that read them do not keep them.
type wire struct{}

// String implements codec.Codec.
func (wire) String() string { return "bytes" }

// Append implements codec.Codec.
func (wire) Append(dst, v []byte) ([]byte, error) { return append(dst, v...), nil }

// Decode implements codec.Codec.
func (wire) Decode(data []byte) ([]byte, error) { return data, nil }
