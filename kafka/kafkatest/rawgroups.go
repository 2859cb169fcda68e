package kafkatest

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// player is a member of a group that says exactly what it is told to. Its fields may be changed to say something wrong.
type player struct {
	*raw
	group      string
	id         string
	instance   *string // of a static member
	generation int32
	protocols  []string
	metadata   []byte // that goes with each protocol
	session    time.Duration
	rebalance  time.Duration
}

// playerType is the type of protocol that players speak.
const playerType = "kafkatest"

// player returns one that is about to join group.
func (s *subject) player(group string) *player {
	s.Helper()
	m := &player{raw: s.raw(), group: group, generation: -1, protocols: []string{"fair"}, session: waitTimeout, rebalance: waitTimeout}
	m.coordinated(0, group)
	return m
}

// alone returns the only member of a new group, which has its assignment.
func (s *subject) alone() *player {
	s.Helper()
	m := s.player(s.unique())
	m.joins()
	m.syncs(map[string]string{m.id: "everything"})
	return m
}

func (m *player) joinRequest() *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.ProtocolType = m.group, m.id, m.instance, playerType
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(m.session/time.Millisecond), int32(m.rebalance/time.Millisecond)
	for _, name := range m.protocols {
		protocol := kmsg.NewJoinGroupRequestProtocol()
		protocol.Name, protocol.Metadata = name, m.metadata
		req.Protocols = append(req.Protocols, protocol)
	}
	return req
}

// enlist gets the member its id, as clients do since Kafka 2.2.
func (m *player) enlist() {
	m.s.Helper()
	res := ask(m.at(5), m.joinRequest())
	m.s.code(kerr.MemberIDRequired, res.ErrorCode, "join without an id")
	m.id = res.MemberID
}

// join asks to join, and returns what waits until the other members have done so.
func (m *player) join() func() *kmsg.JoinGroupResponse {
	m.s.Helper()
	if m.id == "" && m.instance == nil {
		m.enlist()
	}
	answer := m.at(7).tell(m.joinRequest())
	return func() *kmsg.JoinGroupResponse {
		m.s.Helper()
		res := answer().(*kmsg.JoinGroupResponse)
		if res.ErrorCode == 0 {
			m.id, m.generation = res.MemberID, res.Generation
		}
		return res
	}
}

// joins is join that must succeed, of a member that waits for no one.
func (m *player) joins() *kmsg.JoinGroupResponse {
	m.s.Helper()
	res := m.join()()
	m.s.code(nil, res.ErrorCode, "join")
	return res
}

// sync asks for the assignment; the leader brings those of all.
func (m *player) sync(assignments map[string]string) func() *kmsg.SyncGroupResponse {
	m.s.Helper()
	answer := m.at(4).tell(m.syncRequest(assignments))
	return func() *kmsg.SyncGroupResponse { return answer().(*kmsg.SyncGroupResponse) }
}

func (m *player) syncRequest(assignments map[string]string) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = m.group, m.id, m.instance, m.generation
	for id, assignment := range assignments {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = id, []byte(assignment)
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	return req
}

// syncs is sync that must succeed, and returns the assignment.
func (m *player) syncs(assignments map[string]string) string {
	m.s.Helper()
	res := m.sync(assignments)()
	m.s.code(nil, res.ErrorCode, "sync")
	return string(res.MemberAssignment)
}

func (m *player) heartbeat() error {
	m.s.Helper()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = m.group, m.id, m.instance, m.generation
	return kerr.ErrorForCode(ask(m.at(3), req).ErrorCode)
}

// called waits until the member hears that the others have begun to join.
func (m *player) called() {
	m.s.Helper()
	eventually(m.s, "a new round has begun", func() bool { return m.heartbeat() == kerr.RebalanceInProgress })
}

// pair returns the two members of a new group, the leader first, who have their assignments.
func (s *subject) pair() (leader, other *player) {
	s.Helper()
	leader = s.player(s.unique())
	other = s.player(leader.group)
	leader.joins()
	leader.syncs(map[string]string{leader.id: "everything"})
	answer := other.join()
	leader.called()
	leader.joins()
	s.code(nil, answer().ErrorCode, "join")
	waits := other.sync(nil)
	leader.syncs(map[string]string{leader.id: "first", other.id: "second"})
	s.code(nil, waits().ErrorCode, "sync")
	return leader, other
}

// leave takes members out of the group and returns what is said of each.
func (m *player) leave(members ...kmsg.LeaveGroupRequestMember) (said []error) {
	m.s.Helper()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.Members = m.group, members
	res := ask(m.at(4), req)
	m.s.code(nil, res.ErrorCode, "leave")
	for _, member := range res.Members {
		said = append(said, kerr.ErrorForCode(member.ErrorCode))
	}
	return said
}

// ids says the members in an answer to a join.
func ids(res *kmsg.JoinGroupResponse) (ids []string) {
	for _, m := range res.Members {
		ids = append(ids, m.MemberID)
	}
	slices.Sort(ids)
	return ids
}
