package topology

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// queue holds a source partition's fetched records; only the head is decoded.
type queue[K, V any] struct {
	fetched
	timeLimit
	topic   *Topic[K, V]
	enter   func() // records that the source's user code (codecs, TimeFrom) runs next
	deliver plan.Stream[K, V]
	load    plan.Stream[K, V] // for source tables only
	head    processor.Record[K, V]
	err     error
}

// newQueue returns the queue of a source. now is the wall clock.
func newQueue[K, V any](topic *Topic[K, V], enter func(), now func() time.Time) *queue[K, V] {
	return &queue[K, V]{topic: topic, enter: enter, timeLimit: timeLimit{topicOptions: topic.options.get(), now: now}}
}

// fetched holds records in the order in which they were fetched.
type fetched struct {
	batches [][]plan.Raw
	next    int // index in batches[0]
	length  int
	decoded bool // whether the head is
}

func (q *fetched) Add(records []plan.Raw) {
	if len(records) > 0 {
		q.batches = append(q.batches, records)
		q.length += len(records)
	}
}

func (q *fetched) Len() int { return q.length }

func (q *queue[K, V]) Head() (*plan.Raw, int64, error) {
	raw := &q.batches[0][q.next]
	if !q.decoded {
		q.decoded = true
		if q.err = q.decode(raw); q.err != nil {
			q.head.Timestamp = 0 // its timestamp is unknown; process it at once
		}
	}
	return raw, q.head.Timestamp, q.err
}

func (q *queue[K, V]) decode(raw *plan.Raw) (err error) {
	r := &q.head
	headers := raw.Headers
	if q.internal {
		headers, _ = plan.SplitOrigin(headers)
	}
	*r = processor.Record[K, V]{Timestamp: raw.Timestamp, Headers: headers, NoKey: raw.Key == nil, Tombstone: raw.Value == nil}
	q.enter()
	defer plan.Recover(&err) // codecs and TimeFrom are user code
	if !r.NoKey {
		if r.Key, err = q.topic.key.Decode(raw.Key); err != nil {
			return fmt.Errorf("key: %w", err)
		}
	}
	if !r.Tombstone {
		if r.Value, err = q.topic.value.Decode(raw.Value); err != nil {
			return fmt.Errorf("value: %w", err)
		}
	}
	switch {
	case q.wallClock:
		r.Timestamp = q.now().UnixMilli()
	case q.topic.recordTime != nil:
		r.Timestamp = millis(q.topic.recordTime(*r))
	case q.topic.time != nil && !r.Tombstone:
		r.Timestamp = millis(q.topic.time(r.Value))
	}
	r.Timestamp, err = q.check(r.Timestamp)
	return err
}

func (q *queue[K, V]) Deliver() error { return q.deliver(&q.head) }

func (q *queue[K, V]) Load() error { return q.load(&q.head) }

func (q *fetched) Pop() {
	q.decoded = false
	q.length--
	if q.next++; q.next == len(q.batches[0]) {
		q.batches[0] = nil
		q.batches, q.next = q.batches[1:], 0
	}
}

func (q *fetched) Clear() {
	q.batches, q.next, q.length, q.decoded = nil, 0, 0, false
}
