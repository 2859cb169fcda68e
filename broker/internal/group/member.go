package group

import (
	"bytes"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// newMemberTimeout bounds how long a new member may wait for its first generation. It does not know its id yet, so it
// cannot send heartbeats, and one that has given up must be removed some time.
const newMemberTimeout = 5 * time.Minute

// member is a member of the group.
type member struct {
	id, instanceID       string
	clientID, clientHost string
	session, rebalance   time.Duration
	protocols            []Protocol
	assignment           []byte
	expires              time.Time // end of the session, unless it is renewed

	isNew    bool            // has not been part of a generation yet
	unsynced bool            // has not synced in this generation
	join     func(JoinReply) // set while it waits for the next generation
	sync     func(SyncReply) // set while it waits for the leader's assignment
}

// renew renews the session.
func (m *member) renew(now time.Time) {
	m.expires = now.Add(m.session)
	if m.isNew {
		m.expires = now.Add(newMemberTimeout)
	}
}

// mustSendHeartbeats reports whether the session can expire. While a request of the member waits for the group, it
// cannot.
func (m *member) mustSendHeartbeats() bool { return m.isNew || m.join == nil && m.sync == nil }

// adopt updates the member from a JoinRequest, and makes it wait for the answer. An older waiting request was given up
// by the client, so it gets any answer that would make the client join again.
func (m *member) adopt(r JoinRequest, reply func(JoinReply)) {
	m.answerJoin(refuseJoin(kerr.RebalanceInProgress, m.id))
	m.session, m.rebalance, m.protocols, m.join = r.SessionTimeout, r.RebalanceTimeout, r.Protocols, reply
}

// answer answers the member's waiting requests with err.
func (m *member) answer(err error) {
	m.answerJoin(refuseJoin(err, m.id))
	m.answerSync(SyncReply{Err: err})
}

func (m *member) answerJoin(r JoinReply) {
	if reply := m.join; reply != nil {
		m.join = nil
		reply(r)
	}
}

func (m *member) answerSync(r SyncReply) {
	if reply := m.sync; reply != nil {
		m.sync = nil
		reply(r)
	}
}

// supports reports whether the member supports a protocol of that name.
func (m *member) supports(protocol string) bool {
	return slices.ContainsFunc(m.protocols, func(p Protocol) bool { return p.Name == protocol })
}

// metadata returns the member's metadata for a protocol.
func (m *member) metadata(protocol string) []byte {
	for _, p := range m.protocols {
		if p.Name == protocol {
			return p.Metadata
		}
	}
	return nil
}

// hasProtocols reports whether the member's protocols are unchanged.
func (m *member) hasProtocols(protocols []Protocol) bool {
	return slices.EqualFunc(m.protocols, protocols, func(a, b Protocol) bool {
		return a.Name == b.Name && bytes.Equal(a.Metadata, b.Metadata)
	})
}
