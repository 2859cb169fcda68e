package kafkatest

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var groupProtocol = theme{"group protocol", []testCase{
	{"a new member is told its id", memberIDRequired},
	{"old clients need not be told", memberIDNotRequired},
	{"who was told its id has time to come", memberIDIsKept},
	{"members agree on a protocol", agreeOnProtocol},
	{"no protocol in common", nothingInCommon},
	{"the leader assigns", leaderAssigns},
	{"an assignment is asked for again", assignmentAgain},
	{"who is not of this generation", notOfGeneration},
	{"a member comes again with nothing new", comesAgainSame},
	{"a member comes again with something new", comesAgainNew},
	{"who does not come back is dropped", notComingBack},
	{"who is silent is dropped", silentIsDropped},
	{"leaving", leaving},
	{"a static member comes back", staticRejoins},
	{"a static member leaves by its name", staticLeaves},
	{"two of one instance", twoOfOneInstance},
	{"bad requests", badJoins},
}}

func memberIDRequired(s *subject) {
	m := s.rawMember(s.unique())
	m.requestID()
	if m.id == "" {
		s.Fatal("no id")
	}
	if res := m.joins(); res.MemberID != m.id || res.LeaderID != m.id || res.Generation != 1 || len(res.Members) != 1 {
		s.Errorf("%+v", res)
	}
	m.id = "nobody"
	s.code(kerr.UnknownMemberID, m.join()().ErrorCode, "join with an id that the broker has not given")
}

// The broker must not delete the group as empty meanwhile.
func memberIDIsKept(s *subject) {
	m := s.rawMember(s.unique())
	m.requestID()
	s.sweep()
	m.joins()
	m.leave(kmsg.LeaveGroupRequestMember{MemberID: m.id})
	m.id = ""
	m.requestID()
	s.sweep()
	m.joins()
}

func memberIDNotRequired(s *subject) {
	m := s.rawMember(s.unique())
	for version := int16(0); version <= 3; version++ {
		m.group = s.unique()
		if res := ask(m.at(version), m.joinRequest()); res.ErrorCode != 0 || res.MemberID == "" || res.Generation != 1 {
			s.Errorf("v%d: %+v", version, res)
		}
	}
}

func agreeOnProtocol(s *subject) {
	ana := s.rawMember(s.unique())
	bea := s.rawMember(ana.group)
	ana.protocols, bea.protocols = []string{"sticky", "fair", "old"}, []string{"fair", "new"}
	if res := ana.joins(); *res.Protocol != "sticky" {
		s.Errorf("the only member uses protocol %q", *res.Protocol)
	}
	ana.syncs(nil)
	answer := bea.join()
	ana.awaitRebalance()
	for _, res := range []*kmsg.JoinGroupResponse{ana.joins(), answer()} {
		if res.ErrorCode != 0 || *res.Protocol != "fair" || *res.ProtocolType != protocolType || res.Generation != 2 {
			s.Errorf("%+v", res)
		}
	}
}

func nothingInCommon(s *subject) {
	ana := s.soleMember()
	bea := s.rawMember(ana.group)
	bea.protocols = []string{"other"}
	s.code(kerr.InconsistentGroupProtocol, ask(bea.at(5), bea.joinRequest()).ErrorCode, "join with another protocol")
	bea.protocols = ana.protocols
	other := bea.joinRequest()
	other.ProtocolType = "other"
	s.code(kerr.InconsistentGroupProtocol, ask(bea.at(5), other).ErrorCode, "join with another type of protocol")
	s.wants(nil, ana.heartbeat(), "heartbeat of the member that is there")
}

