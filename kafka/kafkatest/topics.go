package kafkatest

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

var topics = theme{"topics", []testCase{
	{"only validated", createValidated},
	{"with assignments", createAssigned},
	{"bad assignments", createMisassigned},
	{"the answer describes", createDescribes},
	{"twice in one request", createTwice},
	{"with the defaults of the broker", createDefault},
	{"names that collide", createColliding},
	{"a refusal says why", createRefused},
	{"more partitions", morePartitions},
	{"more partitions, only validated", morePartitionsValidated},
	{"no fewer partitions", noFewerPartitions},
	{"deleted by id", deletedByID},
	{"deleted several", deletedSeveral},
	{"records deleted", recordsDeleted},
}}

func createRequest(names ...string) *kmsg.CreateTopicsRequest {
	req := kmsg.NewPtrCreateTopicsRequest()
	for _, name := range names {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, 2, 1
		req.Topics = append(req.Topics, topic)
	}
	return req
}

// exists reports whether a topic exists.
func (r *raw) exists(topic string) bool {
	r.s.Helper()
	return r.metadata(topic).ErrorCode == 0
}

// metadata returns the metadata of one topic, without creating it.
func (r *raw) metadata(topic string) kmsg.MetadataResponseTopic {
	r.s.Helper()
	req := kmsg.NewPtrMetadataRequest()
	req.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
	return ask(r, req).Topics[0]
}

func createValidated(s *subject) {
	r := s.raw()
	req := createRequest(s.unique())
	req.ValidateOnly = true
	s.code(nil, ask(r, req).Topics[0].ErrorCode, "validate a topic")
	if r.exists(req.Topics[0].Topic) {
		s.Error("the topic was created")
	}
	req.Topics[0].Topic = "a bad name"
	s.code(kerr.InvalidTopicException, ask(r, req).Topics[0].ErrorCode, "validate a topic with a bad name")
	req.Topics[0].Topic = s.topic(1)
	s.code(kerr.TopicAlreadyExists, ask(r, req).Topics[0].ErrorCode, "validate a topic that exists")
}

// node returns the id of the broker.
func (r *raw) node() int32 {
	r.s.Helper()
	return ask(r, kmsg.NewPtrMetadataRequest()).Brokers[0].NodeID
}

func assigned(topic string, nodes ...int32) *kmsg.CreateTopicsRequest {
	req := createRequest(topic)
	req.Topics[0].NumPartitions, req.Topics[0].ReplicationFactor = -1, -1
	for i, node := range nodes {
		a := kmsg.NewCreateTopicsRequestTopicReplicaAssignment()
		a.Partition, a.Replicas = int32(i), []int32{node}
		req.Topics[0].ReplicaAssignment = append(req.Topics[0].ReplicaAssignment, a)
	}
	return req
}

func createAssigned(s *subject) {
	r := s.raw()
	node := r.node()
	req := assigned(s.unique(), node, node, node)
	s.code(nil, ask(r, req).Topics[0].ErrorCode, "create with assignments")
	eventually(s, "it is there", func() bool { return len(r.metadata(req.Topics[0].Topic).Partitions) == 3 })
	for _, p := range r.metadata(req.Topics[0].Topic).Partitions {
		if !slices.Equal(p.Replicas, []int32{node}) {
			s.Errorf("partition %+v", p)
		}
	}
}

func createMisassigned(s *subject) {
	r := s.raw()
	node := r.node()
	both := assigned(s.unique(), node)
	both.Topics[0].NumPartitions = 1
	s.code(kerr.InvalidRequest, ask(r, both).Topics[0].ErrorCode, "create with assignments and a number of partitions")
	s.code(kerr.InvalidReplicaAssignment, ask(r, assigned(s.unique(), node+100)).Topics[0].ErrorCode, "assign to a broker that does not exist")
	gap := assigned(s.unique(), node, node)
	gap.Topics[0].ReplicaAssignment[1].Partition = 2
	s.code(kerr.InvalidReplicaAssignment, ask(r, gap).Topics[0].ErrorCode, "assign partitions 0 and 2")
}

