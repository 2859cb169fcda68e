package kafkatest

import (
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

var groupOffsets = theme{"group offsets", []testCase{
	{"every version", offsetsEveryVersion},
	{"all topics", offsetsOfAllTopics},
	{"several groups", offsetsOfGroups},
	{"none is not null", offsetNoneIsNotNull},
	{"the epoch of the leader", offsetLeaderEpoch},
	{"unknown topics", offsetsUnknownTopics},
	{"a long note", offsetLongNote},
	{"who may commit", whoMayCommit},
	{"of a static member", offsetsOfStatic},
	{"deleted with the topic", offsetsDeletedWithTopic},
	{"deleted one by one", offsetsDeleted},
}}

// offsetCommit returns a commit request without a member.
func offsetCommit(group string, offset int64, parts ...kafka.TopicPartition) *kmsg.OffsetCommitRequest {
	req := kmsg.NewPtrOffsetCommitRequest()
	req.Group, req.Generation = group, -1
	for _, tp := range parts {
		partition := kmsg.NewOffsetCommitRequestTopicPartition()
		partition.Partition, partition.Offset, partition.Metadata = tp.Partition, offset, name("")
		topic := kmsg.NewOffsetCommitRequestTopic()
		topic.Topic, topic.Partitions = tp.Topic, []kmsg.OffsetCommitRequestTopicPartition{partition}
		req.Topics = append(req.Topics, topic)
	}
	return req
}

// commits sends a commit and returns the code of its first partition.
func (r *raw) commits(req *kmsg.OffsetCommitRequest) int16 {
	r.s.Helper()
	if r.version == newest {
		r = r.at(8)
	}
	return ask(r, req).Topics[0].Partitions[0].ErrorCode
}

func offsetFetch(group string, parts ...kafka.TopicPartition) *kmsg.OffsetFetchRequest {
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Group = group
	for _, tp := range parts {
		req.Topics = append(req.Topics, kmsg.OffsetFetchRequestTopic{Topic: tp.Topic, Partitions: []int32{tp.Partition}})
	}
	return req
}

// groupFetch is like offsetFetch for version 8 and later, which can fetch the offsets of several groups.
func groupFetch(group string, parts ...kafka.TopicPartition) kmsg.OffsetFetchRequestGroup {
	req := kmsg.NewOffsetFetchRequestGroup()
	req.Group = group
	for _, tp := range parts {
		topic := kmsg.NewOffsetFetchRequestGroupTopic()
		topic.Topic, topic.Partitions = tp.Topic, []int32{tp.Partition}
		req.Topics = append(req.Topics, topic)
	}
	return req
}

func (r *raw) groupFetch(groups ...kmsg.OffsetFetchRequestGroup) []kmsg.OffsetFetchResponseGroup {
	r.s.Helper()
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Groups = groups
	res := ask(r.at(8), req)
	if len(res.Groups) != len(groups) {
		r.s.Fatalf("the response is for %d groups, want %d", len(res.Groups), len(groups))
	}
	return res.Groups
}

func offsetsEveryVersion(s *subject) {
	tp, group := s.ready(), s.unique()
	r := s.raw()
	r.coordinated(0, group)
	for version := int16(2); version <= min(9, r.newest[int16(kmsg.OffsetCommit)]); version++ {
		s.code(nil, r.at(version).commits(offsetCommit(group, int64(version), tp)), "commit")
		s.hasCommitted(group, tp, int64(version))
	}
	s.must(s.CommitOffsets(s.ctx, kafka.GroupRef{Group: group}, at(tp, 42)))
	for version := int16(1); version <= 7; version++ {
		res := ask(r.at(version), offsetFetch(group, tp))
		if res.ErrorCode != 0 || len(res.Topics) != 1 || res.Topics[0].Partitions[0].Offset != 42 {
			s.Errorf("v%d: %+v", version, res)
		}
	}
	if got := r.groupFetch(groupFetch(group, tp))[0]; got.ErrorCode != 0 || len(got.Topics) != 1 || got.Topics[0].Partitions[0].Offset != 42 {
		s.Errorf("v8: %+v", got)
	}
}

func offsetsOfAllTopics(s *subject) {
	a, b, group := s.ready(), s.ready(), s.unique()
	r := s.raw()
	r.coordinated(0, group)
	s.code(nil, r.commits(offsetCommit(group, 5, a, b)), "commit")
	all := offsetFetch(group)
	all.Topics = nil // null means all
	for version := int16(2); version <= 7; version++ {
		if res := ask(r.at(version), all); res.ErrorCode != 0 || len(res.Topics) != 2 {
			s.Errorf("v%d: %+v", version, res)
		}
	}
	if got := r.groupFetch(groupFetch(group))[0]; len(got.Topics) != 2 {
		s.Errorf("v8: %+v", got)
	}
	none := offsetFetch(group)
	none.Topics = []kmsg.OffsetFetchRequestTopic{}
	if res := ask(r.at(7), none); res.ErrorCode != 0 || len(res.Topics) != 0 {
		s.Errorf("without partitions in the request: %+v", res)
	}
}

func offsetsOfGroups(s *subject) {
	a, b, r := s.ready(), s.ready(), s.raw()
	one, two, never := s.unique(), s.unique(), s.unique()
	r.coordinated(0, one)
	r.coordinated(0, two)
	r.coordinated(0, never)
	s.code(nil, r.commits(offsetCommit(one, 1, a)), "commit")
	s.code(nil, r.commits(offsetCommit(two, 2, b)), "commit")
	want := map[string]map[string]int64{one: {a.Topic: 1, b.Topic: -1}, two: {b.Topic: 2}, never: {a.Topic: -1}}
	for _, got := range r.groupFetch(groupFetch(one, a, b), groupFetch(two), groupFetch(never, a)) { // in any order
		s.code(nil, got.ErrorCode, "fetch the offsets of several groups")
		if len(got.Topics) != len(want[got.Group]) {
			s.Errorf("%s: %+v", got.Group, got.Topics)
		}
		for _, topic := range got.Topics {
			if offset := topic.Partitions[0].Offset; offset != want[got.Group][topic.Topic] {
				s.Errorf("%s, %s: %d", got.Group, topic.Topic, offset)
			}
		}
		delete(want, got.Group)
	}
	if len(want) != 0 {
		s.Errorf("the response lacks %v", want)
	}
}

// Older clients cannot decode null metadata.
func offsetNoneIsNotNull(s *subject) {
	tp, other, group := s.ready(), s.ready(), s.unique()
	r := s.raw()
	r.coordinated(0, group)
	commit := offsetCommit(group, 5, tp)
	commit.Topics[0].Partitions[0].Metadata = nil
	s.code(nil, r.commits(commit), "commit without a note")
	for version := int16(1); version <= 7; version++ {
		for offset, tp := range map[int64]kafka.TopicPartition{5: tp, -1: other} {
			p := ask(r.at(version), offsetFetch(group, tp)).Topics[0].Partitions[0]
			if p.Offset != offset || p.ErrorCode != 0 || p.Metadata == nil || *p.Metadata != "" {
				s.Errorf("v%d: %+v", version, p)
			}
		}
	}
	nobody := offsetFetch(s.unique(), tp)
	r.coordinated(0, nobody.Group)
	if p := ask(r.at(5), nobody).Topics[0].Partitions[0]; p.Offset != -1 || p.ErrorCode != 0 || p.Metadata == nil || p.LeaderEpoch != -1 {
		s.Errorf("of a missing group: %+v", p)
	}
}

func offsetLeaderEpoch(s *subject) {
	tp, group := s.ready(), s.unique()
	r := s.raw()
	r.coordinated(0, group)
	commit := offsetCommit(group, 5, tp)
	commit.Topics[0].Partitions[0].LeaderEpoch = 3
	s.code(nil, r.commits(commit), "commit")
	if p := ask(r.at(5), offsetFetch(group, tp)).Topics[0].Partitions[0]; p.LeaderEpoch != 3 {
		s.Errorf("the epoch is %d", p.LeaderEpoch)
	}
	s.code(nil, r.commits(offsetCommit(group, 6, tp)), "commit without an epoch")
	if p := ask(r.at(5), offsetFetch(group, tp)).Topics[0].Partitions[0]; p.LeaderEpoch != -1 || p.Offset != 6 {
		s.Errorf("after a commit without an epoch: %+v", p)
	}
}

func offsetsUnknownTopics(s *subject) {
	tp, group := s.ready(), s.unique()
	r := s.raw()
	r.coordinated(0, group)
	never, beyond := kafka.TopicPartition{Topic: s.unique()}, kafka.TopicPartition{Topic: tp.Topic, Partition: 9}
	res := ask(r.at(8), offsetCommit(group, 5, never, tp))
	for _, topic := range res.Topics {
		want := error(kerr.UnknownTopicOrPartition)
		if topic.Topic == tp.Topic {
			want = nil
		}
		s.code(want, topic.Partitions[0].ErrorCode, "commit in "+topic.Topic)
	}
	s.hasCommitted(group, tp, 5) // although the other partition has failed
	s.code(kerr.UnknownTopicOrPartition, r.commits(offsetCommit(group, 5, beyond)), "commit in a partition that does not exist")
}

func offsetLongNote(s *subject) {
	tp, group := s.ready(), s.unique()
	r := s.raw()
	r.coordinated(0, group)
	commit := offsetCommit(group, 5, tp)
	commit.Topics[0].Partitions[0].Metadata = name(strings.Repeat("x", 4096))
	s.code(nil, r.commits(commit), "commit a note of 4,096 bytes")
	commit.Topics[0].Partitions[0].Metadata = name(strings.Repeat("x", 4097))
	s.code(kerr.OffsetMetadataTooLarge, r.commits(commit), "commit a note of 4,097 bytes")
}

func whoMayCommit(s *subject) {
	tp := s.ready()
	m := s.soleMember()
	as := func(group, id string, generation int32) int16 {
		req := offsetCommit(group, 5, tp)
		req.MemberID, req.Generation = id, generation
		return m.commits(req)
	}
	s.code(nil, as(m.group, m.id, m.generation), "commit of a member")
	s.code(kerr.IllegalGeneration, as(m.group, m.id, m.generation+1), "commit in a generation to come")
	s.code(kerr.UnknownMemberID, as(m.group, "nobody", m.generation), "commit of a stranger")
	s.code(kerr.UnknownMemberID, as(m.group, "", -1), "commit of an administrator while there are members")
	m.leave(kmsg.LeaveGroupRequestMember{MemberID: m.id})
	s.code(kerr.UnknownMemberID, as(m.group, m.id, m.generation), "commit of a member that has left")
	s.code(nil, as(m.group, "", -1), "commit of an administrator")
	never := s.unique()
	m.coordinated(0, never)
	s.code(kerr.IllegalGeneration, as(never, "nobody", 1), "commit of a member of a group that does not exist")
}

func offsetsOfStatic(s *subject) {
	tp := s.ready()
	m := s.static()
	past := *m
	m.id = ""
	m.joins()
	commit := func(m *rawMember) int16 {
		req := offsetCommit(m.group, 5, tp)
		req.MemberID, req.InstanceID, req.Generation = m.id, m.instance, m.generation
		return m.commits(req)
	}
	s.code(kerr.FencedInstanceID, commit(&past), "commit of the one before")
	s.code(nil, commit(m), "commit of the one who came back")
}

func offsetsDeletedWithTopic(s *subject) {
	tp, kept, group := s.ready(), s.ready(), s.unique()
	r := s.raw()
	r.coordinated(0, group)
	s.code(nil, r.commits(offsetCommit(group, 5, tp, kept)), "commit")
	s.must(s.DeleteTopics(s.ctx, tp.Topic))
	eventually(s, "the offset is gone", func() bool {
		_, ok := s.committed(group, tp)
		return !ok
	})
	s.hasCommitted(group, kept, 5)
}

func offsetsDeleted(s *subject) {
	tp := s.ready()
	r := s.raw()
	req := kmsg.NewPtrOffsetDeleteRequest()
	req.Group = s.unique()
	r.coordinated(0, req.Group)
	topic := kmsg.NewOffsetDeleteRequestTopic()
	topic.Topic, topic.Partitions = tp.Topic, []kmsg.OffsetDeleteRequestTopicPartition{{Partition: 0}, {Partition: 9}}
	req.Topics = append(req.Topics, topic)
	s.code(kerr.GroupIDNotFound, ask(r, req).ErrorCode, "delete offsets of a group that does not exist")
	s.code(nil, r.commits(offsetCommit(req.Group, 5, tp)), "commit")
	res := ask(r, req)
	s.code(nil, res.ErrorCode, "delete offsets")
	for _, p := range res.Topics[0].Partitions {
		want := error(nil)
		if p.Partition == 9 {
			want = kerr.UnknownTopicOrPartition
		}
		s.code(want, p.ErrorCode, "delete an offset")
	}
	if _, ok := s.committed(req.Group, tp); ok {
		s.Error("the offset was not deleted")
	}
}