func leaderAssigns(s *subject) {
	ana := s.rawMember(s.unique())
	bea := s.rawMember(ana.group)
	ana.metadata, bea.metadata = []byte("of ana"), []byte("of bea")
	ana.joins()
	ana.syncs(nil)
	answer := bea.join()
	ana.awaitRebalance()
	led, followed := ana.joins(), answer()
	want := []string{ana.id, bea.id}
	slices.Sort(want)
	if led.LeaderID != ana.id || followed.LeaderID != ana.id || !slices.Equal(ids(led), want) || len(followed.Members) != 0 {
		s.Errorf("the leader got %+v, the other member %+v", led, followed)
	}
	for _, member := range led.Members {
		if got := string(member.ProtocolMetadata); (member.MemberID == ana.id) != (got == "of ana") {
			s.Errorf("%s has metadata %q", member.MemberID, got)
		}
	}
	waits := bea.sync(nil) // until the leader has sent the assignment
	if got := ana.syncs(map[string]string{ana.id: "left", bea.id: "right"}); got != "left" {
		s.Errorf("the leader is assigned %q", got)
	}
	if res := waits(); res.ErrorCode != 0 || string(res.MemberAssignment) != "right" {
		s.Errorf("the other is assigned %+v", res)
	}
}

func assignmentAgain(s *subject) {
	leader, other := s.pair()
	if got := other.syncs(nil); got != "second" {
		s.Errorf("assigned %q", got)
	}
	if got := leader.syncs(map[string]string{leader.id: "something else"}); got != "first" {
		s.Errorf("the leader is assigned %q", got)
	}
	if left := s.unassigned(); left != "" {
		s.Errorf("the omitted member is assigned %q", left)
	}
}

// unassigned returns the assignment of a member that the leader's assignment omits.
func (s *subject) unassigned() string {
	m := s.rawMember(s.unique())
	m.joins()
	return m.syncs(nil)
}

func notOfGeneration(s *subject) {
	m := s.soleMember()
	past, unknown := *m, *m
	past.generation--
	unknown.id = "nobody"
	s.wants(kerr.IllegalGeneration, past.heartbeat(), "heartbeat of a past generation")
	s.code(kerr.IllegalGeneration, past.sync(nil)().ErrorCode, "sync in a past generation")
	s.wants(kerr.UnknownMemberID, unknown.heartbeat(), "heartbeat of a stranger")
	s.code(kerr.UnknownMemberID, unknown.sync(nil)().ErrorCode, "sync of a stranger")
	other := m.syncRequest(nil)
	other.ProtocolType, other.Protocol = name(protocolType), name("other")
	s.code(kerr.InconsistentGroupProtocol, ask(m.at(5), other).ErrorCode, "sync with another protocol")
	nowhere := *m
	nowhere.group = s.unique()
	s.wants(kerr.UnknownMemberID, nowhere.heartbeat(), "heartbeat in a group that does not exist")
	s.wants(nil, m.heartbeat(), "heartbeat")
}

// A member that has lost the response joins again. That does not affect the others, unless it is the leader: a leader that
// joins again starts a new rebalance.
func comesAgainSame(s *subject) {
	leader, other := s.pair()
	generation := other.generation
	if res := other.joins(); res.Generation != generation {
		s.Errorf("generation %d after %d", res.Generation, generation)
	}
	s.wants(nil, leader.heartbeat(), "heartbeat of the leader")
	answer := leader.join()
	other.awaitRebalance()
	other.joins()
	if res := answer(); res.ErrorCode != 0 || res.Generation != generation+1 {
		s.Errorf("the leader rejoined: %+v", res)
	}
}

func comesAgainNew(s *subject) {
	leader, other := s.pair()
	other.metadata = []byte("new")
	answer := other.join()
	leader.awaitRebalance()
	res := leader.joins()
	s.code(nil, answer().ErrorCode, "join")
	if i := slices.IndexFunc(res.Members, func(m kmsg.JoinGroupResponseMember) bool { return m.MemberID == other.id }); i < 0 || string(res.Members[i].ProtocolMetadata) != "new" {
		s.Errorf("the leader got %+v", res)
	}
}

func notComingBack(s *subject) {
	group := s.unique()
	ana, bea := s.rawMember(group), s.rawMember(group)
	ana.rebalance, bea.rebalance = 500*time.Millisecond, 500*time.Millisecond
	ana.joins()
	ana.syncs(nil)
	if res := bea.joins(); res.LeaderID != bea.id || len(res.Members) != 1 {
		s.Errorf("after the session timeout: %+v", res)
	}
	s.wants(kerr.UnknownMemberID, ana.heartbeat(), "heartbeat of who did not come back")
}

