package group

import (
	"slices"
	"time"
)

// Snapshot is what must survive a crash: the last generation that the leader has assigned, or that the group is empty. What
// was going on since then is not in it. Its members come again, as they do after every crash of a broker.
type Snapshot struct {
	generation   int32
	emptySince   time.Time // zero with members, or if there were never any
	protocolType string
	protocol     string
	leader       string // member id, "" without members
	members      []memberSnapshot
}

type memberSnapshot struct {
	id, instanceID, clientID, clientHost string
	session, rebalance                   time.Duration // kept in milliseconds, as in the protocol
	protocols                            []Protocol
	assignment                           []byte
}

// Changed reports whether the snapshot differs from the last one taken: a leader has assigned, the last member has gone, or
// the place of a static member was taken in a stable group.
func (g *Group) Changed() bool { return g.changed }

// Snapshot returns what must survive a crash. It shares memory with the Group, but neither changes it.
func (g *Group) Snapshot() Snapshot {
	g.changed = false
	return g.durable
}

// record makes the group as it is what must survive.
func (g *Group) record() {
	s := Snapshot{generation: g.generation, protocolType: g.protocolType, protocol: g.protocol}
	if g.state == Empty {
		s.emptySince = g.emptySince
	} else {
		s.leader = g.leader.id
	}
	for _, m := range g.members {
		s.members = append(s.members, memberSnapshot{
			m.id, m.instanceID, m.clientID, m.clientHost, m.session, m.rebalance, m.protocols, m.assignment,
		})
	}
	g.durable, g.changed = s, true
}

// Restore returns the group of a snapshot. Its members are alive as of now: each has a session timeout to be heard of.
func Restore(name string, cfg Config, newMemberID func(clientID string) string, s Snapshot, now time.Time) *Group {
	g := New(name, cfg, newMemberID)
	g.generation, g.emptySince, g.protocolType, g.protocol, g.durable = s.generation, s.emptySince, s.protocolType, s.protocol, s
	for _, kept := range s.members {
		m := &member{
			id: kept.id, instanceID: kept.instanceID, clientID: kept.clientID, clientHost: kept.clientHost,
			session: kept.session, rebalance: kept.rebalance, protocols: kept.protocols, assignment: kept.assignment,
		}
		m.renew(now)
		g.members = append(g.members, m)
	}
	if len(g.members) == 0 {
		return g
	}
	g.state, g.leader = Stable, g.member(s.leader)
	if cfg.MaxSize > 0 && len(g.members) > cfg.MaxSize {
		g.prepare(now) // those who join again first stay
	}
	return g
}

// isSound reports whether a group can be in the state that the snapshot describes.
func (s Snapshot) isSound() bool {
	if len(s.members) == 0 {
		return s.leader == "" && s.protocol == ""
	}
	ids, instances := make(map[string]bool), make(map[string]bool)
	for _, m := range s.members {
		if m.id == "" || ids[m.id] || instances[m.instanceID] || m.session <= 0 || m.rebalance <= 0 {
			return false
		}
		if !slices.ContainsFunc(m.protocols, func(p Protocol) bool { return p.Name == s.protocol }) {
			return false
		}
		ids[m.id] = true
		if m.instanceID != "" {
			instances[m.instanceID] = true
		}
	}
	return s.protocolType != "" && ids[s.leader] && s.emptySince.IsZero()
}
