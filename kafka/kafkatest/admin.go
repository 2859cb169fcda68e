package kafkatest

import (
	"slices"
	"strings"

	"github.com/rio-streams/rio/kafka"
)

var admin = theme{"admin", []testCase{
	{"create and describe", createAndDescribe},
	{"create what exists", createExisting},
	{"bad names", badNames},
	{"too many replicas are refused", tooManyReplicas},
	{"negative partitions are refused", negativePartitions},
	{"settings", settings},
	{"an unknown setting is refused", unknownSetting},
	{"a value that makes no sense is refused", nonsenseValue},
	{"a compacted topic", compactedTopic},
	{"a compacted topic needs keys", compactedNeedsKeys},
	{"delete", deleteTopic},
	{"delete and create again", deleteAndCreate},
	{"delete records", deleteRecords},
	{"unknown topic", unknownTopic},
}}

func createAndDescribe(s *subject) {
	a, b := s.unique(), s.unique()
	s.must(s.CreateTopics(s.ctx, kafka.TopicSpec{Name: a, Partitions: 3, Replicas: 1}, kafka.TopicSpec{Name: b}))
	topics, err := s.DescribeTopics(s.ctx, a, b, s.unique())
	s.must(err)
	if len(topics) != 2 || topics[0].Name != a || len(topics[0].Partitions) != 3 || topics[1].Name != b || len(topics[1].Partitions) < 1 {
		s.Fatalf("described %+v", topics)
	}
	for i, p := range topics[0].Partitions {
		if p.Partition != int32(i) || p.Leader < 0 || len(p.Replicas) != 1 || len(p.InSync) != 1 {
			s.Errorf("partition %+v", p)
		}
	}
	all, err := s.Topics(s.ctx)
	s.must(err)
	if !slices.ContainsFunc(all, func(t kafka.Topic) bool { return t.Name == a && !t.Internal }) {
		s.Errorf("%s is not among all %d topics", a, len(all))
	}
	if n, err := s.Partitions(s.ctx, a); err != nil || n != 3 {
		s.Errorf("%d partitions, %v; want 3", n, err)
	}
}

func createExisting(s *subject) {
	tp, fresh := s.partition(), s.unique()
	s.produce(tp, "kept")
	err := s.CreateTopics(s.ctx, kafka.TopicSpec{Name: tp.Topic, Partitions: 1}, kafka.TopicSpec{Name: fresh, Partitions: 1})
	s.wants(kafka.ErrTopicExists, err, "create a topic that exists")
	s.holds(tp, "kept")
	if topics, err := s.DescribeTopics(s.ctx, fresh); err != nil || len(topics) != 1 {
		s.Errorf("the other topic was not created: %v, %v", topics, err)
	}
}

func badNames(s *subject) {
	for _, name := range []string{"", ".", "..", "a b", "a/b", "água", strings.Repeat("x", 250)} {
		s.wants(kafka.ErrInvalidTopic, s.CreateTopics(s.ctx, kafka.TopicSpec{Name: name, Partitions: 1}), "create a topic named "+name)
	}
	longest := s.unique()
	longest += strings.Repeat("x", 249-len(longest))
	s.must(s.CreateTopics(s.ctx, kafka.TopicSpec{Name: longest, Partitions: 1}))
	s.produce(kafka.TopicPartition{Topic: longest}, "a")
	s.holds(kafka.TopicPartition{Topic: longest}, "a")
}

// refuses checks that the broker refuses to create a topic and does not create it.
func (s *subject) refuses(spec kafka.TopicSpec) {
	s.Helper()
	spec.Name = s.unique()
	s.wants(kafka.ErrRefused, s.CreateTopics(s.ctx, spec), "create a topic")
	if topics, err := s.DescribeTopics(s.ctx, spec.Name); err != nil || len(topics) != 0 {
		s.Errorf("the topic was created: %+v, %v", topics, err)
	}
}

func tooManyReplicas(s *subject) { s.refuses(kafka.TopicSpec{Partitions: 1, Replicas: 100}) }

func negativePartitions(s *subject) { s.refuses(kafka.TopicSpec{Partitions: -5}) }

func nonsenseValue(s *subject) {
	s.refuses(kafka.TopicSpec{Partitions: 1, Config: map[string]string{"retention.ms": "soon"}})
}

func unknownSetting(s *subject) {
	s.refuses(kafka.TopicSpec{Partitions: 1, Config: map[string]string{"no.such.setting": "1"}})
	err := s.AlterTopicConfig(s.ctx, s.topic(1), map[string]string{"no.such.setting": "1"})
	s.wants(kafka.ErrRefused, err, "alter a setting that does not exist")
}

