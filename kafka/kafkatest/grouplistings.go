package kafkatest

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

var groupListings = theme{"group listings", []testCase{
	{"states", groupStates},
	{"listed by state", listedByState},
	{"listed by type", listedByType},
	{"described", describedGroups},
	{"deleted", deletedGroups},
	{"coordinators", coordinators},
	{"coordinators of several", coordinatorsOfSeveral},
}}

// described describes a group with a version before 6, in which a missing group has the state Dead.
func (r *raw) described(group string) kmsg.DescribeGroupsResponseGroup {
	r.s.Helper()
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{group}
	res := ask(r.at(5), req)
	r.s.code(nil, res.Groups[0].ErrorCode, "describe a group")
	return res.Groups[0]
}

func groupStates(s *subject) {
	ana, r := s.rawMember(s.unique()), s.raw()
	state := func(want string) {
		s.Helper()
		if got := r.described(ana.group).State; got != want {
			s.Errorf("the group is %s, not %s", got, want)
		}
	}
	state("Dead")
	ana.joins()
	state("CompletingRebalance")
	ana.syncs(nil)
	state("Stable")
	bea := s.rawMember(ana.group)
	bea.join()
	ana.awaitRebalance()
	state("PreparingRebalance")
	ana.joins()
	state("CompletingRebalance")
	ana.leave(kmsg.LeaveGroupRequestMember{MemberID: ana.id}, kmsg.LeaveGroupRequestMember{MemberID: bea.id})
	state("Empty")
}

// listedGroups returns the groups that match, by name.
func (r *raw) listedGroups(states, types []string) map[string]kmsg.ListGroupsResponseGroup {
	r.s.Helper()
	req := kmsg.NewPtrListGroupsRequest()
	req.StatesFilter, req.TypesFilter = states, types
	res := ask(r.at(5), req)
	r.s.code(nil, res.ErrorCode, "list groups")
	found := make(map[string]kmsg.ListGroupsResponseGroup)
	for _, g := range res.Groups {
		found[g.Group] = g
	}
	return found
}

func listedByState(s *subject) {
	m, r := s.soleMember(), s.raw()
	for _, filter := range [][]string{nil, {"Stable"}, {"stable"}, {"Empty", "Stable"}} {
		if g := r.listedGroups(filter, nil)[m.group]; g.GroupState != "Stable" || g.ProtocolType != protocolType {
			s.Errorf("groups in state %q: %+v", filter, g)
		}
	}
	if g, ok := r.listedGroups([]string{"Empty"}, nil)[m.group]; ok {
		s.Errorf("empty groups: %+v", g)
	}
	m.leave(kmsg.LeaveGroupRequestMember{MemberID: m.id})
	tp := s.ready()
	s.code(nil, r.commits(offsetCommit(m.group, 1, tp)), "commit")
	if g := r.listedGroups([]string{"Empty"}, nil)[m.group]; g.GroupState != "Empty" {
		s.Errorf("after all have left: %+v", g)
	}
}

func listedByType(s *subject) {
	m, r := s.soleMember(), s.raw()
	if g := r.listedGroups(nil, []string{"classic"})[m.group]; g.GroupType != "classic" {
		s.Errorf("classic groups: %+v", g)
	}
	if g, ok := r.listedGroups(nil, []string{"consumer"})[m.group]; ok {
		s.Errorf("groups of the new protocol: %+v", g)
	}
}

func describedGroups(s *subject) {
	leader, other := s.pair()
	never := s.unique()
	leader.coordinated(0, never)
	req := kmsg.NewPtrDescribeGroupsRequest()
	req.Groups = []string{leader.group, never}
	res := ask(leader.at(5), req).Groups
	slices.SortFunc(res, func(a, _ kmsg.DescribeGroupsResponseGroup) int { // their order is not defined
		if a.Group == never {
			return 1
		}
		return -1
	})
	if len(res) != 2 || res[1].State != "Dead" || len(res[1].Members) != 0 {
		s.Fatalf("described %+v", res)
	}
	g := res[0]
	if g.State != "Stable" || g.ProtocolType != protocolType || g.Protocol != "fair" || len(g.Members) != 2 {
		s.Fatalf("described %+v", g)
	}
	for _, m := range g.Members {
		want := map[string]string{leader.id: "first", other.id: "second"}[m.MemberID]
		if string(m.MemberAssignment) != want || m.ClientID != "kafkatest" || m.ClientHost == "" || m.InstanceID != nil {
			s.Errorf("member %+v, want an assignment of %q", m, want)
		}
	}
	if leader.newest[int16(kmsg.DescribeGroups)] >= 6 {
		req.Groups = []string{never}
		s.code(kerr.GroupIDNotFound, ask(leader.at(6), req).Groups[0].ErrorCode, "describe a group that does not exist")
	}
}

func deletedGroups(s *subject) {
	m, r, tp := s.soleMember(), s.raw(), s.ready()
	empty, never := s.unique(), s.unique()
	r.coordinated(0, empty)
	r.coordinated(0, never)
	s.code(nil, r.commits(offsetCommit(empty, 1, tp)), "commit")
	req := kmsg.NewPtrDeleteGroupsRequest()
	req.Groups = []string{m.group, empty, never}
	want := map[string]error{m.group: kerr.NonEmptyGroup, empty: nil, never: kerr.GroupIDNotFound}
	res := ask(r, req)
	for _, g := range res.Groups {
		s.code(want[g.Group], g.ErrorCode, "delete "+g.Group)
	}
	if len(res.Groups) != 3 || r.described(empty).State != "Dead" {
		s.Errorf("%+v", res.Groups)
	}
	s.wants(nil, m.heartbeat(), "heartbeat in the group that was not deleted")
}

func coordinators(s *subject) {
	r := s.raw()
	for version := int16(0); version <= 3; version++ {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorKey = s.unique()
		var res *kmsg.FindCoordinatorResponse
		s.code(nil, s.settle(func() int16 { res = ask(r.at(version), req); return res.ErrorCode }), "find a coordinator")
		if res.NodeID < 0 || res.Host == "" || res.Port <= 0 {
			s.Errorf("v%d: %+v", version, res)
		}
	}
}

func coordinatorsOfSeveral(s *subject) {
	r := s.raw()
	for kind := range int8(2) {
		req := kmsg.NewPtrFindCoordinatorRequest()
		req.CoordinatorType, req.CoordinatorKeys = kind, []string{s.unique(), s.unique(), s.unique()}
		for _, key := range req.CoordinatorKeys {
			r.coordinated(kind, key)
		}
		var found []string
		for _, c := range ask(r.at(4), req).Coordinators {
			s.code(nil, c.ErrorCode, "find a coordinator")
			if c.NodeID < 0 || c.Host == "" || c.Port <= 0 {
				s.Errorf("%+v", c)
			}
			found = append(found, c.Key)
		}
		if !slices.Equal(found, req.CoordinatorKeys) {
			s.Errorf("found %q, requested %q", found, req.CoordinatorKeys)
		}
	}
	unknown := kmsg.NewPtrFindCoordinatorRequest()
	unknown.CoordinatorType, unknown.CoordinatorKeys = 100, []string{s.unique()}
	s.code(kerr.InvalidRequest, ask(r.at(4), unknown).Coordinators[0].ErrorCode, "find a coordinator of an unknown kind")
}
