package group

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Config holds what the broker demands of the members of a group.
type Config struct {
	// A session timeout outside of these is refused with INVALID_SESSION_TIMEOUT. Zero: no limit.
	MinSession, MaxSession time.Duration
	// InitialDelay is how long an empty group waits for more members before its next generation. If some come, it waits
	// once more, at most for the rebalance timeout of the first. Zero: not at all.
	InitialDelay time.Duration
	// MaxSize is how many members a group may have; one more hears GROUP_MAX_SIZE_REACHED. Zero: no limit.
	MaxSize int
}

// Group is the membership of one consumer group. One goroutine owns it.
type Group struct {
	name        string
	cfg         Config
	newMemberID func(clientID string) string

	state        State
	emptySince   time.Time // zero: since ever
	generation   int32
	protocolType string
	protocol     string    // the way to assign that this generation has chosen
	leader       *member   // nil without members
	members      []*member // in the order in which they came
	invited      []invitation

	joinBy       time.Time // PreparingRebalance ends without those who have not joined; zero: not preparing
	initial      bool      // this rebalance began from Empty, and so gives the others time to come
	grown        bool      // somebody has come since joinBy was set, in an initial rebalance
	initialUntil time.Time // joinBy is not prolonged beyond, in an initial rebalance
	syncBy       time.Time // members that have not synced are expelled; zero: all have

	durable Snapshot // what must survive a crash
	changed bool     // durable has not been taken yet
}

// invitation is an id that was given to a client that has not joined with it yet (KIP-394).
type invitation struct {
	memberID string
	expires  time.Time
}

// New returns an empty group. The ids of new members come from newMemberID, which must not give one twice; for a static
// member it is given the instance id in place of the client id, as in Kafka.
func New(name string, cfg Config, newMemberID func(clientID string) string) *Group {
	return &Group{name: name, cfg: cfg, newMemberID: newMemberID}
}

// Name returns the group's id.
func (g *Group) Name() string { return g.name }

// State returns where the group is in its circle.
func (g *Group) State() State { return g.state }

// EmptySince returns since when the group has had no members, false if it has some or is Dead. The zero time says that it
// never had any: only the commits themselves tell how old its offsets are.
func (g *Group) EmptySince() (time.Time, bool) { return g.emptySince, g.state == Empty }

// Delete ends the group: NON_EMPTY_GROUP unless it is Empty, GROUP_ID_NOT_FOUND if it is Dead already.
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

// Shutdown answers everyone who waits with err; after it the group is Dead here, while its last snapshot stays as it is.
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

// identify returns the member that a request speaks for. A static member whose place was taken by a newer process with the
// same instance id is fenced (KIP-345).
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

// remove takes a member out of the group, and tells it so if it waits for an answer.
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