func settings(s *subject) {
	topic := s.topic(1, map[string]string{"retention.ms": "1000000"})
	s.hasSettings(topic, map[string]string{"retention.ms": "1000000", "cleanup.policy": "delete"})
	s.must(s.AlterTopicConfig(s.ctx, topic, map[string]string{"max.message.bytes": "5000"}))
	s.hasSettings(topic, map[string]string{"retention.ms": "1000000", "max.message.bytes": "5000"})
}

func (s *subject) hasSettings(topic string, want map[string]string) {
	s.Helper()
	got, err := s.TopicConfig(s.ctx, topic)
	s.must(err)
	for name, value := range want {
		if got[name] != value {
			s.Errorf("%s is %q, want %q", name, got[name], value)
		}
	}
}

func compactedTopic(s *subject) {
	tp := s.partition(map[string]string{"cleanup.policy": "compact"})
	s.hasSettings(tp.Topic, map[string]string{"cleanup.policy": "compact"})
	s.must(s.write(tp, kafka.ProducerConfig{}, kafka.Record{Timestamp: 1, Key: dot, Value: []byte("a")}, kafka.Record{Timestamp: 1, Key: dot}))
	read, next := s.read(tp, 0, kafka.FetcherConfig{})
	if next != 2 || len(read) == 2 && read[1].Value != nil {
		s.Errorf("read %+v up to %d", read, next)
	}
}

func compactedNeedsKeys(s *subject) {
	tp := s.partition(map[string]string{"cleanup.policy": "compact"})
	err := s.write(tp, kafka.ProducerConfig{}, kafka.Record{Timestamp: 1, Value: []byte("without a key")})
	s.wants(kafka.ErrRefused, err, "write a record without a key to a compacted topic")
}

func deleteTopic(s *subject) {
	topic, never := s.topic(2), s.unique()
	s.must(s.DeleteTopics(s.ctx, topic))
	if topics, err := s.DescribeTopics(s.ctx, topic); err != nil || len(topics) != 0 {
		s.Errorf("after it was deleted: %+v, %v", topics, err)
	}
	s.wants(kafka.ErrUnknownTopic, s.DeleteTopics(s.ctx, never), "delete a topic that does not exist")
}

func deleteAndCreate(s *subject) {
	tp := s.partition()
	s.produce(tp, "old", "older")
	s.must(s.DeleteTopics(s.ctx, tp.Topic))
	s.must(s.CreateTopics(s.ctx, kafka.TopicSpec{Name: tp.Topic, Partitions: 1}))
	s.holds(tp)
	s.produce(tp, "new")
	s.holds(tp, "new")
	s.isAt(tp, kafka.Latest, 1)
}

func deleteRecords(s *subject) {
	tp := s.partition()
	s.produce(tp, "a", "b", "c", "d")
	s.must(s.DeleteRecords(s.ctx, map[kafka.TopicPartition]int64{tp: 2}))
	s.isAt(tp, kafka.Earliest, 2)
	records, _ := s.read(tp, 2, kafka.FetcherConfig{})
	s.sameValues(records, []string{"c", "d"})
	f := s.fetcher(kafka.FetcherConfig{})
	f.Add(tp, 1)
	s.wants(kafka.ErrOffsetOutOfRange, s.poll(f).Err, "fetch a deleted record")

	s.must(s.DeleteRecords(s.ctx, map[kafka.TopicPartition]int64{tp: -1}))
	s.isAt(tp, kafka.Earliest, 4)
	s.produce(tp, "e") // offsets continue
	s.isAt(tp, kafka.Latest, 5)
	s.wants(kafka.ErrOffsetOutOfRange, s.DeleteRecords(s.ctx, map[kafka.TopicPartition]int64{tp: 100}), "delete behind the end")
}

func unknownTopic(s *subject) {
	name := s.unique()
	tp := kafka.TopicPartition{Topic: name}
	_, err := s.Partitions(s.ctx, name)
	s.wants(kafka.ErrUnknownTopic, err, "partitions of a topic that does not exist")
	_, err = s.Offsets(s.ctx, []kafka.TopicPartition{tp}, kafka.Latest)
	s.wants(kafka.ErrUnknownTopic, err, "offsets of a topic that does not exist")
	_, err = s.TopicConfig(s.ctx, name)
	s.wants(kafka.ErrUnknownTopic, err, "settings of a topic that does not exist")
	s.wants(kafka.ErrUnknownTopic, s.DeleteRecords(s.ctx, map[kafka.TopicPartition]int64{tp: 1}), "delete records of a topic that does not exist")
	// The request must not have created it.
	if topics, err := s.DescribeTopics(s.ctx, name); err != nil || len(topics) != 0 {
		s.Errorf("described %+v, %v", topics, err)
	}
}