func createDescribes(s *subject) {
	r := s.raw()
	req := createRequest(s.unique())
	config := kmsg.NewCreateTopicsRequestTopicConfig()
	config.Name, config.Value = "retention.ms", name("12345")
	req.Topics[0].Configs = append(req.Topics[0].Configs, config)
	res := ask(r.at(7), req).Topics[0]
	s.code(nil, res.ErrorCode, "create a topic")
	if res.NumPartitions != 2 || res.ReplicationFactor != 1 {
		s.Errorf("created %+v", res)
	}
	i := slices.IndexFunc(res.Configs, func(c kmsg.CreateTopicsResponseTopicConfig) bool { return c.Name == "retention.ms" })
	if i < 0 || *res.Configs[i].Value != "12345" {
		s.Errorf("retention.ms is missing among %d settings, or has another value", len(res.Configs))
	}
	eventually(s, "it has its id", func() bool { return r.metadata(res.Topic).TopicID == res.TopicID })
}

func createTwice(s *subject) {
	r := s.raw()
	twice, once := s.unique(), s.unique()
	for _, topic := range ask(r, createRequest(twice, once, twice)).Topics {
		want := error(kerr.InvalidRequest)
		if topic.Topic == once {
			want = nil
		}
		s.code(want, topic.ErrorCode, "create "+topic.Topic)
	}
	if r.exists(twice) {
		s.Error("a topic that was requested twice was created")
	}
}

func createDefault(s *subject) {
	r := s.raw()
	req := createRequest(s.unique())
	req.Topics[0].NumPartitions, req.Topics[0].ReplicationFactor = -1, -1
	res := ask(r.at(7), req).Topics[0]
	s.code(nil, res.ErrorCode, "create a topic with defaults")
	if res.NumPartitions < 1 || res.ReplicationFactor != 1 {
		s.Errorf("created %+v", res)
	}
	req.Topics[0].Topic, req.Topics[0].NumPartitions = s.unique(), 0
	s.code(kerr.InvalidPartitions, ask(r, req).Topics[0].ErrorCode, "create a topic with no partitions")
	req.Topics[0].NumPartitions, req.Topics[0].ReplicationFactor = 1, 0
	s.code(kerr.InvalidReplicationFactor, ask(r, req).Topics[0].ErrorCode, "create a topic with no copies")
}

// Metric names cannot distinguish a dot from an underscore, so topics whose names only differ in these are rejected.
func createColliding(s *subject) {
	r := s.raw()
	base := s.unique()
	s.code(nil, ask(r, createRequest(base+".a")).Topics[0].ErrorCode, "create a topic")
	s.code(kerr.InvalidTopicException, ask(r, createRequest(base+"_a")).Topics[0].ErrorCode, "create a topic of almost the same name")
}

func createRefused(s *subject) {
	r := s.raw()
	req := createRequest(s.unique())
	config := kmsg.NewCreateTopicsRequestTopicConfig()
	config.Name, config.Value = "no.such.setting", name("1")
	req.Topics[0].Configs = append(req.Topics[0].Configs, config)
	res := ask(r, req).Topics[0]
	s.code(kerr.InvalidConfig, res.ErrorCode, "create a topic with a setting that does not exist")
	if res.ErrorMessage == nil || *res.ErrorMessage == "" {
		s.Error("the error has no message")
	}
}

// grow requests more partitions and returns the error code.
func (r *raw) grow(topic string, count int32, change ...func(req *kmsg.CreatePartitionsRequest)) int16 {
	r.s.Helper()
	t := kmsg.NewCreatePartitionsRequestTopic()
	t.Topic, t.Count = topic, count
	req := kmsg.NewPtrCreatePartitionsRequest()
	req.Topics, req.TimeoutMillis = append(req.Topics, t), 10_000
	for _, change := range change {
		change(req)
	}
	return ask(r, req).Topics[0].ErrorCode
}

