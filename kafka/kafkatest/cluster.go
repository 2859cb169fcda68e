package kafkatest

import (
	"encoding/binary"
	"errors"
	"io"
	"strconv"
	"syscall"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

var cluster = theme{"cluster", []testCase{
	{"versions", clusterVersions},
	{"versions of a client that is too new", clusterTooNew},
	{"a version that the broker does not know", clusterUnknownVersion},
	{"a request that the broker does not know", clusterUnknownRequest},
	{"a frame that is not a request", clusterNoRequest},
	{"metadata in every version", metadataEveryVersion},
	{"metadata of all, of none", metadataAllOrNone},
	{"metadata by id", metadataByID},
	{"asking creates nothing", metadataCreatesNothing},
	{"the cluster describes itself", clusterDescribed},
	{"log directories", logDirs},
	{"where an epoch of the leader ends", epochEnds},
}}

func nodeName(r *raw) string {
	r.s.Helper()
	return strconv.Itoa(int(r.node()))
}

func clusterVersions(s *subject) {
	r := s.raw()
	for _, key := range []kmsg.Key{ // requests that every Kafka client needs
		kmsg.Produce, kmsg.Fetch, kmsg.ListOffsets, kmsg.Metadata, kmsg.OffsetCommit, kmsg.OffsetFetch, kmsg.FindCoordinator,
		kmsg.JoinGroup, kmsg.Heartbeat, kmsg.LeaveGroup, kmsg.SyncGroup, kmsg.DescribeGroups, kmsg.ListGroups, kmsg.ApiVersions,
		kmsg.CreateTopics, kmsg.DeleteTopics, kmsg.DeleteRecords, kmsg.InitProducerID, kmsg.AddPartitionsToTxn,
		kmsg.AddOffsetsToTxn, kmsg.EndTxn, kmsg.TxnOffsetCommit, kmsg.DescribeConfigs, kmsg.IncrementalAlterConfigs,
		kmsg.CreatePartitions, kmsg.DeleteGroups, kmsg.OffsetDelete, kmsg.DescribeCluster,
	} {
		if _, ok := r.newest[int16(key)]; !ok {
			s.Errorf("the broker does not support %s", key.Name())
		}
	}
	for version := int16(0); version <= r.newest[int16(kmsg.ApiVersions)]; version++ {
		req := kmsg.NewPtrApiVersionsRequest()
		req.ClientSoftwareName, req.ClientSoftwareVersion = "kafkatest", "1"
		if res := ask(r.at(version), req); res.ErrorCode != 0 || len(res.ApiKeys) == 0 {
			s.Errorf("v%d: %+v", version, res)
		}
	}
}

// A client starts with the newest version that it supports. A broker that does not support this version responds in version
// 0 with the versions that it supports.
func clusterTooNew(s *subject) {
	r := s.raw()
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "kafkatest", "1"
	req.SetVersion(3) // for the header
	frame := kmsg.NewRequestFormatter().AppendRequest(nil, req, 77)
	binary.BigEndian.PutUint16(frame[6:], 120)
	_, err := r.Write(frame)
	s.must(err)
	res := kmsg.NewPtrApiVersionsResponse()
	s.must(res.ReadFrom(r.frame(77)))
	s.code(kerr.UnsupportedVersion, res.ErrorCode, "ask for versions in one to come")
	if len(res.ApiKeys) == 0 {
		s.Error("the broker does not list its request versions")
	}
	ask(r, kmsg.NewPtrMetadataRequest()) // the connection is still usable
}

// closed checks that the broker closes the connection.
func (r *raw) closed(doing string) {
	r.s.Helper()
	if n, err := io.Copy(io.Discard, r); n != 0 || err != nil && !errors.Is(err, syscall.ECONNRESET) {
		r.s.Errorf("%s: %d bytes of a response, %v; want a closed connection", doing, n, err)
	}
	ask(r.s.raw(), kmsg.NewPtrMetadataRequest()) // other connections are not affected
}

func clusterUnknownVersion(s *subject) {
	r := s.raw()
	frame := kmsg.NewRequestFormatter().AppendRequest(nil, kmsg.NewPtrMetadataRequest(), 77)
	binary.BigEndian.PutUint16(frame[6:], 120)
	_, err := r.Write(frame)
	s.must(err)
	r.closed("ask in a version that the broker does not know")
}

func clusterUnknownRequest(s *subject) {
	r := s.raw()
	frame := kmsg.NewRequestFormatter().AppendRequest(nil, kmsg.NewPtrMetadataRequest(), 77)
	binary.BigEndian.PutUint16(frame[4:], 12345)
	_, err := r.Write(frame)
	s.must(err)
	r.closed("ask for what the broker does not know")
}

func clusterNoRequest(s *subject) {
	for what, frame := range map[string][]byte{
		"a negative length": {0xff, 0xff, 0xff, 0xff},
		"a huge length":     {0x7f, 0xff, 0xff, 0xff},
		"an empty frame":    {0, 0, 0, 0},
		"half a header":     {0, 0, 0, 4, 0, 3, 0, 1},
		"no body":           {0, 0, 0, 10, 0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xff},
	} {
		r := s.raw()
		_, err := r.Write(frame)
		s.must(err)
		r.closed("send " + what)
	}
}

func metadataEveryVersion(s *subject) {
	topic := s.topic(3)
	r := s.raw()
	for version := int16(0); version <= r.newest[int16(kmsg.Metadata)]; version++ {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{{Topic: &topic}}
		res := ask(r.at(version), req)
		if len(res.Brokers) != 1 || len(res.Topics) != 1 || version >= 1 && res.ControllerID != res.Brokers[0].NodeID || version >= 2 && *res.ClusterID == "" {
			s.Fatalf("v%d: %+v", version, res)
		}
		got := res.Topics[0]
		if got.ErrorCode != 0 || *got.Topic != topic || len(got.Partitions) != 3 || got.IsInternal || version >= 10 && got.TopicID == [16]byte{} {
			s.Fatalf("v%d: %+v", version, got)
		}
		for _, p := range got.Partitions {
			if p.ErrorCode != 0 || p.Leader != res.Brokers[0].NodeID || len(p.Replicas) != 1 || len(p.ISR) != 1 || version >= 7 && p.LeaderEpoch < 0 || len(p.OfflineReplicas) != 0 {
				s.Errorf("v%d: %+v", version, p)
			}
		}
	}
}

func metadataAllOrNone(s *subject) {
	topic := s.topic(1)
	r := s.raw()
	for version, all := range map[int16][]kmsg.MetadataRequestTopic{0: {}, 1: nil, 9: nil, 12: nil} {
		found := false
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = all
		for _, t := range ask(r.at(version), req).Topics {
			found = found || *t.Topic == topic
		}
		if !found {
			s.Errorf("v%d: %s is not among all topics", version, topic)
		}
		none := kmsg.NewPtrMetadataRequest()
		none.Topics = []kmsg.MetadataRequestTopic{}
		if res := ask(r.at(max(version, 1)), none); len(res.Topics) != 0 || len(res.Brokers) == 0 {
			s.Errorf("v%d: without topics in the request, got %d topics and %d brokers", version, len(res.Topics), len(res.Brokers))
		}
	}
}

func metadataByID(s *subject) {
	topic := s.topic(1)
	r := s.raw()
	byID := func(id [16]byte) kmsg.MetadataResponseTopic {
		req := kmsg.NewPtrMetadataRequest()
		req.Topics = []kmsg.MetadataRequestTopic{{TopicID: id}}
		return ask(r.at(12), req).Topics[0]
	}
	id := r.topicID(topic)
	if got := byID(id); got.ErrorCode != 0 || got.Topic == nil || *got.Topic != topic || got.TopicID != id {
		s.Errorf("by id: %+v", got)
	}
	unknown := byID([16]byte{1, 2, 3})
	s.code(kerr.UnknownTopicID, unknown.ErrorCode, "metadata of an id that does not exist")
	if unknown.TopicID != [16]byte{1, 2, 3} {
		s.Errorf("the response is for topic id %x", unknown.TopicID)
	}
}

func metadataCreatesNothing(s *subject) {
	r := s.raw()
	never := s.unique()
	for version := int16(0); version <= r.newest[int16(kmsg.Metadata)]; version++ { // old versions have no field to prevent the creation of the topic
		req := kmsg.NewPtrMetadataRequest()
		req.Topics, req.AllowAutoTopicCreation = []kmsg.MetadataRequestTopic{{Topic: &never}}, false
		got := ask(r.at(version), req).Topics[0]
		s.code(kerr.UnknownTopicOrPartition, got.ErrorCode, "metadata of a topic that does not exist")
		if *got.Topic != never || len(got.Partitions) != 0 {
			s.Errorf("v%d: %+v", version, got)
		}
	}
	bad := "a bad name"
	s.code(kerr.InvalidTopicException, r.metadata(bad).ErrorCode, "metadata of a bad name")
	r.append(kafka.TopicPartition{Topic: never}, seal(values("x")))
	if r.exists(never) {
		s.Error("a write has created the topic")
	}
}

func clusterDescribed(s *subject) {
	r := s.raw()
	got, metadata := ask(r, kmsg.NewPtrDescribeClusterRequest()), ask(r, kmsg.NewPtrMetadataRequest())
	s.code(nil, got.ErrorCode, "describe the cluster")
	if got.ClusterID == "" || got.ClusterID != *metadata.ClusterID || got.ControllerID != metadata.ControllerID || len(got.Brokers) != 1 {
		s.Fatalf("described %+v", got)
	}
	if b, m := got.Brokers[0], metadata.Brokers[0]; b.NodeID != m.NodeID || b.Host != m.Host || b.Port != m.Port {
		s.Errorf("described %+v, metadata %+v", b, m)
	}
}

func logDirs(s *subject) {
	tp := s.ready()
	s.produce(tp, string(noise(5000)))
	r := s.raw()
	req := kmsg.NewPtrDescribeLogDirsRequest()
	req.Topics = []kmsg.DescribeLogDirsRequestTopic{{Topic: tp.Topic, Partitions: []int32{0}}}
	found := false
	for _, dir := range ask(r, req).Dirs {
		s.code(nil, dir.ErrorCode, "describe a log directory")
		for _, topic := range dir.Topics {
			found = found || topic.Topic == tp.Topic && len(topic.Partitions) == 1 && topic.Partitions[0].Size >= 5000
		}
		if dir.Dir == "" || len(dir.Topics) > 1 {
			s.Errorf("directory %q with %d topics", dir.Dir, len(dir.Topics))
		}
	}
	if !found {
		s.Error("the partition is in no directory, or its size is too small")
	}
}

// A consumer sends this request to find out whether the log that it has read was truncated.
func epochEnds(s *subject) {
	tp := s.ready()
	s.produce(tp, "a", "b", "c")
	r := s.raw()
	epoch := r.metadata(tp.Topic).Partitions[0].LeaderEpoch
	at := func(current, epoch int32) kmsg.OffsetForLeaderEpochResponseTopicPartition {
		p := kmsg.NewOffsetForLeaderEpochRequestTopicPartition()
		p.CurrentLeaderEpoch, p.LeaderEpoch = current, epoch
		topic := kmsg.NewOffsetForLeaderEpochRequestTopic()
		topic.Topic, topic.Partitions = tp.Topic, append(topic.Partitions, p)
		req := kmsg.NewPtrOffsetForLeaderEpochRequest()
		req.ReplicaID, req.Topics = -1, append(req.Topics, topic)
		return ask(r, req).Topics[0].Partitions[0]
	}
	if got := at(epoch, epoch); got.ErrorCode != 0 || got.EndOffset != 3 || got.LeaderEpoch != epoch {
		s.Errorf("the current epoch: %+v", got)
	}
	if got := at(-1, epoch+10); got.ErrorCode != 0 || got.EndOffset != -1 || got.LeaderEpoch != -1 {
		s.Errorf("a future epoch: %+v", got)
	}
	s.code(kerr.UnknownLeaderEpoch, at(epoch+10, epoch).ErrorCode, "ask a leader of an epoch to come")
	tp.Partition = 0
	tp.Topic = s.unique()
	s.code(kerr.UnknownTopicOrPartition, at(-1, 0).ErrorCode, "ask for a topic that does not exist")
}
