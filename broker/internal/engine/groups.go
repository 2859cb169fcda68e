package engine

import (
	"cmp"
	"crypto/rand"
	"maps"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/group"
	"github.com/rio-streams/rio/broker/internal/store"
)

// groupState is a consumer group: its members and its committed offsets.
type groupState struct {
	name    string
	machine *group.Group
	offsets map[topicPartition]*store.Offset
	pending map[int64]map[topicPartition]*store.Offset // by producer id, until its transaction ends
	stored  bool                                       // whether the membership is in the store
	alarm   time.Time                                  // when the state machine needs a tick, zero for never
}

type topicPartition struct {
	topic     string
	partition int32
}

const (
	maxSession = 30 * time.Minute
	maxGroup   = 10_000 // members

	// offsetRetention is how long the offsets of an empty group are kept, Kafka's offsets.retention.minutes.
	offsetRetention = 7 * 24 * time.Hour
)

func (e *Engine) groupConfig() group.Config {
	return group.Config{MinSession: e.cfg.MinSession, MaxSession: maxSession, MaxSize: maxGroup}
}

// newMemberID returns an unpredictable id that begins with the client id, for human readers.
func newMemberID(clientID string) string { return clientID + "-" + rand.Text() }

// group returns a group, creating it if it does not exist.
func (e *Engine) group(name string) *groupState {
	g := e.groups[name]
	if g == nil {
		g = newGroupState(name, group.New(name, e.groupConfig(), newMemberID))
		e.groups[name] = g
	}
	return g
}

func newGroupState(name string, machine *group.Group) *groupState {
	return &groupState{
		name: name, machine: machine,
		offsets: make(map[topicPartition]*store.Offset), pending: make(map[int64]map[topicPartition]*store.Offset),
	}
}

// onGroup calls do with a group, writes the changes, and sends the replies once they are durable.
func (e *Engine) onGroup(name string, do func(g *groupState, now time.Time)) {
	e.do(func() { e.touch(e.group(name), do) })
}

func (e *Engine) touch(g *groupState, do func(g *groupState, now time.Time)) {
	do(g, e.clock())
	if g.machine.Changed() {
		snapshot := g.machine.Snapshot()
		e.open.batch.SetGroup(g.name, snapshot.Append(nil))
		g.stored = true
	}
	g.alarm = time.Time{}
	if at, ok := g.machine.Deadline(); ok {
		g.alarm = at
	}
}

func (e *Engine) tickGroups(now time.Time) {
	for _, g := range e.groups {
		if !g.alarm.IsZero() && !now.Before(g.alarm) {
			e.touch(g, func(g *groupState, now time.Time) { g.machine.Tick(now) })
		}
	}
}

func (e *Engine) joinGroup(client *Client, req *kmsg.JoinGroupRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.JoinGroupResponse)
	if req.Group == "" {
		res.ErrorCode = kerr.InvalidGroupID.Code
		reply(res)
		return
	}
	rebalance := req.RebalanceTimeoutMillis
	if req.Version == 0 {
		rebalance = req.SessionTimeoutMillis
	}
	join := group.JoinRequest{
		MemberID: req.MemberID, InstanceID: orEmpty(req.InstanceID), ClientID: client.ID, ClientHost: client.Host,
		SessionTimeout:   time.Duration(req.SessionTimeoutMillis) * time.Millisecond,
		RebalanceTimeout: time.Duration(rebalance) * time.Millisecond,
		ProtocolType:     req.ProtocolType,
		RequireMemberID:  req.Version >= 4, SupportsSkippingAssignment: req.Version >= 9,
	}
	for _, p := range req.Protocols {
		join.Protocols = append(join.Protocols, group.Protocol{Name: p.Name, Metadata: p.Metadata})
	}
	e.onGroup(req.Group, func(g *groupState, now time.Time) {
		g.machine.Join(now, join, func(r group.JoinReply) {
			res.ErrorCode, res.Generation, res.LeaderID, res.MemberID = code(r.Err), r.Generation, r.Leader, r.MemberID
			res.SkipAssignment = r.SkipAssignment
			if r.Err == nil || req.Version < 7 {
				res.Protocol = &r.Protocol
			}
			if r.Err == nil {
				res.ProtocolType = &r.ProtocolType
			}
			for _, m := range r.Members {
				sm := kmsg.NewJoinGroupResponseMember()
				sm.MemberID, sm.InstanceID, sm.ProtocolMetadata = m.MemberID, orNull(m.InstanceID), m.Metadata
				res.Members = append(res.Members, sm)
			}
			e.answerWith(res, reply)
		})
	})
}

func (e *Engine) syncGroup(req *kmsg.SyncGroupRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.SyncGroupResponse)
	sync := group.SyncRequest{
		MemberID: req.MemberID, InstanceID: orEmpty(req.InstanceID), Generation: req.Generation,
		ProtocolType: orEmpty(req.ProtocolType), Protocol: orEmpty(req.Protocol), Assignments: make(map[string][]byte),
	}
	for _, a := range req.GroupAssignment {
		sync.Assignments[a.MemberID] = a.MemberAssignment
	}
	e.onGroup(req.Group, func(g *groupState, now time.Time) {
		g.machine.Sync(now, sync, func(r group.SyncReply) {
			res.ErrorCode, res.MemberAssignment = code(r.Err), r.Assignment
			if r.Err == nil {
				res.ProtocolType, res.Protocol = &r.ProtocolType, &r.Protocol
			}
			if res.MemberAssignment == nil {
				res.MemberAssignment = []byte{}
			}
			e.answerWith(res, reply)
		})
	})
}

