package engine

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// settings are the parsed settings of a topic that this broker uses.
type settings struct {
	compact, delete bool
	retention       time.Duration // negative: forever
	retentionBytes  int64         // negative: no limit
	maxMessage      int           // bytes of a batch
	logAppendTime   bool
	maxAhead        int64         // ms that a record's timestamp may be ahead of the broker's clock
	maxBehind       int64         // ms that it may be behind
	segment         time.Duration // segment.ms
	deleteRetention time.Duration // how long a tombstone stays
	minLag, maxLag  time.Duration // of compaction
	dirtyRatio      float64
}

const maxMessageBytes = "max.message.bytes"

// setting describes a topic setting.
type setting struct {
	name     string
	standard string // the default
	check    func(text string) error
	list     bool // values can be appended and subtracted
}

// topicSettings are all settings that Apache Kafka knows, with its defaults
// (https://kafka.apache.org/documentation/#topicconfigs). Settings for replicas, files and indexes are stored and
// described, but have no effect on a log in pebble. One default differs: records are kept forever unless a topic sets a
// retention, because replayed history would be older than Kafka's default of a week when it is written.
var topicSettings = []setting{
	{"cleanup.policy", "delete", oneOfEach("delete", "compact"), true},
	{"compression.gzip.level", "-1", whole(-1, 9), false},
	{"compression.lz4.level", "9", whole(1, 17), false},
	{"compression.type", "producer", oneOf("producer"), false},
	{"compression.zstd.level", "3", whole(-131072, 22), false},
	{"delete.retention.ms", "86400000", whole(0, math.MaxInt64), false},
	{"file.delete.delay.ms", "60000", whole(0, math.MaxInt64), false},
	{"flush.messages", "9223372036854775807", whole(1, math.MaxInt64), false},
	{"flush.ms", "9223372036854775807", whole(0, math.MaxInt64), false},
	{"follower.replication.throttled.replicas", "", anything, true},
	{"index.interval.bytes", "4096", whole(0, math.MaxInt32), false},
	{"leader.replication.throttled.replicas", "", anything, true},
	{"local.retention.bytes", "-2", whole(-2, math.MaxInt64), false},
	{"local.retention.ms", "-2", whole(-2, math.MaxInt64), false},
	{"max.compaction.lag.ms", "9223372036854775807", whole(1, math.MaxInt64), false},
	{maxMessageBytes, "1048588", whole(0, math.MaxInt32), false},
	{"message.timestamp.after.max.ms", "3600000", whole(0, math.MaxInt64), false},
	{"message.timestamp.before.max.ms", "9223372036854775807", whole(0, math.MaxInt64), false},
	{"message.timestamp.type", "CreateTime", oneOf("CreateTime", "LogAppendTime"), false},
	{"min.cleanable.dirty.ratio", "0.5", fraction, false},
	{"min.compaction.lag.ms", "0", whole(0, math.MaxInt64), false},
	{"min.insync.replicas", "1", whole(1, math.MaxInt32), false},
	{"preallocate", "false", truth, false},
	{"remote.storage.enable", "false", oneOf("false"), false},
	{"retention.bytes", "-1", whole(-1, math.MaxInt64), false},
	{"retention.ms", "-1", whole(-1, math.MaxInt64), false},
	{"segment.bytes", "1073741824", whole(1, math.MaxInt32), false},
	{"segment.index.bytes", "10485760", whole(4, math.MaxInt32), false},
	{"segment.jitter.ms", "0", whole(0, math.MaxInt64), false},
	{"segment.ms", "604800000", whole(1, math.MaxInt64), false},
	{"unclean.leader.election.enable", "false", truth, false},
}

func findSetting(name string) *setting {
	i := slices.IndexFunc(topicSettings, func(s setting) bool { return s.name == name })
	if i < 0 {
		return nil
	}
	return &topicSettings[i]
}

func anything(string) error { return nil }

func whole(from, to int64) func(string) error {
	return func(text string) error {
		n, err := strconv.ParseInt(strings.TrimSpace(text), 10, 64)
		if err != nil || n < from || n > to {
			return fmt.Errorf("a whole number from %d to %d", from, to)
		}
		return nil
	}
}

func fraction(text string) error {
	if f, err := strconv.ParseFloat(text, 64); err != nil || !(f >= 0 && f <= 1) {
		return fmt.Errorf("a number from 0 to 1")
	}
	return nil
}

var truth = oneOf("true", "false")

func oneOf(values ...string) func(string) error {
	return func(text string) error {
		if !slices.Contains(values, text) {
			return fmt.Errorf("one of: %s", strings.Join(values, ", "))
		}
		return nil
	}
}

func oneOfEach(values ...string) func(string) error {
	return func(text string) error {
		for _, part := range strings.Split(text, ",") {
			if err := oneOf(values...)(strings.TrimSpace(part)); err != nil {
				return fmt.Errorf("a list of: %s", strings.Join(values, ", "))
			}
		}
		return nil
	}
}

// parseSettings checks and parses the settings that differ from the defaults. It refuses unknown settings and invalid
// values.
func parseSettings(config map[string]string) (settings, error) {
	for name, text := range config {
		known := findSetting(name)
		if known == nil {
			return settings{}, protocolError(kerr.InvalidConfig, "there is no topic setting %q", name)
		}
		if err := known.check(text); err != nil {
			return settings{}, protocolError(kerr.InvalidConfig, "%s is %q, but must be %v", name, text, err)
		}
	}
	text := func(name string) string {
		if value, ok := config[name]; ok {
			return strings.TrimSpace(value)
		}
		return findSetting(name).standard
	}
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(text(name), 10, 64) // checked above
		return n
	}
	period := func(name string) time.Duration {
		return time.Duration(min(number(name), math.MaxInt64/int64(time.Millisecond))) * time.Millisecond
	}
	ratio, _ := strconv.ParseFloat(text("min.cleanable.dirty.ratio"), 64)
	s := settings{
		compact: strings.Contains(text("cleanup.policy"), "compact"), delete: strings.Contains(text("cleanup.policy"), "delete"),
		retention: period("retention.ms"), retentionBytes: number("retention.bytes"),
		maxMessage:    int(number(maxMessageBytes)),
		logAppendTime: text("message.timestamp.type") == "LogAppendTime",
		maxAhead:      min(number("message.timestamp.after.max.ms"), math.MaxInt64/2),
		maxBehind:     number("message.timestamp.before.max.ms"),
		segment:       period("segment.ms"), deleteRetention: period("delete.retention.ms"),
		minLag: period("min.compaction.lag.ms"), maxLag: period("max.compaction.lag.ms"), dirtyRatio: ratio,
	}
	return s, nil
}

// segmentAge returns how long a segment is filled, in ms. Retention deletes whole segments, so this is short compared
// with the retention.
func (s *settings) segmentAge() int64 {
	age := s.segment
	if s.delete && s.retention >= 0 {
		age = min(age, max(s.retention/8, 10*time.Millisecond))
	}
	return age.Milliseconds()
}
