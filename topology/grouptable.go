package topology

import (
	"bytes"
	"fmt"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// AggregateTableBy groups the rows of a table by another key, and keeps one value per group, in the store name. When a
// row changes, subtract takes its old value out of the group's value, and then add puts the new one in; the two values
// may be in different groups. Neither may modify its arguments in place. The values pass through the topic
// <application>-<name>-repartition, in Kafka Streams' format.
//
// A group begins with the zero value of A, or that of Initially, and remains when all its rows have gone, unless
// DeleteWhen says otherwise. The timestamp of a group's row is that of the newest change. To leave rows out, filter the
// table before.
//
// Initially, DeleteWhen, Encoded and TopicConfig are settings of the store, KeyEncoded of store and topic.
func AggregateTableBy[K, V, L, A any](t *Table[K, V], name string, key func(V) L, add, subtract func(A, V) A) *Table[L, A] {
	return groupTable(t, "aggregate-table-by", name, key, add != nil && subtract != nil, new(form[A]),
		func(group A, _ bool, value V) A { return add(group, value) }, subtract)
}

// CountTableBy counts the rows of a table by another key, in the store name. The count of a group whose rows have gone
// is zero, unless DeleteWhen says otherwise. See AggregateTableBy.
func CountTableBy[K, V, L any](t *Table[K, V], name string, key func(V) L) *Table[L, int64] {
	return groupTable(t, "count-table-by", name, key, true, new(form[int64]),
		func(n int64, _ bool, _ V) int64 { return n + 1 }, func(n int64, _ V) int64 { return n - 1 })
}

// ReduceTableBy is like AggregateTableBy for a value of the same type as the rows. A group begins with its first value.
// The store encodes values as the table does.
func ReduceTableBy[K, V, L any](t *Table[K, V], name string, key func(V) L, add, subtract func(V, V) V) *Table[L, V] {
	return groupTable(t, "reduce-table-by", name, key, add != nil && subtract != nil, carry[V](t.value),
		func(group V, had bool, value V) V {
			if !had {
				return value
			}
			return add(group, value)
		}, subtract)
}

// groupTable groups the rows of a table by another key. had reports whether the group has a value to add to.
func groupTable[K, V, L, A any](t *Table[K, V], kind, name string, key func(V) L, given bool, value *form[A],
	add func(group A, had bool, value V) A, subtract func(A, V) A,
) *Table[L, A] {
	moved := moveChanges(t, name, key)
	n := t.b.add(kind, name, moved.output())
	t.b.needs(n, given)
	rules := &aggregation[A]{kind: kind}
	out := &Table[L, A]{b: t.b, node: n, made: &settings{node: n}, key: moved.key, value: value, name: name, rules: rules, grouped: true}
	out.keep(name)

	n.Build = func(l *plan.Linker) []any {
		var value changed[V]
		apply := updating(l, out, out.def().In(l.Host), plan.TableOutput[L, A](l, n), func(group A, has bool) (A, bool) {
			if value.had && has {
				group = subtract(group, value.old)
				has = rules.keeps(group)
			}
			if value.has {
				if !has {
					group, has = rules.first()
				}
				group = add(group, has, value.new)
				has = rules.keeps(group)
			}
			return group, has
		})
		return []any{plan.Stream[L, changed[V]](func(r *processor.Record[L, changed[V]]) error {
			switch {
			case r.NoKey:
				l.Host.Drop(n, plan.NoKey)
				return nil
			case r.Tombstone:
				l.Host.Drop(n, plan.Tombstone)
				return nil
			}
			l.Enter(n)
			value = r.Value
			return apply(r.Key, r.Timestamp)
		})}
	}
	return out
}

// moveChanges writes the changes of a table to the partitions of the keys of their groups, and returns the stream that
// arrives there.
func moveChanges[K, V, L any](t *Table[K, V], name string, key func(V) L) *Stream[L, changed[V]] {
	b := t.b
	t.moved = true
	n := b.add("group-table-by", name, t.output())
	b.needs(n, key != nil)
	topic := &Topic[L, changed[V]]{name: plan.RepartitionName(name), options: &topicOptions{internal: true}}
	if before, taken := b.topics[topic.name]; taken && before.Internal {
		b.mistake(n.Where, "the name %q is already used by another KeyBy, Repartition or grouped table: choose another", name)
	}
	n.Writes = b.addTopic(n, &plan.Topic{Name: topic.name, Internal: true})
	b.checkLength(n.Where, b.names().Topic(n.Writes))
	var values codec.Codec[changed[V]]
	n.Build = func(l *plan.Linker) []any {
		m := changeMover{host: l.Host, node: n}
		return []any{t.inOrder(l, n, func(c *plan.Change[K, V]) error {
			var err error
			m.begin()
			group := func(dst []byte, value V) []byte {
				l.Enter(n)
				if err == nil {
					dst, err = topic.key.Append(dst, key(value))
				}
				return dst
			}
			if c.Had {
				m.from = group(m.from, c.Old)
			}
			if c.Has {
				m.to = group(m.to, c.New)
			}
			if err != nil {
				return l.Host.SendFailed(n, fmt.Errorf("encode key: %w", err))
			}
			if c.Had && c.Has && bytes.Equal(m.from, m.to) {
				m.added, err = values.Append(m.added, changed[V]{old: c.Old, new: c.New, had: true, has: true})
				return m.send(c.Timestamp, false, true, err)
			}
			if c.Had {
				m.taken, err = values.Append(m.taken, changed[V]{old: c.Old, had: true})
			}
			if c.Has && err == nil {
				m.added, err = values.Append(m.added, changed[V]{new: c.New, has: true})
			}
			return m.send(c.Timestamp, c.Had, c.Has, err)
		})}
	}
	out := read(b, n, topic)
	b.deferStep(func() {
		values = changeCodec[V]{t.value.codecFor(b, n, ofValues)}
		topic.key, topic.value = out.key.codecFor(b, n, ofKeys), values
		*n.Writes = *describe(*topic)
	})
	return out
}

// changeMover sends the change of a row to the groups that it concerns. The buffers hold the encoded change.
type changeMover struct {
	host         plan.Host
	node         *plan.Node
	from, to     []byte // the keys of the old and the new group
	taken, added []byte // the value that leaves the old group, and the value that enters the new one
}

func (m *changeMover) begin() {
	m.from, m.to, m.taken, m.added = m.from[:0], m.to[:0], m.taken[:0], m.added[:0]
}

// send sends the records: the one for the old group first, as Kafka Streams does.
func (m *changeMover) send(timestamp int64, takes, adds bool, err error) error {
	if err != nil {
		return m.host.SendFailed(m.node, fmt.Errorf("encode value: %w", err))
	}
	headers, _ := m.host.Inherit()
	if takes {
		m.host.Send(m.node.Writes, notNull(m.from), m.taken, timestamp, headers)
	}
	if adds {
		m.host.Send(m.node.Writes, notNull(m.to), m.added, timestamp, headers)
	}
	return nil
}
