package kafkatest

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

var transactionOffsets = theme{"transactional offsets", []testCase{
	{"those of members only", txnOffsetsOfMembers},
	{"those of no member", txnOffsetsOfNoMember},
	{"of a static member", txnOffsetsOfStatic},
	{"pending ones are unstable", txnOffsetsPending},
	{"an abort leaves what was", txnOffsetsAborted},
	{"the last of several counts", txnOffsetsSeveral},
	{"the group is not in the transaction", txnOffsetsWithoutGroup},
	{"an epoch that is over", txnOffsetsPastEpoch},
	{"groups are apart", txnOffsetsOfGroups},
}}

func txnOffsetsOfMembers(s *subject) {
	tp, m, a := s.ready(), s.soleMember(), s.rawProducer()
	a.must(a.addOffsets(m.group))
	as := func(id string, generation int32) error {
		s.Helper()
		req := a.commitRequest(m.group, tp, 5)
		req.MemberID, req.Generation = id, generation
		return a.commitOffset(req)
	}
	s.wants(kerr.IllegalGeneration, as(m.id, m.generation+1), "offsets of a generation to come")
	s.wants(kerr.UnknownMemberID, as("nobody", m.generation), "offsets of a stranger")
	s.wants(nil, as(m.id, m.generation), "offsets of the member")
	a.must(a.end(true))
	s.stable(m.group, tp)
	s.hasCommitted(m.group, tp, 5)
}

// A commit without member and generation is accepted, because producers before Kafka 2.5 do not send them.
func txnOffsetsOfNoMember(s *subject) {
	tp, m, a := s.ready(), s.soleMember(), s.rawProducer()
	a.must(a.addOffsets(m.group))
	a.must(a.commitOffset(a.commitRequest(m.group, tp, 5)))
	a.must(a.end(true))
	s.stable(m.group, tp)
	s.hasCommitted(m.group, tp, 5)
}

func txnOffsetsOfStatic(s *subject) {
	tp, m, a := s.ready(), s.static(), s.rawProducer()
	past := *m
	m.id = ""
	m.joins()
	a.must(a.addOffsets(m.group))
	as := func(m *rawMember) error {
		req := a.commitRequest(m.group, tp, 5)
		req.MemberID, req.InstanceID, req.Generation = m.id, m.instance, m.generation
		return a.commitOffset(req)
	}
	s.wants(kerr.FencedInstanceID, as(&past), "offsets of the one before")
	s.wants(nil, as(m), "offsets of the one who came back")
	a.must(a.end(true))
}

// committedStable fetches the offset of a group in tp. It returns an error if an open transaction may change the offset.
func (r *raw) committedStable(group string, tp kafka.TopicPartition) (int64, error) {
	r.s.Helper()
	req := offsetFetch(group, tp)
	req.RequireStable = true
	res := ask(r.at(7), req)
	r.s.code(nil, res.ErrorCode, "fetch stable offsets")
	p := res.Topics[0].Partitions[0]
	return p.Offset, kerr.ErrorForCode(p.ErrorCode)
}

// stable waits until no transaction can change the committed offset of group in tp.
func (s *subject) stable(group string, tp kafka.TopicPartition) {
	s.Helper()
	r := s.raw()
	eventually(s, "the offset is stable", func() bool {
		_, err := r.committedStable(group, tp)
		return err == nil
	})
}

func txnOffsetsPending(s *subject) {
	tp, other, group, a := s.ready(), s.ready(), s.unique(), s.rawProducer()
	a.coordinated(0, group)
	s.code(nil, a.commits(offsetCommit(group, 1, tp, other)), "commit")
	a.must(a.addOffsets(group))
	a.must(a.commitOffset(a.commitRequest(group, tp, 5)))
	_, err := a.committedStable(group, tp)
	s.wants(kerr.UnstableOffsetCommit, err, "fetch a stable offset while another is pending")
	if offset, err := a.committedStable(group, other); offset != 1 || err != nil {
		s.Errorf("a partition without a pending offset: %d, %v", offset, err)
	}
	group8 := kmsg.NewPtrOffsetFetchRequest()
	group8.RequireStable, group8.Groups = true, []kmsg.OffsetFetchRequestGroup{groupFetch(group, tp)}
	s.code(kerr.UnstableOffsetCommit, ask(a.at(8), group8).Groups[0].Topics[0].Partitions[0].ErrorCode, "the same by groups")
	if offset := ask(a.at(7), offsetFetch(group, tp)).Topics[0].Partitions[0].Offset; offset != 1 {
		s.Errorf("without RequireStable: offset %d", offset)
	}
	a.must(a.end(true))
	s.stable(group, tp)
	s.hasCommitted(group, tp, 5)
}

func txnOffsetsAborted(s *subject) {
	tp, never, group, a := s.ready(), s.ready(), s.unique(), s.rawProducer()
	a.coordinated(0, group)
	s.code(nil, a.commits(offsetCommit(group, 1, tp)), "commit")
	a.must(a.addOffsets(group))
	a.must(a.commitOffset(a.commitRequest(group, tp, 5)))
	a.must(a.commitOffset(a.commitRequest(group, never, 5)))
	a.must(a.end(false))
	s.stable(group, tp)
	s.stable(group, never)
	s.hasCommitted(group, tp, 1)
	if got, ok := s.committed(group, never); ok {
		s.Errorf("committed offset %+v after an abort", got)
	}
}

func txnOffsetsSeveral(s *subject) {
	tp, group, a := s.ready(), s.unique(), s.rawProducer()
	a.coordinated(0, group)
	a.must(a.addOffsets(group))
	for _, offset := range []int64{5, 9, 7} {
		a.must(a.commitOffset(a.commitRequest(group, tp, offset)))
	}
	a.must(a.end(true))
	s.stable(group, tp)
	s.hasCommitted(group, tp, 7)
}

func txnOffsetsWithoutGroup(s *subject) {
	tp, group, a := s.ready(), s.unique(), s.rawProducer()
	a.coordinated(0, group)
	s.wants(kerr.TransactionAbortable, a.commitOffset(a.commitRequest(group, tp, 5)), "offsets of a group that was not added")
	if got, ok := s.committed(group, tp); ok {
		s.Errorf("committed %+v", got)
	}
}

func txnOffsetsPastEpoch(s *subject) {
	tp, group, a := s.ready(), s.unique(), s.rawProducer()
	a.coordinated(0, group)
	a.must(a.addOffsets(group))
	a.must(a.commitOffset(a.commitRequest(group, tp, 1)))
	past := a.copy()
	a.must(a.init())
	a.must(a.addOffsets(group))
	a.must(a.commitOffset(a.commitRequest(group, tp, 2)))
	s.wants(kerr.InvalidProducerEpoch, past.commitOffset(past.commitRequest(group, tp, 3)), "offsets of an epoch that is over")
	a.must(a.end(true))
	s.stable(group, tp)
	s.hasCommitted(group, tp, 2)
}

func txnOffsetsOfGroups(s *subject) {
	tp, one, two, a := s.ready(), s.unique(), s.unique(), s.rawProducer()
	for offset, group := range []string{one, two} {
		a.coordinated(0, group)
		a.must(a.addOffsets(group))
		a.must(a.commitOffset(a.commitRequest(group, tp, int64(offset))))
	}
	a.must(a.end(true))
	s.stable(one, tp)
	s.stable(two, tp)
	s.hasCommitted(one, tp, 0)
	s.hasCommitted(two, tp, 1)
}
