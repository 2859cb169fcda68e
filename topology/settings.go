package topology

import (
	"fmt"
	"maps"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
)

// settings is what the methods of a stream or a table say about the step that made it. The streams that leave a step by
// several ports share it.
type settings struct {
	node      *plan.Node        // the step; of a KeyBy's stream the KeyBy
	said      map[string]string // name of a setting → the line where it was said
	config    map[string]string // of the step's topic
	retention time.Duration     // 0: what the windows need
}

// said notes that a setting was made, and a mistake if it means nothing there or was made before. why says why it means
// nothing, empty if it does.
func (b *Builder) said(s *settings, setting, why string) bool {
	where := callSite()
	if why != "" {
		b.mistake(where, "%s on %s: %s", setting, s.label(), why)
		return false
	}
	if before, twice := s.said[setting]; twice {
		b.mistake(where, "%s on %s was said before, at %s", setting, s.label(), before)
		return false
	}
	if s.said == nil {
		s.said = map[string]string{}
	}
	s.said[setting] = where
	return true
}

func (s *settings) label() string {
	if s.node.Reads != nil && s.node.Name == "" {
		return s.node.Kind + " " + s.node.Reads.Name
	}
	return s.node.Label()
}

// set enters a setting of the step's internal topic.
func (s *settings) set(key, value string) {
	if s.config == nil {
		s.config = map[string]string{}
	}
	s.config[key] = value
}

// topicConfig returns the settings for the plan.
func (s *settings) topicConfig() map[string]string { return maps.Clone(s.config) }

// Encoded says how the values of the stream are written where bytes are needed: by KeyBy, and in the store of a Reduce.
// Without it a codec is carried from the topic that the stream began with, as long as the type of the values stays the
// same; where the type is new, EncodeAs decides, or else codec.For.
func (s *Stream[K, V]) Encoded(c codec.Codec[V]) *Stream[K, V] {
	why := ""
	switch {
	case s.isSource():
		why = "the declaration of a topic says how its values are encoded"
	case c == nil:
		why = "the codec is nil"
	}
	if s.b.said(s.made, port(ofValues, s.port), why) {
		s.value.chosen = c
	}
	return s
}

// KeyEncoded says how the keys are written that a KeyBy gives to its records. Without it EncodeAs decides, or else
// codec.For.
func (s *Stream[K, V]) KeyEncoded(c codec.Codec[K]) *Stream[K, V] {
	why := ""
	switch {
	case !s.isKeyBy():
		why = "only KeyBy makes keys that are written"
	case c == nil:
		why = "the codec is nil"
	}
	if s.b.said(s.made, ofKeys, why) {
		s.key.chosen = c
	}
	return s
}

// TopicConfig sets a setting of the topic behind a KeyBy, by Kafka's name for it, such as "max.message.bytes". It goes
// before what Rio would choose.
func (s *Stream[K, V]) TopicConfig(key, value string) *Stream[K, V] {
	why := ""
	switch {
	case !s.isKeyBy():
		why = "only KeyBy has a topic of its own"
	case key == "":
		why = "the setting has no name"
	}
	if s.b.said(s.made, "TopicConfig "+key, why) {
		s.made.set(key, value)
	}
	return s
}

// isSource reports whether the stream is a topic of the user's as it is read.
func (s *Stream[K, V]) isSource() bool { return s.node.Reads != nil && !s.node.Reads.Internal }

// isKeyBy reports whether the stream is what a KeyBy made.
func (s *Stream[K, V]) isKeyBy() bool { return s.node.Reads != nil && s.node.Reads.Internal }

// port makes a setting one of a single output: each has its own.
func port(setting string, port int) string {
	if port == 0 {
		return setting
	}
	return fmt.Sprintf("%s of output %d", setting, port+1)
}

// Encoded says how the values of the table's store are written. Without it EncodeAs decides, or else codec.For; a Reduce
// keeps the codec of its stream.
func (t *Table[K, V]) Encoded(c codec.Codec[V]) *Table[K, V] {
	why := t.withoutStore()
	if why == "" && c == nil {
		why = "the codec is nil"
	}
	if t.b.said(t.made, ofValues, why) {
		t.value.chosen = c
	}
	return t
}

// Retention is how long the rows of a windowed table are kept after the start of their window, by the time of the records
// that reach it. The least, and what there is without it, is the size of the windows and their grace.
func (t *Table[K, V]) Retention(d time.Duration) *Table[K, V] {
	why := t.withoutStore()
	least := t.windows.least()
	switch {
	case why != "":
	case !t.windows.windowed():
		why = "only the rows of windows end by themselves"
	case d < least || d%time.Millisecond != 0:
		why = fmt.Sprintf("rows of %v are kept in whole milliseconds and for at least %v, not for %v", t.windows, least, d)
	}
	if t.b.said(t.made, "Retention", why) {
		t.made.retention = d
	}
	return t
}

// TopicConfig sets a setting of the changelog of the table's store, by Kafka's name for it, such as
// "min.cleanable.dirty.ratio". It goes before what Rio would choose.
func (t *Table[K, V]) TopicConfig(key, value string) *Table[K, V] {
	why := t.withoutStore()
	if why == "" && key == "" {
		why = "the setting has no name"
	}
	if t.b.said(t.made, "TopicConfig "+key, why) {
		t.made.set(key, value)
	}
	return t
}

// withoutStore says why settings of a store mean nothing for the table.
func (t *Table[K, V]) withoutStore() string {
	if t.node.Reads != nil {
		return "the table is kept from the topic " + t.node.Reads.Name + ", whose declaration says how"
	}
	return ""
}
