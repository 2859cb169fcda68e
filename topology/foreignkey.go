package topology

import (
	"errors"
	"fmt"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// JoinTablesBy is the foreign-key join: it combines each row on the left with the row on the right whose key is the
// foreign key of the row on the left, such as orders with their customers. key returns the foreign key, and false if a
// row has none. A change of either side changes the result, whose key is that of the left; a row on the left without
// one on the right has none. The two sides may have different numbers of partitions, and may be the same table.
//
// A row on the left subscribes to its foreign key through the topic <application>-<name>-subscription-registration-topic.
// The side on the right keeps the subscriptions in the store <name>-subscription-store and answers through
// <application>-<name>-subscription-response-topic. An answer that was overtaken by a change on the left is dropped: the
// answer has the hash of the row that it is for. So the codec on the left must write equal rows as equal bytes. A row on
// the right that is encoded as no bytes at all, such as an empty string, counts as missing. Topics, store and bytes
// are those of Kafka Streams with TableJoined.as(name).
//
// The timestamp of a result is the later one of its rows after a change on the left, and that of the row on the right
// after a change there. As in Kafka Streams, a tombstone may leave for a row that had no result. The table has no store
// of its own unless Stored names one; all steps but ToStream and To need one. For a foreign key that depends on the key
// of the row, join Rows(left).
func JoinTablesBy[K, V, L, W, R any](left *Table[K, V], right *Table[L, W], name string, key func(V) (L, bool), combine func(V, W) R) *Table[K, R] {
	return joinTablesBy(left, right, "join-tables-by", false, name, key, combine != nil, func(v V, w W, _ bool) R { return combine(v, w) })
}

// LeftJoinTablesBy is like JoinTablesBy with a result for each row on the left; ok reports whether there is a row on the
// right.
func LeftJoinTablesBy[K, V, L, W, R any](left *Table[K, V], right *Table[L, W], name string, key func(V) (L, bool), combine func(v V, w W, ok bool) R) *Table[K, R] {
	return joinTablesBy(left, right, "left-join-tables-by", true, name, key, combine != nil, combine)
}

func joinTablesBy[K, V, L, W, R any](left *Table[K, V], right *Table[L, W], kind string, outer bool, name string, key func(V) (L, bool), given bool, combine func(V, W, bool) R) *Table[K, R] {
	b := left.b
	if right.b != b {
		b.mistake(callSite(), "the two tables of the %s come from two builders: read both with one", kind)
		right = &Table[L, W]{b: b, node: b.add(kind, ""), key: new(form[L]), value: new(form[W])}
	}
	n := b.addForeignKeyJoin(kind, name, left.output(), right.output(), key != nil, given)
	out := derive[R](left, n.resolve)
	out.computed = func(*plan.Linker) plan.Rows[K, R] { // Build refuses steps that would call it
		return func(K) (none R, _ int64, _ bool, err error) { return none, 0, false, errNoRows }
	}
	j := &foreignKeyJoin[K, V, L, W]{outer: outer, key: key}
	var subscriptions *state.SubscriptionsDefinition
	b.deferStep(func() {
		j.keys, j.foreign = left.key.codecFor(b, n.subscribe, ofKeys), right.key.codecFor(b, n.respond, ofKeys)
		j.content, j.rows = left.value.contentFor(b, n.subscribe), right.value.codecFor(b, n.respond, ofValues)
		describeForeign(b, n.subscribe, j.foreign, "subscription of "+j.keys.String(), formatSubscription(format(j.keys)))
		describeForeign(b, n.respond, j.keys, "response with "+j.rows.String(), formatResponse(format(j.rows)))
		subscriptions = state.NewSubscriptions(plan.SubscriptionStore(name), j.foreign, j.keys)
		if !n.refused {
			b.attach(n.respond, subscriptions, "")
		}
		if out.def == nil {
			b.checkRowsOf(n.resolve)
		}
	})
	n.subscribe.Build = func(l *plan.Linker) []any {
		return []any{subscribe(l, n.subscribe, j, new(subscriber))}
	}
	n.respond.Build = func(l *plan.Linker) []any {
		r := newResponder(l.Host, n.respond, subscriptions)
		r.row = lookup(j, right.rows(l))
		return []any{plan.Stream[[]byte, []byte](r.receive), respond(j, r)}
	}
	n.resolve.Build = func(l *plan.Linker) []any {
		next := out.results(l)
		resolved := new(processor.Record[K, R])
		emit := func(r *processor.Record[K, V], w W, ok bool) error {
			*resolved = processor.Record[K, R]{Key: r.Key, Timestamp: r.Timestamp, Headers: r.Headers, Tombstone: r.Tombstone}
			if !r.Tombstone {
				l.Enter(n.resolve)
				resolved.Value = combine(r.Value, w, ok)
			}
			return next(resolved)
		}
		ignore := func(*plan.Change[K, V]) error { return nil } // the lookup sees the change in the store
		return []any{resolve(l, n, j, left.rows(l), emit), plan.Table[K, V](ignore)}
	}
	return out
}

var errNoRows = errors.New("topology: the foreign-key join keeps no rows")

// foreignKeyJoin is what the three steps of a join know of its types.
type foreignKeyJoin[K, V, L, W any] struct {
	outer   bool
	key     func(V) (L, bool)
	keys    codec.Codec[K]                            // on the left
	content func(dst []byte, value V) ([]byte, error) // what is hashed of a row on the left
	foreign codec.Codec[L]                            // of the keys on the right
	rows    codec.Codec[W]                            // on the right
}

// subscribe returns the input of the step that sends the subscriptions of changed rows.
func subscribe[K, V, L, W any](l *plan.Linker, n *plan.Node, j *foreignKeyJoin[K, V, L, W], s *subscriber) plan.Table[K, V] {
	s.host, s.node, s.left = l.Host, n, j.outer
	var content []byte
	foreignKeyOf := func(k *foreignKey, value V, has bool) (err error) {
		var key L
		k.bytes, k.exists = k.bytes[:0], false
		if has {
			if key, k.exists = j.key(value); k.exists {
				k.bytes, err = j.foreign.Append(k.bytes, key)
			}
		}
		return err
	}
	encode := func(c *plan.Change[K, V]) (err error) {
		if s.key, err = j.keys.Append(s.key[:0], c.Key); err != nil {
			return fmt.Errorf("encode key: %w", err)
		}
		s.hash = hash{}
		if c.Has {
			if content, err = j.content(content[:0], c.New); err != nil {
				return fmt.Errorf("encode value: %w", err)
			}
			s.hash = hashOf(content)
		}
		if err = errors.Join(foreignKeyOf(&s.old, c.Old, c.Had), foreignKeyOf(&s.now, c.New, c.Has)); err != nil {
			return fmt.Errorf("encode foreign key: %w", err)
		}
		return nil
	}
	return func(c *plan.Change[K, V]) error {
		if !c.Had && !c.Has {
			return nil
		}
		l.Enter(n)
		if err := encode(c); err != nil {
			return l.Host.SendFailed(n, err)
		}
		s.change(c.Timestamp)
		return nil
	}
}

// lookup returns the function by which a responder finds a row on the right.
func lookup[K, V, L, W any](j *foreignKeyJoin[K, V, L, W], rows plan.Rows[L, W]) func([]byte) ([]byte, int64, bool, error) {
	var encoded []byte
	return func(foreign []byte) ([]byte, int64, bool, error) {
		key, err := j.foreign.Decode(foreign)
		if err != nil {
			return nil, 0, false, fmt.Errorf("foreign key: %w", err)
		}
		row, timestamp, found, err := rows(key)
		if err != nil || !found {
			return nil, 0, false, err
		}
		encoded, err = j.rows.Append(encoded[:0], row)
		return encoded, timestamp, true, err
	}
}

// respond returns the input of a responder for the changes on the right.
func respond[K, V, L, W any](j *foreignKeyJoin[K, V, L, W], r *responder) plan.Table[L, W] {
	var key, row []byte
	return func(c *plan.Change[L, W]) (err error) {
		if key, err = j.foreign.Append(key[:0], c.Key); err != nil {
			return r.host.SendFailed(r.node, fmt.Errorf("encode foreign key: %w", err))
		}
		row = row[:0]
		if c.Has {
			if row, err = j.rows.Append(row, c.New); err != nil {
				return r.host.SendFailed(r.node, fmt.Errorf("encode value: %w", err))
			}
		}
		return r.changed(key, row, c.Timestamp)
	}
}

// resolve returns the input of the step that makes results of responses. It drops those to older rows, with one
// exception. In an inner join, not every change is answered: one that keeps its foreign key only if there is a row on the
// right, and one of a row that neither has nor had a foreign key not at all. So the older response that there is no row
// may be the last one, and must not be lost: the result that it deletes belongs to an even older row. If the row that is
// there now has a foreign key, it asks again; otherwise it has no result. (Kafka Streams drops the response, and keeps a
// result of rows that are gone.)
func resolve[K, V, L, W any](l *plan.Linker, n *foreignKeyNodes, j *foreignKeyJoin[K, V, L, W], rows plan.Rows[K, V], emit func(r *processor.Record[K, V], w W, ok bool) error) plan.Stream[[]byte, []byte] {
	asking := &subscriber{again: true}
	ask := subscribe(l, n.subscribe, j, asking)
	out, again := new(processor.Record[K, V]), new(plan.Change[K, V])
	var content []byte
	return func(in *encodedRecord) error {
		if in.NoKey || in.Tombstone {
			l.Host.Drop(n.resolve, dropReason(in))
			return nil
		}
		answer, err := parseResponse(in.Value)
		if err != nil {
			return fmt.Errorf("%s: response: %w", n.resolve.Label(), err)
		}
		key, err := j.keys.Decode(in.Key)
		if err != nil {
			return fmt.Errorf("%s: response: key: %w", n.resolve.Label(), err)
		}
		value, timestamp, has, err := rows(key)
		if err != nil {
			return err
		}
		var current hash
		if has {
			if content, err = j.content(content[:0], value); err != nil {
				return fmt.Errorf("%s: encode value: %w", n.resolve.Label(), err)
			}
			current = hashOf(content)
		}
		found := len(answer.row) > 0
		outdated := answer.hash != current
		if outdated && (j.outer || found) {
			return nil
		}
		if outdated && has {
			*again = plan.Change[K, V]{Key: key, New: value, Has: true, Timestamp: max(timestamp, in.Timestamp)}
			if err := ask(again); err != nil || asking.now.exists {
				return err
			}
		}
		*out = processor.Record[K, V]{Key: key, Value: value, Timestamp: in.Timestamp, Headers: in.Headers}
		out.Tombstone = outdated || !has || !found && !j.outer
		var row W
		if found && !out.Tombstone {
			if row, err = j.rows.Decode(answer.row); err != nil {
				return fmt.Errorf("%s: response: %w", n.resolve.Label(), err)
			}
		}
		return emit(out, row, found)
	}
}

// results returns what takes the results of a foreign-key join. They are kept if the table has a store.
func (t *Table[K, V]) results(l *plan.Linker) plan.Stream[K, V] {
	next := plan.TableOutput[K, V](l, t.node)
	if t.def != nil {
		return upsert(l, t.node, t.def().In(l.Host), next)
	}
	change := new(plan.Change[K, V])
	return func(r *processor.Record[K, V]) error {
		*change = plan.Change[K, V]{Key: r.Key, New: r.Value, Has: !r.Tombstone, Timestamp: r.Timestamp}
		return next(change)
	}
}