func silentIsDropped(s *subject) {
	m := s.rawMember(s.unique())
	m.session = time.Second // long enough to join and sync on a busy machine
	m.joins()
	m.syncs(nil)
	eventually(s, "the group is empty", func() bool { return s.raw().described(m.group).State == "Empty" })
	s.wants(kerr.UnknownMemberID, m.heartbeat(), "heartbeat after a long silence")
}

func leaving(s *subject) {
	leader, other := s.pair()
	old := kmsg.NewPtrLeaveGroupRequest()
	old.Group, old.MemberID = other.group, other.id
	s.code(nil, ask(other.at(2), old).ErrorCode, "leave")
	s.code(kerr.UnknownMemberID, ask(other.at(2), old).ErrorCode, "leave twice")
	leader.awaitRebalance()
	if res := leader.joins(); len(res.Members) != 1 {
		s.Errorf("after the other has left: %+v", res)
	}
	errs := leader.leave(kmsg.LeaveGroupRequestMember{MemberID: leader.id}, kmsg.LeaveGroupRequestMember{MemberID: "nobody"})
	if len(errs) != 2 || errs[0] != nil || errs[1] != kerr.UnknownMemberID {
		s.Errorf("leaving: %v", errs)
	}
	if d := leader.described(leader.group); d.State != "Empty" {
		s.Errorf("after all have left, the group is %s", d.State)
	}
}

// static returns the only member of a new group, which is static.
func (s *subject) static() *rawMember {
	m := s.rawMember(s.unique())
	m.instance = name("instance")
	m.joins()
	m.syncs(map[string]string{m.id: "everything"})
	return m
}

func staticRejoins(s *subject) {
	m := s.static()
	past := *m
	m.id, m.generation = "", -1 // as after a restart
	res := m.joins()
	if res.MemberID == past.id || res.Generation != past.generation {
		s.Errorf("the member rejoined as %+v", res)
	}
	s.wants(kerr.FencedInstanceID, past.heartbeat(), "heartbeat of the one before")
	s.code(kerr.FencedInstanceID, past.sync(nil)().ErrorCode, "sync of the one before")
	s.code(kerr.FencedInstanceID, past.join()().ErrorCode, "join of the one before")
	if got := m.syncs(nil); got != "everything" {
		s.Errorf("the member got the assignment %q", got)
	}
	s.wants(nil, m.heartbeat(), "heartbeat")
}

func staticLeaves(s *subject) {
	m := s.static()
	errs := m.leave(kmsg.LeaveGroupRequestMember{InstanceID: name("another")}, kmsg.LeaveGroupRequestMember{InstanceID: m.instance})
	if len(errs) != 2 || errs[0] != kerr.UnknownMemberID || errs[1] != nil {
		s.Errorf("leaving: %v", errs)
	}
	s.wants(kerr.UnknownMemberID, m.heartbeat(), "heartbeat of who has left")
}

func twoOfOneInstance(s *subject) {
	m := s.static()
	twin := s.rawMember(m.group)
	twin.instance = m.instance
	twin.joins()
	s.wants(kerr.FencedInstanceID, m.heartbeat(), "heartbeat of the first")
	errs := m.leave(kmsg.LeaveGroupRequestMember{InstanceID: m.instance, MemberID: m.id})
	if len(errs) != 1 || errs[0] != kerr.FencedInstanceID {
		s.Errorf("leaving of the first: %v", errs)
	}
	s.wants(nil, twin.heartbeat(), "heartbeat of the second")
}

func badJoins(s *subject) {
	m := s.rawMember(s.unique())
	for want, change := range map[error]func(req *kmsg.JoinGroupRequest){
		kerr.InvalidSessionTimeout:     func(req *kmsg.JoinGroupRequest) { req.SessionTimeoutMillis = 10 },
		kerr.InvalidGroupID:            func(req *kmsg.JoinGroupRequest) { req.Group = "" },
		kerr.InconsistentGroupProtocol: func(req *kmsg.JoinGroupRequest) { req.Protocols = nil },
	} {
		req := m.joinRequest()
		change(req)
		s.code(want, ask(m.at(5), req).ErrorCode, "a join that makes no sense")
	}
}
