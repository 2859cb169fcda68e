package topology

import (
	"fmt"
	"math"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// queue holds a source partition's fetched records; only the head is decoded.
type queue[K, V any] struct {
	fetched
	timeLimit
	topic   *Topic[K, V]
	enter   func() // records that the source's user code (TimeFrom) runs next
	deliver plan.Stream[K, V]
	load    plan.Stream[K, V] // for source tables only
	head    processor.Record[K, V]
	err     error
}

// newQueue returns the queue of a source. now is the wall clock, for Topic.MaxAhead.
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
		if q.topic.time != nil {
			r.Timestamp = millis(q.topic.time(r.Value))
		}
	}
	return q.checkTime(r.Timestamp)
}

// timeLimit holds back records by their time.
type timeLimit struct {
	topicOptions
	now    func() time.Time
	newest int64 // the latest millisecond that MaxAhead allowed when the clock was last read
}

// checkTime rejects a timestamp that Kafka cannot store, and one too far ahead of the clock.
func (q *timeLimit) checkTime(ms int64) error {
	switch {
	case ms < 0:
		return fmt.Errorf("the record's time is before 1970 (%d ms): give it one, or take it from the value with Topic.TimeFrom", ms)
	case ms > state.LatestTime:
		return fmt.Errorf("the record's time is after 2262 (%d ms): Kafka cannot write it; is it in microseconds or nanoseconds?", ms)
	case !q.bounded || ms <= q.newest:
		return nil
	}
	now := q.now()
	q.newest = now.Add(q.maxAhead).UnixMilli()
	if ms <= q.newest {
		return nil
	}
	at := time.UnixMilli(ms)
	return fmt.Errorf("the record's time, %s, is %v ahead of the clock; Topic.MaxAhead allows %v",
		at.UTC().Format(time.RFC3339Nano), at.Sub(now).Round(time.Millisecond), q.maxAhead)
}

// millis returns t in milliseconds since 1970, limited to the range of int64.
func millis(t time.Time) int64 {
	switch sec := t.Unix(); {
	case sec > state.LatestTime/1000+1:
		return math.MaxInt64
	case sec < -state.LatestTime/1000-1:
		return math.MinInt64
	}
	return t.UnixMilli()
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
