package group

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Config holds the broker's limits for the members of a group.
type Config struct {
	// A session timeout outside of these limits is refused with INVALID_SESSION_TIMEOUT. Zero: no limit.
	MinSession, MaxSession time.Duration
	// InitialDelay is how long an empty group waits for more members before its next generation. As long as members
	// join, it waits again, up to the rebalance timeout of the first. Zero: it does not wait.
	InitialDelay time.Duration
	// MaxSize is the maximum number of members; further ones get GROUP_MAX_SIZE_REACHED. Zero: no limit.
	MaxSize int
}

// Group is the membership of one consumer group. One goroutine owns it.
type Group struct {
	name        string
	cfg         Config
	newMemberID func(clientID string) string

	state        State
	emptySince   time.Time // zero if the group never had members
	generation   int32
	protocolType string
	protocol     string    // the protocol that this generation has chosen
	leader       *member   // nil without members
	members      []*member // in the order in which they joined
	invited      []invitation

	joinBy       time.Time // deadline of PreparingRebalance; zero in other states
	initial      bool      // this rebalance began from Empty, so it waits for more members
	grown        bool      // a member has joined since joinBy was set, in an initial rebalance
	initialUntil time.Time // upper limit of joinBy, in an initial rebalance
	syncBy       time.Time // deadline for members to sync; zero if all have

	durable Snapshot // the snapshot that must survive a crash
	changed bool     // whether durable has changed since the last Snapshot
}

// invitation is a member id given to a client that has not joined with it yet (KIP-394).
type invitation struct {
	memberID string
	expires  time.Time
}

// New returns an empty group. The ids of new members come from newMemberID, which must never return the same one twice.
// For a static member its argument is the instance id in place of the client id, as in Kafka.
func New(name string, cfg Config, newMemberID func(clientID string) string) *Group {
	return &Group{name: name, cfg: cfg, newMemberID: newMemberID}
}

// Name returns the group's id.
func (g *Group) Name() string { return g.name }

// State returns the state of the group.
func (g *Group) State() State { return g.state }

// EmptySince returns since when the group has had no members; false if it has some or is Dead. The zero time means that
// it never had any: the age of its offsets then follows from the commits alone.
func (g *Group) EmptySince() (time.Time, bool) { return g.emptySince, g.state == Empty }

// Delete deletes the group. It returns NON_EMPTY_GROUP unless the group is Empty, GROUP_ID_NOT_FOUND if it is Dead
// already.
func (g *Group) Delete() error {
	switch g.state {
	case Empty:
		g.end()
		return nil
	case Dead:
		return kerr.GroupIDNotFound
	}
	return kerr.NonEmptyGroup
}

// Shutdown answers all waiting requests with err. The group is then Dead in memory, while its last snapshot stays
// unchanged.
func (g *Group) Shutdown(err error) {
	for _, m := range g.members {
		m.answer(err)
	}
	g.end()
}

func (g *Group) end() {
	g.state, g.leader, g.members, g.invited = Dead, nil, nil, nil
	g.joinBy, g.syncBy = time.Time{}, time.Time{}
}

// identify returns the member that sent a request. A static member that a newer process with the same instance id has
// replaced is fenced (KIP-345).
func (g *Group) identify(memberID, instanceID string) (*member, error) {
	if g.state == Dead {
		return nil, kerr.CoordinatorNotAvailable
	}
	if instanceID != "" {
		switch m := g.static(instanceID); {
		case m == nil:
			return nil, kerr.UnknownMemberID
		case m.id != memberID:
			return nil, kerr.FencedInstanceID
		}
	}
	if m := g.member(memberID); m != nil {
		return m, nil
	}
	return nil, kerr.UnknownMemberID
}

func (g *Group) member(id string) *member {
	return g.find(func(m *member) bool { return m.id == id })
}

func (g *Group) static(instanceID string) *member {
	return g.find(func(m *member) bool { return m.instanceID == instanceID && instanceID != "" })
}

func (g *Group) find(is func(*member) bool) *member {
	if i := slices.IndexFunc(g.members, is); i >= 0 {
		return g.members[i]
	}
	return nil
}

// remove removes a member from the group, and answers its waiting requests.
func (g *Group) remove(m *member) {
	m.answer(kerr.UnknownMemberID)
	g.members = slices.DeleteFunc(g.members, func(other *member) bool { return other == m })
	if g.leader != m {
		return
	}
	g.leader = nil
	if len(g.members) > 0 {
		g.leader = g.members[0]
	}
}

func (g *Group) isInvited(memberID string) bool {
	return slices.ContainsFunc(g.invited, func(i invitation) bool { return i.memberID == memberID })
}

func (g *Group) forgetInvitation(memberID string) {
	g.invited = slices.DeleteFunc(g.invited, func(i invitation) bool { return i.memberID == memberID })
}
