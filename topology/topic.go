package topology

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Topic describes a topic: its name, and the codecs of its keys of type K and values of type V. It is immutable; its
// methods return changed copies, so that a package can declare its topics as variables.
type Topic[K, V any] struct {
	name    string
	key     codec.Codec[K]
	value   codec.Codec[V]
	time    func(V) time.Time
	options *topicOptions // nil if none is set

	named     func(processor.Record[K, V]) string // nil: the name is the topic's
	partition func(r processor.Record[K, V], n int) int
}

// topicOptions are the options of a topic that do not depend on its types. They are never modified.
type topicOptions struct {
	partitions int32
	bounded    bool // whether MaxAhead was called
	maxAhead   time.Duration
	policy     *processor.Policy
	start      plan.Start
	internal   bool // the topic of a KeyBy; its name lacks the application's prefix

	named, partitioned bool // whether NamedBy and PartitionedBy were called
	noRoute            bool // one of them with nil
}

// The methods that change options are not inlined: their callers are compiled for every type of topic.

// get returns a copy, to be modified and set again.
func (o *topicOptions) get() topicOptions {
	if o == nil {
		return topicOptions{}
	}
	return *o
}

//go:noinline
func (o *topicOptions) withPartitions(n int) *topicOptions {
	changed := o.get()
	changed.partitions = int32(n)
	return &changed
}

//go:noinline
func (o *topicOptions) withMaxAhead(d time.Duration) *topicOptions {
	changed := o.get()
	changed.bounded, changed.maxAhead = true, d
	return &changed
}

// NewTopic declares the topic name with the codecs of its keys and values.
func NewTopic[K, V any](name string, key codec.Codec[K], value codec.Codec[V]) Topic[K, V] {
	return Topic[K, V]{name: name, key: key, value: value}
}

// Name returns the name of the topic.
func (t Topic[K, V]) Name() string { return t.name }

// KeyCodec returns the codec of the topic's keys.
func (t Topic[K, V]) KeyCodec() codec.Codec[K] { return t.key }

// ValueCodec returns the codec of the topic's values.
func (t Topic[K, V]) ValueCodec() codec.Codec[V] { return t.value }

// TimeFrom takes the event time from the value instead of the record's timestamp. A time before 1970, including the
// zero time, or after 2262 is a decode error: Kafka cannot store it.
func (t Topic[K, V]) TimeFrom(time func(V) time.Time) Topic[K, V] {
	t.time = time
	return t
}

// Partitions sets the number of partitions that Rio creates the topic with, and that it must have if it exists.
// Default: Rio creates a topic with as many partitions as its inputs have.
func (t Topic[K, V]) Partitions(n int) Topic[K, V] {
	t.options = t.options.withPartitions(n)
	return t
}

// MaxAhead bounds how far a record may be ahead of the wall clock, for topics written by machines with unreliable
// clocks: a record whose event time is more than d after the time at which it is read is a decode error, and the decode
// policy decides whether to stop the application, to skip the record or to write it to the dead-letter topic. Without
// it any time is accepted, and one record from 2030 closes all windows that it reaches.
//
// The result depends on when a record is read, so a replay may accept what was rejected before. It is for topics that
// are read as streams: a table is restored from its topic, and must find the same records there.
func (t Topic[K, V]) MaxAhead(d time.Duration) Topic[K, V] {
	t.options = t.options.withMaxAhead(d)
	return t
}
