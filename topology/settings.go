package topology

import (
	"fmt"
	"maps"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// settings are the settings of the step that made a stream or table. The streams of a step with several outputs share
// them.
type settings struct {
	node       *plan.Node        // the step; for a KeyBy's stream the KeyBy
	setAt      map[string]string // name of a setting → the line that set it
	config     map[string]string // of the step's topic
	topic      any               // the *Topic of a KeyBy or a Repartition
	partitions int32             // of that topic; 0: as many as its inputs have
	retention  time.Duration     // 0: as long as the windows need
	ttl        time.Duration     // 0: rows do not end
}

// checkSetting records that a setting was made. It reports a mistake if it was made before, or if why, the reason why
// it has no effect there, is not empty.
func (b *Builder) checkSetting(s *settings, setting, why string) bool {
	where := callSite()
	if why != "" {
		b.mistake(where, "%s on %s: %s", setting, s.label(), why)
		return false
	}
	if before, twice := s.setAt[setting]; twice {
		b.mistake(where, "%s on %s was already set at %s", setting, s.label(), before)
		return false
	}
	if s.setAt == nil {
		s.setAt = map[string]string{}
	}
	s.setAt[setting] = where
	return true
}

func (s *settings) label() string {
	if s.node.Reads != nil && s.node.Name == "" {
		return s.node.Kind + " " + s.node.Reads.Name
	}
	return s.node.Label()
}

// set sets a setting of the step's internal topic.
func (s *settings) set(key, value string) {
	if s.config == nil {
		s.config = map[string]string{}
	}
	s.config[key] = value
}

// topicConfig returns the topic settings for the plan.
func (s *settings) topicConfig() map[string]string { return maps.Clone(s.config) }

// Encoded sets the codec for the values of the stream, where bytes are needed: by KeyBy, and in the store of a Reduce.
// Without it, the codec of the topic that the stream was read from is used as long as the type of the values stays the
// same; for a new type, that of EncodeAs, or else codec.For.
func (s *Stream[K, V]) Encoded(c codec.Codec[V]) *Stream[K, V] {
	why := ""
	switch {
	case s.isSource():
		why = "the codec of a topic's values is set in its declaration"
	case c == nil:
		why = "the codec is nil"
	}
	if s.b.checkSetting(s.made, port(ofValues, s.port), why) {
		s.value.chosen = c
	}
	return s
}

// KeyEncoded sets the codec for the keys in the topic of a KeyBy or a Repartition. Default: for a Repartition that of
// its stream; for the keys that a KeyBy makes that of EncodeAs, or else codec.For.
func (s *Stream[K, V]) KeyEncoded(c codec.Codec[K]) *Stream[K, V] {
	why := ""
	switch {
	case !s.isKeyBy():
		why = "only KeyBy and Repartition have keys that are encoded"
	case c == nil:
		why = "the codec is nil"
	}
	if s.b.checkSetting(s.made, ofKeys, why) {
		s.key.chosen = c
	}
	return s
}

// TopicConfig sets a setting of the topic of a KeyBy or a Repartition, by Kafka's name, such as "max.message.bytes". It overrides Rio's
// own choice.
func (s *Stream[K, V]) TopicConfig(key, value string) *Stream[K, V] {
	why := ""
	switch {
	case !s.isKeyBy():
		why = noTopic
	case key == "":
		why = "the setting has no name"
	}
	if s.b.checkSetting(s.made, "TopicConfig "+key, why) {
		s.made.set(key, value)
	}
	return s
}

// Partitions sets the number of partitions of the topic of a KeyBy or a Repartition. Default: that of the topics that it
// is joined with, or else the largest number of the topics that its records come from.
func (s *Stream[K, V]) Partitions(n int) *Stream[K, V] {
	why := ""
	switch {
	case !s.isKeyBy():
		why = noTopic
	case n < 1:
		why = fmt.Sprintf("%d partitions: at least 1", n)
	}
	if s.b.checkSetting(s.made, "Partitions", why) {
		s.made.partitions = int32(n)
	}
	return s
}

// PartitionedBy chooses the partition of each record of the topic of a KeyBy or a Repartition, as Topic.PartitionedBy
// does. Steps that keep state by key, and joins, need all records of a key in one partition.
func (s *Stream[K, V]) PartitionedBy(partition func(r processor.Record[K, V], n int) int) *Stream[K, V] {
	topic, ok := s.made.topic.(*Topic[K, V])
	why := ""
	switch {
	case !ok || !s.isKeyBy():
		why = noTopic
	case partition == nil:
		why = "the function is nil"
	}
	if s.b.checkSetting(s.made, "PartitionedBy", why) {
		topic.partition = partition
		s.made.node.Chosen = "partition"
	}
	return s
}

const noTopic = "only KeyBy and Repartition have a topic of their own"

// isSource reports whether the stream is one of the user's topics as it is read.
func (s *Stream[K, V]) isSource() bool { return s.node.Reads != nil && !s.node.Reads.Internal }

// isKeyBy reports whether the stream is the result of a KeyBy or a Repartition.
func (s *Stream[K, V]) isKeyBy() bool { return s.node.Reads != nil && s.node.Reads.Internal }

// port returns the name of a setting of a single output: each has its own.
func port(setting string, port int) string {
	if port == 0 {
		return setting
	}
	return fmt.Sprintf("%s of output %d", setting, port+1)
}

// Encoded sets the codec for the values of the table's store, and for those that AggregateTableBy and its relatives
// move. Default: that of EncodeAs, or else codec.For; a Reduce uses the codec of its stream.
func (t *Table[K, V]) Encoded(c codec.Codec[V]) *Table[K, V] {
	why := t.withoutStoreUnless(func() bool { return t.moved })
	if why == "" && c == nil {
		why = "the codec is nil"
	}
	if t.b.checkSetting(t.made, ofValues, why) {
		t.value.chosen = c
	}
	return t
}

// KeyEncoded sets the codec for the keys of groups that AggregateTableBy, CountTableBy or ReduceTableBy makes. Default:
// codec.For.
func (t *Table[K, V]) KeyEncoded(c codec.Codec[K]) *Table[K, V] {
	why := ""
	switch {
	case !t.grouped:
		why = "only grouping by another key makes keys that are encoded"
	case c == nil:
		why = "the codec is nil"
	}
	if t.b.checkSetting(t.made, ofKeys, why) {
		t.key.chosen = c
	}
	return t
}

// Retention sets how long the rows of a windowed table are kept after the start of their window, or the end of their
// session, in the time of the records that reach it. The default, and the minimum, is the size of the windows, or the
// gap between sessions, plus their grace; for sliding windows twice the size.
func (t *Table[K, V]) Retention(d time.Duration) *Table[K, V] {
	why := t.withoutStore()
	least := t.windows.minRetention()
	switch {
	case why != "":
	case t.buffered:
		why = "what is held back does not expire"
	case !t.windows.windowed():
		why = "only the rows of windows expire"
	case d < least || d%time.Millisecond != 0:
		why = fmt.Sprintf("rows of %v must be kept for whole milliseconds and for at least %v, not for %v", t.windows, least, d)
	}
	if t.b.checkSetting(t.made, "Retention", why) {
		t.made.retention = d
	}
	return t
}

// TopicConfig sets a setting of the changelog of the table's store, by Kafka's name, such as
// "min.cleanable.dirty.ratio". It overrides Rio's own choice.
func (t *Table[K, V]) TopicConfig(key, value string) *Table[K, V] {
	why := t.withoutStore()
	if why == "" && key == "" {
		why = "the setting has no name"
	}
	if t.b.checkSetting(t.made, "TopicConfig "+key, why) {
		t.made.set(key, value)
	}
	return t
}

// withoutStore says why settings of a store have no effect for the table. That a computed table has no store is known
// in Build only, because Stored may follow the setting.
func (t *Table[K, V]) withoutStore() string {
	return t.withoutStoreUnless(func() bool { return false })
}

// withoutStoreUnless is withoutStore for a setting that has an effect elsewhere if other returns true in Build.
func (t *Table[K, V]) withoutStoreUnless(other func() bool) string {
	if t.node.Reads != nil {
		return "the table is kept from the topic " + t.node.Reads.Name + ", whose declaration says how"
	}
	where := callSite()
	t.b.deferStep(func() {
		if t.def == nil && !t.buffered && !other() {
			t.b.mistake(where, "a setting of a store, but %s has none: name one with Stored", t.made.label())
		}
	})
	return ""
}