func morePartitions(s *subject) {
	r := s.raw()
	tp := s.ready()
	s.produce(tp, "a")
	s.code(nil, r.grow(tp.Topic, 3), "grow to 3 partitions")
	eventually(s, "there are 3", func() bool { return len(r.metadata(tp.Topic).Partitions) == 3 })
	last := kafka.TopicPartition{Topic: tp.Topic, Partition: 2}
	s.isAt(last, kafka.Latest, 0) // its leader responds
	r.appends(last, 0, seal(values("b")))
	s.holds(tp, "a")
	s.holds(last, "b")
	s.code(kerr.UnknownTopicOrPartition, r.grow(s.unique(), 3), "grow a topic that does not exist")
}

func morePartitionsValidated(s *subject) {
	r := s.raw()
	topic := s.topic(1)
	s.code(nil, r.grow(topic, 3, func(req *kmsg.CreatePartitionsRequest) { req.ValidateOnly = true }), "validate 3 partitions")
	if n := len(r.metadata(topic).Partitions); n != 1 {
		s.Errorf("%d partitions", n)
	}
}

func noFewerPartitions(s *subject) {
	r := s.raw()
	topic := s.topic(3)
	for _, count := range []int32{2, 3, 0, -1} {
		s.code(kerr.InvalidPartitions, r.grow(topic, count), "shrink")
	}
	if n := len(r.metadata(topic).Partitions); n != 3 {
		s.Errorf("%d partitions", n)
	}
}

func deletedByID(s *subject) {
	r := s.raw()
	topic := s.ready().Topic
	byID := kmsg.NewDeleteTopicsRequestTopic()
	byID.TopicID = r.topicID(topic)
	req := kmsg.NewPtrDeleteTopicsRequest()
	req.Topics, req.TimeoutMillis = append(req.Topics, byID), 10_000
	res := ask(r.at(6), req).Topics[0]
	s.code(nil, res.ErrorCode, "delete a topic by id")
	if res.TopicID != byID.TopicID || res.Topic == nil || *res.Topic != topic {
		s.Errorf("deleted %+v", res)
	}
	eventually(s, "it is gone", func() bool { return !r.exists(topic) })
	s.code(kerr.UnknownTopicID, ask(r.at(6), req).Topics[0].ErrorCode, "delete a topic by an id that is over")
}

func deletedSeveral(s *subject) {
	r := s.raw()
	a, b, never := s.topic(1), s.topic(1), s.unique()
	want := map[string]error{a: nil, b: nil, never: kerr.UnknownTopicOrPartition}
	for version := int16(1); version <= 5; version++ {
		req := kmsg.NewPtrDeleteTopicsRequest()
		req.TopicNames, req.TimeoutMillis = []string{a, never, b}, 10_000
		for _, topic := range ask(r.at(version), req).Topics {
			s.code(want[*topic.Topic], topic.ErrorCode, "delete "+*topic.Topic)
		}
		a, b = s.topic(1), s.topic(1)
		want = map[string]error{a: nil, b: nil, never: kerr.UnknownTopicOrPartition}
	}
}

func recordsDeleted(s *subject) {
	tp := s.ready()
	r := s.raw()
	s.produce(tp, "a", "b", "c")
	for _, c := range []struct {
		before, low int64
		err         error
	}{{2, 2, nil}, {1, 2, nil}, {9, -1, kerr.OffsetOutOfRange}, {-5, -1, kerr.OffsetOutOfRange}, {-1, 3, nil}} {
		req := kmsg.NewPtrDeleteRecordsRequest()
		topic := kmsg.NewDeleteRecordsRequestTopic()
		topic.Topic, topic.Partitions = tp.Topic, []kmsg.DeleteRecordsRequestTopicPartition{{Offset: c.before}}
		req.Topics, req.TimeoutMillis = append(req.Topics, topic), 10_000
		got := ask(r, req).Topics[0].Partitions[0]
		s.code(c.err, got.ErrorCode, "delete records")
		if got.LowWatermark != c.low {
			s.Errorf("deleted the records before %d: the log starts at %d, want %d", c.before, got.LowWatermark, c.low)
		}
	}
}
