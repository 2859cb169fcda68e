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
	options *topicOptions // nil if none is set

	time       func(V) time.Time                      // nil unless TimeFrom was called
	recordTime func(processor.Record[K, V]) time.Time // nil unless TimeFromRecord was called

	named     func(processor.Record[K, V]) string // nil: the name is the topic's
	partition func(r processor.Record[K, V], n int) int
}

// topicOptions are the options of a topic that do not depend on its types. They are never modified.
type topicOptions struct {
	partitions    int32
	bounded       bool // whether MaxAhead was called
	maxAhead      time.Duration
	wallClock     bool // the event time is the time of reading
	partitionTime bool // an invalid event time becomes that of the partition
	policy        *processor.Policy
	start         plan.Start
	internal      bool // the topic of a KeyBy; its name lacks the application's prefix

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

// Partitions sets the number of partitions that Rio creates the topic with, and that it must have if it exists.
// Default: Rio creates a topic with as many partitions as its inputs have.
func (t Topic[K, V]) Partitions(n int) Topic[K, V] {
	t.options = t.options.withPartitions(n)
	return t
}
