package group

import (
	"slices"
	"time"
)

// Snapshot is what must survive a crash: the last generation that the leader has assigned, or that the group is empty.
// It does not include a rebalance in progress: the members join again, as they do after any crash of a broker.
type Snapshot struct {
	generation   int32
	emptySince   time.Time // zero with members, or if there never were any
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

// Changed reports whether the snapshot differs from the last one returned: a leader has assigned, the last member has
// left, or a static member was replaced in a stable group.
func (g *Group) Changed() bool { return g.changed }

// Snapshot returns what must survive a crash. It shares memory with the Group, but neither modifies that memory.
func (g *Group) Snapshot() Snapshot {
	g.changed = false
	return g.durable
}

// updateSnapshot updates the snapshot to the current state.
func (g *Group) updateSnapshot() {
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

// Restore returns the group of a snapshot. Its members have a full session timeout, from now, to send a request.
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
		g.prepare(now) // the members that join again first stay
	}
	return g
}

// isValid reports whether the snapshot describes a possible state.
func (s Snapshot) isValid() bool {
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
