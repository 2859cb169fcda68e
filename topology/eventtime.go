package topology

import (
	"fmt"
	"math"
	"strings"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// TimeFrom takes the event time from the value instead of the record's timestamp. A time before 1970, including the
// zero time, or after 2262 is invalid, because Kafka cannot store it: it is a decode error unless OrPartitionTime is
// set. Of TimeFrom, TimeFromRecord and TimeFromWallClock the last one counts. Tombstones keep their timestamp.
func (t Topic[K, V]) TimeFrom(time func(V) time.Time) Topic[K, V] {
	t.time, t.recordTime = time, nil
	t.options = t.options.withWallClock(false)
	return t
}

// TimeFromRecord is like TimeFrom for a function of the whole record: its key, headers and own timestamp. Tombstones
// are passed, too.
func (t Topic[K, V]) TimeFromRecord(time func(processor.Record[K, V]) time.Time) Topic[K, V] {
	t.time, t.recordTime = nil, time
	t.options = t.options.withWallClock(false)
	return t
}

// TimeFromWallClock makes the time at which a record is read its event time. A replay gives other results. It is for
// topics that are read as streams.
func (t Topic[K, V]) TimeFromWallClock() Topic[K, V] {
	t.time, t.recordTime = nil, nil
	t.options = t.options.withWallClock(true)
	return t
}

// OrPartitionTime gives a record with an invalid event time, or one that MaxAhead would hold back, the greatest event
// time read from its partition so far, also before a restart. Without an earlier record it is a decode error. It is for
// topics that are read as streams.
func (t Topic[K, V]) OrPartitionTime() Topic[K, V] {
	t.options = t.options.withPartitionTime()
	return t
}

// MaxAhead bounds how far a record may be ahead of the wall clock, for topics written by machines with unreliable
// clocks: a record whose event time is more than d after the time at which it is read is a decode error, and the decode
// policy decides whether to stop the application, to skip the record or to write it to the dead-letter topic. Without
// it any time is accepted, and one record from 2030 closes all windows that it reaches.
//
// The result depends on when a record is read, so a replay may accept a record that the first run rejected. Use MaxAhead
// only for topics that are read as streams: a table is restored from its topic, and must find the same records there.
func (t Topic[K, V]) MaxAhead(d time.Duration) Topic[K, V] {
	t.options = t.options.withMaxAhead(d)
	return t
}

//go:noinline
func (o *topicOptions) withMaxAhead(d time.Duration) *topicOptions {
	changed := o.get()
	changed.bounded, changed.maxAhead = true, d
	return &changed
}

//go:noinline
func (o *topicOptions) withWallClock(on bool) *topicOptions {
	changed := o.get()
	changed.wallClock = on
	return &changed
}

//go:noinline
func (o *topicOptions) withPartitionTime() *topicOptions {
	changed := o.get()
	changed.partitionTime = true
	return &changed
}

// guard describes how a source gets its event times, where that is not reproducible or not obvious. ~ marks what a
// replay may find different.
func (b *Builder) guard(n *plan.Node, topic string, options *topicOptions) {
	o := options.get()
	var parts []string
	if o.wallClock {
		parts = append(parts, "time from the wall clock ~")
	}
	if o.bounded {
		parts = append(parts, fmt.Sprintf("at most %v ahead of the clock ~", o.maxAhead))
		if o.maxAhead < 0 {
			b.mistake(n.Where, "topic %q has MaxAhead(%v): it must not be negative", topic, o.maxAhead)
		}
	}
	if o.partitionTime {
		parts = append(parts, "invalid times become the partition's")
		b.timed[n] = true
	}
	n.Guard = strings.Join(parts, ", ")
}

// checkTableTime reports settings of a topic that would give the rows of its table other times, or lose some, when the
// table is restored.
func (b *Builder) checkTableTime(n *plan.Node, topic string, options *topicOptions) {
	const why = "topic %q is read as a table, which is restored from its topic, "
	switch o := options.get(); {
	case o.bounded:
		b.mistake(n.Where, why+"including records that MaxAhead held back; read it as a stream, or leave MaxAhead out", topic)
	case o.wallClock:
		b.mistake(n.Where, why+"with other times of the wall clock; read it as a stream, or leave TimeFromWallClock out", topic)
	case o.partitionTime:
		b.mistake(n.Where, why+"where the time of the partition is not known; read it as a stream, or leave OrPartitionTime out", topic)
	}
}

// timeLimit checks the event times of a source.
type timeLimit struct {
	topicOptions
	now       func() time.Time
	newest    int64        // the latest millisecond that MaxAhead allowed when the clock was last read
	partition *state.Clock // the time of the partition, for OrPartitionTime; otherwise nil
}

// check returns the event time of a record whose own is ms.
func (q *timeLimit) check(ms int64) (int64, error) {
	err := q.checkTime(ms)
	if q.partition == nil {
		return ms, err
	}
	if err == nil {
		q.partition.Advance(ms)
		return ms, nil
	}
	if at := q.partition.Advance(math.MinInt64); at >= 0 {
		return at, nil
	}
	return ms, fmt.Errorf("%w; OrPartitionTime does not help, because no record of the partition had a valid time before", err)
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
