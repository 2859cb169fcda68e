package topology

import (
	"errors"

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
		return []any{left.inOrder(l, n.subscribe, subscribe(l, n.subscribe, j, new(subscriber)))}
	}
	n.respond.Build = func(l *plan.Linker) []any {
		r := newResponder(l.Host, n.respond, subscriptions)
		r.row = lookup(j, right.rows(l))
		return []any{plan.Stream[[]byte, []byte](r.receive), right.inOrder(l, n.respond, respond(j, r))}
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
