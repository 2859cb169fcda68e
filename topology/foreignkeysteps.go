package topology

import (
	"errors"
	"fmt"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// This file is the part of a foreign-key join that knows the types of keys and rows.

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
	switch {
	case t.versioned != nil:
		return t.upsertVersion(l, next)
	case t.def != nil:
		return upsert(l, t.node, t.def().In(l.Host), next)
	}
	change := new(plan.Change[K, V])
	return func(r *processor.Record[K, V]) error {
		*change = plan.Change[K, V]{Key: r.Key, New: r.Value, Has: !r.Tombstone, Timestamp: r.Timestamp}
		return next(change)
	}
}
