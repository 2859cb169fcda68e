package group

import (
	"bytes"
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// newMemberPatience is how long a member may wait for its first generation. It does not know its id yet, so it cannot
// heartbeat, and one that has given up must go some day.
const newMemberPatience = 5 * time.Minute

// member belongs to the group, at least until its session ends.
type member struct {
	id, instanceID       string
	clientID, clientHost string
	session, rebalance   time.Duration
	protocols            []Protocol
	assignment           []byte
	expires              time.Time // end of the session, if nothing is heard

	isNew    bool            // has not been in any generation
	unsynced bool            // has not synced in this generation
	join     func(JoinReply) // waits for the next generation
	sync     func(SyncReply) // waits for the leader's assignment
}

// renew begins the session anew.
func (m *member) renew(now time.Time) {
	m.expires = now.Add(m.session)
	if m.isNew {
		m.expires = now.Add(newMemberPatience)
	}
}

// expects reports whether the member has to give a sign of life. One that waits for the group gives it by waiting.
func (m *member) expects() bool { return m.isNew || m.join == nil && m.sync == nil }

// adopt takes over what a JoinRequest says, and makes the member wait for its answer. A request that waits already was
// given up by the client, which may be told anything that makes it join again.
func (m *member) adopt(r JoinRequest, reply func(JoinReply)) {
	m.answerJoin(refuseJoin(kerr.RebalanceInProgress, m.id))
	m.session, m.rebalance, m.protocols, m.join = r.SessionTimeout, r.RebalanceTimeout, r.Protocols, reply
}

// answer gives err to the requests of the member that wait.
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

// supports reports whether the member knows a protocol of that name.
func (m *member) supports(protocol string) bool {
	return slices.ContainsFunc(m.protocols, func(p Protocol) bool { return p.Name == protocol })
}

// metadata returns what the member says of itself under a protocol.
func (m *member) metadata(protocol string) []byte {
	for _, p := range m.protocols {
		if p.Name == protocol {
			return p.Metadata
		}
	}
	return nil
}

// says reports whether the member says now what it said before.
func (m *member) says(protocols []Protocol) bool {
	return slices.EqualFunc(m.protocols, protocols, func(a, b Protocol) bool {
		return a.Name == b.Name && bytes.Equal(a.Metadata, b.Metadata)
	})
}
