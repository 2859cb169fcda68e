package group

import (
	"bytes"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// JoinRequest asks to join the next generation.
type JoinRequest struct {
	MemberID, InstanceID             string // "" if not given
	ClientID, ClientHost             string
	SessionTimeout, RebalanceTimeout time.Duration // whole milliseconds; without a rebalance timeout (JoinGroup v0), the session timeout is used
	ProtocolType                     string
	Protocols                        []Protocol // in the member's order of preference

	// RequireMemberID (JoinGroup v4+): a new dynamic member first gets MEMBER_ID_REQUIRED and an id (KIP-394).
	RequireMemberID bool
	// SupportsSkippingAssignment (v9+): a returning static leader may be told not to assign (KIP-814).
	SupportsSkippingAssignment bool
}

// Protocol is an assignment protocol that a member supports, and the member's metadata for it.
type Protocol struct {
	Name     string
	Metadata []byte
}

// JoinReply is the answer to a JoinRequest.
type JoinReply struct {
	Err                    error // a *kerr.Error, or the error of Shutdown
	Generation             int32 // -1 with an error
	ProtocolType, Protocol string
	Leader, MemberID       string
	SkipAssignment         bool
	Members                []JoinMember // for the leader only
}

// JoinMember is a member as sent to the leader.
type JoinMember struct {
	MemberID, InstanceID string
	Metadata             []byte
}

func refuseJoin(err error, memberID string) JoinReply {
	return JoinReply{Err: err, MemberID: memberID, Generation: -1}
}

// Join adds a member, known or new, to the next generation. It calls reply exactly once, during this call or a later
// one; reply must not call the Group. The request's bytes may be reused after the call.
func (g *Group) Join(now time.Time, r JoinRequest, reply func(JoinReply)) {
	if r.RebalanceTimeout < time.Millisecond {
		r.RebalanceTimeout = r.SessionTimeout
	}
	if err := g.checkJoin(r); err != nil {
		if err == kerr.GroupMaxSizeReached {
			g.withdrawInvitation(now, r.MemberID)
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

// checkJoin returns an error if the request is invalid for any member.
func (g *Group) checkJoin(r JoinRequest) error {
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

// isFull reports whether there is no room for the sender. While the group prepares a rebalance, only members that have
// joined again count: if the group has more members than allowed (because the limit changed at a restart), the last
// ones to join lose their place.
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

// withdrawInvitation forgets the invitation of a client that is rejected because the group is full.
func (g *Group) withdrawInvitation(now time.Time, memberID string) {
	g.forgetInvitation(memberID)
	if m := g.member(memberID); m != nil {
		g.remove(m)
	}
	g.completeIfAllJoined(now)
}

// isConsistent reports whether the other members have a protocol in common with the request.
func (g *Group) isConsistent(r JoinRequest) bool {
	if g.state == Empty {
		return r.ProtocolType != "" && len(r.Protocols) > 0
	}
	inCommon := slices.ContainsFunc(r.Protocols, func(p Protocol) bool { return g.supportedByAll(p.Name) })
	return inCommon && r.ProtocolType == g.protocolType
}

// invite gives an id to a client that has none, so that a retry does not count as another member (KIP-394).
func (g *Group) invite(now time.Time, r JoinRequest, reply func(JoinReply)) {
	id := g.newMemberID(r.ClientID)
	g.invited = append(g.invited, invitation{id, now.Add(r.SessionTimeout)})
	reply(refuseJoin(kerr.MemberIDRequired, id))
}

// add adds a new member, which waits for the next generation.
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

// rejoin answers a member whose metadata is unchanged with its current generation, because it may have missed the first
// answer. The leader of a stable group always starts a new one: it may have seen changes, for example of partitions,
// that no metadata shows.
func (g *Group) rejoin(now time.Time, r JoinRequest, reply func(JoinReply)) {
	m, err := g.identify(r.MemberID, r.InstanceID)
	if err != nil {
		reply(refuseJoin(err, r.MemberID))
		return
	}
	m.renew(now)
	missed := g.state == CompletingRebalance || g.state == Stable && m != g.leader
	if missed && m.hasProtocols(r.Protocols) {
		reply(g.joinReply(m))
		return
	}
	m.adopt(r, reply)
	g.rebalance(now)
}

// replace gives the place of a static member to a new process with its instance id. In a stable group this does not
// start a rebalance, unless it changes the protocol that the members agree on (KIP-345).
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
	g.updateSnapshot()
	joined := g.joinReply(m)
	if r.SupportsSkippingAssignment {
		joined.SkipAssignment = m == g.leader
	} else {
		// A member that is told that it leads would compute an assignment and wait for a response that never comes. So the response
		// names the former id of the leader (KIP-814).
		joined.Leader, joined.Members = leaderBefore, nil
	}
	m.answerJoin(joined)
}

// joinReply returns the response that contains the generation for m.
func (g *Group) joinReply(m *member) JoinReply {
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
