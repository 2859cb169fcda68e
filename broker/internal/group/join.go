package group

import (
	"bytes"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// JoinRequest asks to enter the next generation.
type JoinRequest struct {
	MemberID, InstanceID             string // "": none
	ClientID, ClientHost             string
	SessionTimeout, RebalanceTimeout time.Duration // whole milliseconds; no rebalance timeout (JoinGroup v0): that of the session
	ProtocolType                     string
	Protocols                        []Protocol // in the member's order of preference

	// RequireMemberID (JoinGroup v4+): a new dynamic member first gets MEMBER_ID_REQUIRED and an id (KIP-394).
	RequireMemberID bool
	// SupportsSkippingAssignment (v9+): a static leader that returns may be told not to assign (KIP-814).
	SupportsSkippingAssignment bool
}

// Protocol is a way to assign that a member supports, and what the leader needs to know of the member for it.
type Protocol struct {
	Name     string
	Metadata []byte
}

// JoinReply says which generation the member is in.
type JoinReply struct {
	Err                    error // a *kerr.Error, or that of Shutdown
	Generation             int32 // -1 with an error
	ProtocolType, Protocol string
	Leader, MemberID       string
	SkipAssignment         bool
	Members                []JoinMember // for the leader only
}

// JoinMember is a member as the leader sees it.
type JoinMember struct {
	MemberID, InstanceID string
	Metadata             []byte
}

func refuseJoin(err error, memberID string) JoinReply {
	return JoinReply{Err: err, MemberID: memberID, Generation: -1}
}

// Join makes a member, known or new, part of the next generation. The reply is called exactly once, in this call or in a
// later one; it must not call the Group. The request's bytes may be reused after the call.
func (g *Group) Join(now time.Time, r JoinRequest, reply func(JoinReply)) {
	if r.RebalanceTimeout < time.Millisecond {
		r.RebalanceTimeout = r.SessionTimeout
	}
	if err := g.refuses(r); err != nil {
		if err == kerr.GroupMaxSizeReached {
			g.turnAway(now, r.MemberID)
		}
		reply(refuseJoin(err, r.MemberID))
		return
	}
	r.Protocols = cloneProtocols(r.Protocols)
	switch taken := g.static(r.InstanceID); {
	case r.MemberID != "" && r.InstanceID == "" && g.isInvited(r.MemberID):
		g.forgetInvitation(r.MemberID)
		g.add(now, r.MemberID, r, reply)
	case r.MemberID != "":
		g.rejoin(now, r, reply)
	case taken != nil:
		g.replace(now, taken, r, reply)
	case r.InstanceID != "":
		g.add(now, g.newMemberID(r.InstanceID), r, reply)
	case r.RequireMemberID:
		g.invite(now, r, reply)
	default:
		g.add(now, g.newMemberID(r.ClientID), r, reply)
	}
}

// refuses returns why nobody with such a request may join.
func (g *Group) refuses(r JoinRequest) error {
	tooShort := r.SessionTimeout < max(g.cfg.MinSession, time.Millisecond)
	tooLong := g.cfg.MaxSession > 0 && r.SessionTimeout > g.cfg.MaxSession
	switch {
	case g.state == Dead:
		return kerr.CoordinatorNotAvailable
	case tooShort, tooLong:
		return kerr.InvalidSessionTimeout
	case g.isFull(r):
		return kerr.GroupMaxSizeReached
	case !g.isConsistent(r):
		return kerr.InconsistentGroupProtocol
	}
	return nil
}

// isFull reports whether there is no room for the sender. While the group prepares, those count who have joined again: if
// it has more members than are allowed (since a restart with another limit), the last ones lose their place.
func (g *Group) isFull(r JoinRequest) bool {
	if g.cfg.MaxSize == 0 {
		return false
	}
	known := g.member(r.MemberID)
	if r.MemberID == "" {
		known = g.static(r.InstanceID)
	}
	if g.state == PreparingRebalance {
		return (known == nil || known.join == nil) && g.waiting() >= g.cfg.MaxSize
	}
	return known == nil && len(g.members) >= g.cfg.MaxSize
}

// turnAway forgets one for whom there is no room.
func (g *Group) turnAway(now time.Time, memberID string) {
	g.forgetInvitation(memberID)
	if m := g.member(memberID); m != nil {
		g.remove(m)
	}
	g.completeIfAllJoined(now)
}

// isConsistent reports whether the members, the sender among them if it is one, have a protocol in common with the request.
func (g *Group) isConsistent(r JoinRequest) bool {
	if g.state == Empty {
		return r.ProtocolType != "" && len(r.Protocols) > 0
	}
	inCommon := slices.ContainsFunc(r.Protocols, func(p Protocol) bool { return g.supportedByAll(p.Name) })
	return inCommon && r.ProtocolType == g.protocolType
}

// invite gives an id to a client that has none, so that a retry is not taken for one more member (KIP-394).
func (g *Group) invite(now time.Time, r JoinRequest, reply func(JoinReply)) {
	id := g.newMemberID(r.ClientID)
	g.invited = append(g.invited, invitation{id, now.Add(r.SessionTimeout)})
	reply(refuseJoin(kerr.MemberIDRequired, id))
}

// add makes a new member wait for the next generation.
func (g *Group) add(now time.Time, id string, r JoinRequest, reply func(JoinReply)) {
	m := &member{id: id, instanceID: r.InstanceID, clientID: r.ClientID, clientHost: r.ClientHost, isNew: true}
	m.adopt(r, reply)
	m.renew(now)
	if len(g.members) == 0 {
		g.protocolType, g.leader = r.ProtocolType, m
	}
	g.members = append(g.members, m)
	g.grown = true
	g.rebalance(now)
}

// rejoin answers a member that says nothing new with the generation it is in, for it may have missed the first answer.
// The leader of a stable group always begins a new one: it sees changes, as of partitions, that no metadata tells.
func (g *Group) rejoin(now time.Time, r JoinRequest, reply func(JoinReply)) {
	m, err := g.identify(r.MemberID, r.InstanceID)
	if err != nil {
		reply(refuseJoin(err, r.MemberID))
		return
	}
	m.renew(now)
	missed := g.state == CompletingRebalance || g.state == Stable && m != g.leader
	if missed && m.says(r.Protocols) {
		reply(g.joined(m))
		return
	}
	m.adopt(r, reply)
	g.rebalance(now)
}

// replace gives the place of a static member to a new process with its instance id. In a stable group that is no reason to
// assign anew, unless it changes the protocol that the members agree on (KIP-345).
func (g *Group) replace(now time.Time, m *member, r JoinRequest, reply func(JoinReply)) {
	m.answer(kerr.FencedInstanceID)
	leaderBefore := g.leader.id
	m.id, m.clientID, m.clientHost, m.isNew = g.newMemberID(r.InstanceID), r.ClientID, r.ClientHost, false
	m.adopt(r, reply)
	m.renew(now)
	if g.state != Stable || g.selectProtocol() != g.protocol {
		g.rebalance(now)
		return
	}
	g.record()
	joined := g.joined(m)
	if r.SupportsSkippingAssignment {
		joined.SkipAssignment = m == g.leader
	} else {
		// A leader would assign, and wait for the result in vain; it must not know that it is one (KIP-814).
		joined.Leader, joined.Members = leaderBefore, nil
	}
	m.answerJoin(joined)
}

// joined tells a member of the generation it is in.
func (g *Group) joined(m *member) JoinReply {
	r := JoinReply{
		Generation: g.generation, ProtocolType: g.protocolType, Protocol: g.protocol,
		Leader: g.leader.id, MemberID: m.id,
	}
	if m == g.leader {
		for _, m := range g.members {
			r.Members = append(r.Members, JoinMember{m.id, m.instanceID, m.metadata(g.protocol)})
		}
	}
	return r
}

func cloneProtocols(protocols []Protocol) []Protocol {
	clones := make([]Protocol, len(protocols))
	for i, p := range protocols {
		clones[i] = Protocol{p.Name, bytes.Clone(p.Metadata)}
	}
	return clones
}
