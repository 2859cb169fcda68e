package topology

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// Topic is a topic and what is in it: keys of type K and values of type V. It is a value; its methods return changed
// copies, so that a package can declare its topics as variables.
type Topic[K, V any] struct {
	name       string
	key        codec.Codec[K]
	value      codec.Codec[V]
	partitions int32
	time       func(V) time.Time
	bounded    bool // MaxAhead was called
	maxAhead   time.Duration
	policy     *processor.Policy
	start      plan.Start
	internal   bool // behind a KeyBy; its name lacks the application's prefix
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

// TimeFrom takes the event time from the value instead of from the record's timestamp. A time before 1970, the zero
// time among them, or after 2262 is a decode error: Kafka cannot write it.
func (t Topic[K, V]) TimeFrom(time func(V) time.Time) Topic[K, V] {
	t.time = time
	return t
}

// Partitions is the number of partitions the topic gets if Rio creates it, and that it must have if it exists. Without
// it Rio creates a topic with as many partitions as its inputs have.
func (t Topic[K, V]) Partitions(n int) Topic[K, V] {
	t.partitions = int32(n)
	return t
}

// MaxAhead bounds how far one record may move event time ahead of the wall clock, for topics that are written by clocks one
// cannot trust: a record with a time more than d after the moment at which it is read is a decode error, and the decode
// policy decides whether that stops the application, or the record is skipped or kept as a dead letter. Without it any time
// is taken, and one record from 2030 closes all windows that it reaches.
//
// What it holds back depends on when a record is read, so a replay may take what was held back before. It is for topics
// that are read as streams: a table is restored from its topic, and must find the same records there.
func (t Topic[K, V]) MaxAhead(d time.Duration) Topic[K, V] {
	t.bounded, t.maxAhead = true, d
	return t
}
