package kafkatest

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/rio-streams/rio/kafka"
)

var retention = theme{"retention", []testCase{
	{"old records go", oldRecordsGo},
	{"a setting that is changed holds for what is there", changedRetention},
	{"what is young keeps what follows it", youngKeepsLater},
	{"too many bytes go", tooManyBytesGo},
	{"compacted records have no age", compactedHasNoAge},
	{"forever", keptForever},
}}

// anHour sets a retention of one hour; records of lastWeek are older than that.
var anHour = map[string]string{"retention.ms": "3600000", "segment.ms": "60000"}

func lastWeek() int64 { return time.Now().Add(-7 * 24 * time.Hour).UnixMilli() }

// expires waits until all records of tp are deleted.
func (s *subject) expires(tp kafka.TopicPartition) {
	s.Helper()
	end := s.offset(tp, kafka.Latest)
	eventuallySlow(s, 50*time.Millisecond, "everything has expired", func() bool { return s.offset(tp, kafka.Earliest) == end })
}

// sweep waits until the broker has checked all topics for old records twice, because the first check may have begun before
// the call.
func (s *subject) sweep() {
	s.Helper()
	for range 2 {
		tp := s.ready(anHour)
		s.must(s.write(tp, kafka.ProducerConfig{}, stamped(lastWeek())...))
		s.expires(tp)
	}
}

func oldRecordsGo(s *subject) {
	tp := s.ready(anHour)
	s.must(s.write(tp, kafka.ProducerConfig{}, stamped(lastWeek(), lastWeek())...))
	s.expires(tp)
	s.isAt(tp, kafka.Latest, 2)
	s.code(kerr.OffsetOutOfRange, s.raw().fetch(tp, 0).ErrorCode, "fetch what has expired")
	s.produce(tp, "new") // offsets continue
	s.isAt(tp, kafka.Earliest, 2)
	s.isAt(tp, kafka.Latest, 3)
	records, _ := s.read(tp, 2, kafka.FetcherConfig{})
	s.sameValues(records, []string{"new"})
}

func changedRetention(s *subject) {
	tp := s.ready()
	yesterday := time.Now().Add(-24 * time.Hour).UnixMilli()
	s.must(s.write(tp, kafka.ProducerConfig{}, stamped(yesterday)...))
	s.sweep()
	s.isAt(tp, kafka.Earliest, 0)
	s.must(s.AlterTopicConfig(s.ctx, tp.Topic, map[string]string{"retention.ms": "3600000"}))
	s.expires(tp)
}

// An old record after a young one does not cause the young one to be deleted.
func youngKeepsLater(s *subject) {
	tp := s.ready(anHour)
	s.produce(tp, "young")
	s.must(s.write(tp, kafka.ProducerConfig{}, stamped(lastWeek())...))
	s.produce(tp, "younger")
	s.sweep()
	s.isAt(tp, kafka.Earliest, 0)
	s.holds(tp, "young", ".", "younger")
}

func tooManyBytesGo(s *subject) {
	tp := s.ready(map[string]string{"retention.bytes": "25000", "segment.ms": "60000"})
	const n = 6
	for i := range n { // each is young enough to start a new segment
		at := time.Now().Add(time.Duration(i-n) * 2 * time.Minute)
		s.must(s.write(tp, kafka.ProducerConfig{}, kafka.Record{Timestamp: at.UnixMilli(), Value: noise(10_000)}))
	}
	eventuallySlow(s, 50*time.Millisecond, "there are not many more bytes than allowed", func() bool { return s.offset(tp, kafka.Earliest) >= 3 })
	s.sweep()
	s.isAt(tp, kafka.Earliest, 3) // 30,000 bytes: without another batch there would be less than retention.bytes
	s.isAt(tp, kafka.Latest, n)
}

func compactedHasNoAge(s *subject) {
	tp := s.ready(map[string]string{"cleanup.policy": "compact", "retention.ms": "3600000", "retention.bytes": "1", "segment.ms": "60000"})
	s.must(s.write(tp, kafka.ProducerConfig{}, kafka.Record{Timestamp: lastWeek(), Key: []byte("ana"), Value: []byte("kept")}))
	s.must(s.write(tp, kafka.ProducerConfig{}, kafka.Record{Timestamp: time.Now().UnixMilli(), Key: []byte("bea"), Value: []byte("too")}))
	s.sweep()
	s.isAt(tp, kafka.Earliest, 0)
	s.holds(tp, "kept", "too")
}

func keptForever(s *subject) {
	tp := s.ready(map[string]string{"retention.ms": "-1"})
	s.must(s.write(tp, kafka.ProducerConfig{}, stamped(1, 2)...))
	s.sweep()
	s.isAt(tp, kafka.Earliest, 0)
	s.hasSettings(tp.Topic, map[string]string{"retention.ms": fmt.Sprint(-1), "retention.bytes": "-1"})
}
