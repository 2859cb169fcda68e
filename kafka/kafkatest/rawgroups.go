package kafkatest

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// rawMember is a member of a group whose requests are made by the test. A test may change its fields to send invalid
// requests.
type rawMember struct {
	*raw
	group      string
	id         string
	instance   *string // of a static member
	generation int32
	protocols  []string
	metadata   []byte // sent with each protocol
	session    time.Duration
	rebalance  time.Duration
}

// protocolType is the protocol type of raw members.
const protocolType = "kafkatest"

// rawMember returns a member that has not joined group yet.
func (s *subject) rawMember(group string) *rawMember {
	s.Helper()
	m := &rawMember{raw: s.raw(), group: group, generation: -1, protocols: []string{"fair"}, session: waitTimeout, rebalance: waitTimeout}
	m.coordinated(0, group)
	return m
}

// soleMember returns the only member of a new group, which has its assignment.
func (s *subject) soleMember() *rawMember {
	s.Helper()
	m := s.rawMember(s.unique())
	m.joins()
	m.syncs(map[string]string{m.id: "everything"})
	return m
}

func (m *rawMember) joinRequest() *kmsg.JoinGroupRequest {
	req := kmsg.NewPtrJoinGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.ProtocolType = m.group, m.id, m.instance, protocolType
	req.SessionTimeoutMillis, req.RebalanceTimeoutMillis = int32(m.session/time.Millisecond), int32(m.rebalance/time.Millisecond)
	for _, name := range m.protocols {
		protocol := kmsg.NewJoinGroupRequestProtocol()
		protocol.Name, protocol.Metadata = name, m.metadata
		req.Protocols = append(req.Protocols, protocol)
	}
	return req
}

// requestID requests a member id, as clients do since Kafka 2.2.
func (m *rawMember) requestID() {
	m.s.Helper()
	res := ask(m.at(5), m.joinRequest())
	m.s.code(kerr.MemberIDRequired, res.ErrorCode, "join without an id")
	m.id = res.MemberID
}

// join sends a join request. It returns a function that waits for the response, which comes when all members have joined.
func (m *rawMember) join() func() *kmsg.JoinGroupResponse {
	m.s.Helper()
	if m.id == "" && m.instance == nil {
		m.requestID()
	}
	answer := m.at(7).start(m.joinRequest())
	return func() *kmsg.JoinGroupResponse {
		m.s.Helper()
		res := answer().(*kmsg.JoinGroupResponse)
		if res.ErrorCode == 0 {
			m.id, m.generation = res.MemberID, res.Generation
		}
		return res
	}
}

// joins calls join and checks that it succeeds. It does not return before the other members have joined.
func (m *rawMember) joins() *kmsg.JoinGroupResponse {
	m.s.Helper()
	res := m.join()()
	m.s.code(nil, res.ErrorCode, "join")
	return res
}

// sync sends a sync request and returns a function that waits for the assignment. The leader passes the assignments of all
// members.
func (m *rawMember) sync(assignments map[string]string) func() *kmsg.SyncGroupResponse {
	m.s.Helper()
	answer := m.at(4).start(m.syncRequest(assignments))
	return func() *kmsg.SyncGroupResponse { return answer().(*kmsg.SyncGroupResponse) }
}

func (m *rawMember) syncRequest(assignments map[string]string) *kmsg.SyncGroupRequest {
	req := kmsg.NewPtrSyncGroupRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = m.group, m.id, m.instance, m.generation
	for id, assignment := range assignments {
		a := kmsg.NewSyncGroupRequestGroupAssignment()
		a.MemberID, a.MemberAssignment = id, []byte(assignment)
		req.GroupAssignment = append(req.GroupAssignment, a)
	}
	return req
}

// syncs calls sync, checks that it succeeds, and returns the assignment.
func (m *rawMember) syncs(assignments map[string]string) string {
	m.s.Helper()
	res := m.sync(assignments)()
	m.s.code(nil, res.ErrorCode, "sync")
	return string(res.MemberAssignment)
}

func (m *rawMember) heartbeat() error {
	m.s.Helper()
	req := kmsg.NewPtrHeartbeatRequest()
	req.Group, req.MemberID, req.InstanceID, req.Generation = m.group, m.id, m.instance, m.generation
	return kerr.ErrorForCode(ask(m.at(3), req).ErrorCode)
}

// awaitRebalance waits until a heartbeat returns that the group is rebalancing.
func (m *rawMember) awaitRebalance() {
	m.s.Helper()
	eventually(m.s, "a new round has begun", func() bool { return m.heartbeat() == kerr.RebalanceInProgress })
}

// pair returns the two members of a new group, the leader first. They have their assignments.
func (s *subject) pair() (leader, other *rawMember) {
	s.Helper()
	leader = s.rawMember(s.unique())
	other = s.rawMember(leader.group)
	leader.joins()
	leader.syncs(map[string]string{leader.id: "everything"})
	answer := other.join()
	leader.awaitRebalance()
	leader.joins()
	s.code(nil, answer().ErrorCode, "join")
	waits := other.sync(nil)
	leader.syncs(map[string]string{leader.id: "first", other.id: "second"})
	s.code(nil, waits().ErrorCode, "sync")
	return leader, other
}

// leave removes members from the group and returns the error for each.
func (m *rawMember) leave(members ...kmsg.LeaveGroupRequestMember) (errs []error) {
	m.s.Helper()
	req := kmsg.NewPtrLeaveGroupRequest()
	req.Group, req.Members = m.group, members
	res := ask(m.at(4), req)
	m.s.code(nil, res.ErrorCode, "leave")
	for _, member := range res.Members {
		errs = append(errs, kerr.ErrorForCode(member.ErrorCode))
	}
	return errs
}

// ids returns the member ids in a join response.
func ids(res *kmsg.JoinGroupResponse) (ids []string) {
	for _, m := range res.Members {
		ids = append(ids, m.MemberID)
	}
	slices.Sort(ids)
	return ids
}
