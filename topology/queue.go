package topology

import (
	"fmt"
	"runtime/debug"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// queue holds a source partition's fetched records; only the head is decoded.
type queue[K, V any] struct {
	topic   *Topic[K, V]
	enter   func() // notes that the source's user code (TimeFrom) runs next
	deliver plan.Stream[K, V]
	load    plan.Stream[K, V] // source tables only

	batches [][]plan.Raw
	next    int // in batches[0]
	length  int

	head    processor.Record[K, V]
	decoded bool
	err     error
}

func (q *queue[K, V]) Add(records []plan.Raw) {
	if len(records) > 0 {
		q.batches = append(q.batches, records)
		q.length += len(records)
	}
}

func (q *queue[K, V]) Len() int { return q.length }

func (q *queue[K, V]) Head() (*plan.Raw, int64, error) {
	raw := &q.batches[0][q.next]
	if !q.decoded {
		q.err = q.decode(raw)
		q.decoded = true
	}
	return raw, q.head.Timestamp, q.err
}

func (q *queue[K, V]) decode(raw *plan.Raw) (err error) {
	r := &q.head
	*r = processor.Record[K, V]{Timestamp: raw.Timestamp, Headers: raw.Headers, NoKey: raw.Key == nil, Tombstone: raw.Value == nil}
	q.enter()
	defer func() { // codecs and TimeFrom are user code
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	if !r.NoKey {
		if r.Key, err = q.topic.key.Decode(raw.Key); err != nil {
			return fmt.Errorf("key: %w", err)
		}
	}
	if !r.Tombstone {
		if r.Value, err = q.topic.value.Decode(raw.Value); err != nil {
			return fmt.Errorf("value: %w", err)
		}
		if q.topic.time != nil {
			r.Timestamp = q.topic.time(r.Value).UnixMilli()
		}
	}
	if r.Timestamp < 0 {
		err = fmt.Errorf("the record's time is before 1970 (%d ms): give it one, or take it from the value with Topic.TimeFrom", r.Timestamp)
		r.Timestamp = raw.Timestamp
		return err
	}
	return nil
}

func (q *queue[K, V]) Deliver() error { return q.deliver(&q.head) }

func (q *queue[K, V]) Load() error { return q.load(&q.head) }

func (q *queue[K, V]) Pop() {
	q.decoded = false
	q.length--
	if q.next++; q.next == len(q.batches[0]) {
		q.batches[0] = nil
		q.batches, q.next = q.batches[1:], 0
	}
}

func (q *queue[K, V]) Clear() {
	q.batches, q.next, q.length, q.decoded = nil, 0, 0, false
}
