package group

import (
	"bytes"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// SyncRequest asks for the member's assignment; the leader's request holds the assignments of all members.
type SyncRequest struct {
	MemberID, InstanceID   string
	Generation             int32
	ProtocolType, Protocol string            // "" if not given
	Assignments            map[string][]byte // of the leader only, by member id
}

// SyncReply is a member's assignment.
type SyncReply struct {
	Err                    error // a *kerr.Error, or the error of Shutdown
	ProtocolType, Protocol string
	Assignment             []byte
}

// Sync answers with the member's assignment once there is one. It calls reply exactly once, during this call or a later
// one; reply must not call the Group. The request's bytes may be reused after the call.
func (g *Group) Sync(now time.Time, r SyncRequest, reply func(SyncReply)) {
	m, err := g.syncingMember(r)
	if err != nil {
		reply(SyncReply{Err: err})
		return
	}
	m.renew(now)
	m.unsynced = false
	if g.find(func(m *member) bool { return m.unsynced }) == nil {
		g.syncBy = time.Time{}
	}
	if g.state == Stable {
		reply(g.assigned(m))
		return
	}
	m.answerSync(SyncReply{Err: kerr.RebalanceInProgress}) // an earlier request, which the client has given up
	m.sync = reply
	if m == g.leader {
		g.assign(now, r.Assignments)
	}
}

// syncingMember returns the member that sent r, or an error if it may not sync.
func (g *Group) syncingMember(r SyncRequest) (*member, error) {
	m, err := g.identify(r.MemberID, r.InstanceID)
	switch {
	case err != nil:
		return nil, err
	case r.Generation != g.generation:
		return nil, kerr.IllegalGeneration
	case r.ProtocolType != "" && r.ProtocolType != g.protocolType, r.Protocol != "" && g.protocol != "" && r.Protocol != g.protocol:
		return nil, kerr.InconsistentGroupProtocol // KIP-559
	case g.state == PreparingRebalance:
		return nil, kerr.RebalanceInProgress
	}
	return m, nil
}

// assign makes the group stable. A member without an assignment gets an empty one.
func (g *Group) assign(now time.Time, assignments map[string][]byte) {
	for _, m := range g.members {
		m.assignment = bytes.Clone(assignments[m.id])
	}
	g.state = Stable
	g.updateSnapshot()
	for _, m := range g.members {
		if m.sync != nil {
			m.renew(now)
			m.answerSync(g.assigned(m))
		}
	}
}

func (g *Group) assigned(m *member) SyncReply {
	return SyncReply{ProtocolType: g.protocolType, Protocol: g.protocol, Assignment: m.assignment}
}