// heartbeat answers at once: it changes nothing, so it need not wait for the disk.
func (e *Engine) heartbeat(req *kmsg.HeartbeatRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.HeartbeatResponse)
	e.do(func() {
		g := e.groups[req.Group]
		if g == nil {
			res.ErrorCode = kerr.UnknownMemberID.Code
		} else {
			e.touch(g, func(g *groupState, now time.Time) {
				res.ErrorCode = code(g.machine.Heartbeat(now, req.MemberID, orEmpty(req.InstanceID), req.Generation))
			})
		}
		reply(res)
	})
}

func (e *Engine) leaveGroup(req *kmsg.LeaveGroupRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.LeaveGroupResponse)
	leaving := []group.LeaveMember{{MemberID: req.MemberID}}
	if req.Version >= 3 {
		leaving = nil
		for _, m := range req.Members {
			leaving = append(leaving, group.LeaveMember{MemberID: m.MemberID, InstanceID: orEmpty(m.InstanceID)})
		}
	}
	e.onGroup(req.Group, func(g *groupState, now time.Time) {
		errs := g.machine.Leave(now, leaving)
		for i, err := range errs {
			if req.Version < 3 {
				res.ErrorCode = code(err)
				break
			}
			sm := kmsg.NewLeaveGroupResponseMember()
			sm.MemberID, sm.InstanceID, sm.ErrorCode = leaving[i].MemberID, orNull(leaving[i].InstanceID), code(err)
			res.Members = append(res.Members, sm)
		}
		e.answerWith(res, reply)
	})
}

// exists reports whether clients may know the group: it has had members, or has offsets.
func (g *groupState) exists() bool {
	return g != nil && (g.stored || len(g.offsets) > 0 || len(g.pending) > 0 || g.machine.State() != group.Empty)
}

func (e *Engine) listGroups(req *kmsg.ListGroupsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.ListGroupsResponse)
	e.do(func() {
		for _, g := range e.groups {
			d := g.machine.Describe()
			listed := g.exists() && (len(req.StatesFilter) == 0 || containsFold(req.StatesFilter, d.State.String())) &&
				(len(req.TypesFilter) == 0 || containsFold(req.TypesFilter, "classic"))
			if listed {
				sg := kmsg.NewListGroupsResponseGroup()
				sg.Group, sg.ProtocolType, sg.GroupState, sg.GroupType = g.name, d.ProtocolType, d.State.String(), "classic"
				res.Groups = append(res.Groups, sg)
			}
		}
		slices.SortFunc(res.Groups, func(a, b kmsg.ListGroupsResponseGroup) int { return cmp.Compare(a.Group, b.Group) })
		e.answer(res, reply)
	})
}

func (e *Engine) describeGroups(req *kmsg.DescribeGroupsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.DescribeGroupsResponse)
	e.do(func() {
		for _, name := range req.Groups {
			sg := kmsg.NewDescribeGroupsResponseGroup()
			sg.Group, sg.State = name, group.Dead.String()
			if g := e.groups[name]; g.exists() {
				describe(&sg, g.machine.Describe())
			} else if req.Version >= 6 {
				sg.ErrorCode = kerr.GroupIDNotFound.Code
				sg.ErrorMessage = message(protocolError(kerr.GroupIDNotFound, "Group %s not found.", name))
			}
			res.Groups = append(res.Groups, sg)
		}
		e.answer(res, reply)
	})
}

func describe(sg *kmsg.DescribeGroupsResponseGroup, d group.Description) {
	sg.State, sg.ProtocolType, sg.Protocol = d.State.String(), d.ProtocolType, d.Protocol
	for _, m := range d.Members {
		sm := kmsg.NewDescribeGroupsResponseGroupMember()
		sm.MemberID, sm.InstanceID, sm.ClientID, sm.ClientHost = m.MemberID, orNull(m.InstanceID), m.ClientID, m.ClientHost
		sm.ProtocolMetadata, sm.MemberAssignment = m.Metadata, m.Assignment
		sg.Members = append(sg.Members, sm)
	}
}

func (e *Engine) deleteGroups(req *kmsg.DeleteGroupsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.DeleteGroupsResponse)
	e.do(func() {
		for _, name := range req.Groups {
			sg := kmsg.NewDeleteGroupsResponseGroup()
			sg.Group = name
			err := protocolError(kerr.GroupIDNotFound, "Group %s not found.", name)
			if g := e.groups[name]; g.exists() {
				err = e.deleteGroup(g)
			}
			sg.ErrorCode, sg.ErrorMessage = code(err), message(err)
			res.Groups = append(res.Groups, sg)
		}
		e.answer(res, reply)
	})
}

func (e *Engine) deleteGroup(g *groupState) error {
	if err := g.machine.Delete(); err != nil {
		return err
	}
	delete(e.groups, g.name)
	e.open.batch.DeleteGroup(g.name)
	return nil
}

// forgetGroups deletes the offsets of groups that have been empty for long, and groups without members and offsets.
func (e *Engine) forgetGroups(now time.Time) {
	for _, g := range e.groups {
		since, empty := g.machine.EmptySince()
		if !empty || len(g.pending) > 0 || !g.alarm.IsZero() { // a client may be joining
			continue
		}
		for tp, o := range maps.All(g.offsets) {
			if now.Sub(newer(since, time.UnixMilli(o.Committed))) > offsetRetention {
				e.deleteOffset(g, tp)
			}
		}
		if len(g.offsets) == 0 && now.Sub(since) > time.Minute {
			_ = e.deleteGroup(g)
		}
	}
}

func newer(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
