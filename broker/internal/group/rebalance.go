package group

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// rebalance starts a new generation, or continues preparing one.
func (g *Group) rebalance(now time.Time) {
	if g.state == PreparingRebalance {
		g.completeIfAllJoined(now)
		return
	}
	g.prepare(now)
}

// prepare asks all members to join.
func (g *Group) prepare(now time.Time) {
	if g.state == CompletingRebalance {
		g.cancelSyncs(now)
	}
	g.syncBy = time.Time{}
	g.initial = g.state == Empty
	g.state = PreparingRebalance
	switch {
	case g.initial && g.cfg.InitialDelay > 0:
		g.grown = false
		g.joinBy, g.initialUntil = now.Add(g.cfg.InitialDelay), now.Add(g.rebalanceTimeout())
	case g.initial, g.allJoined(), len(g.members) == 0:
		g.complete(now)
	default:
		g.joinBy = now.Add(g.rebalanceTimeout())
	}
}

// cancelSyncs tells members that wait for the assignment of this generation to join the next.
func (g *Group) cancelSyncs(now time.Time) {
	for _, m := range g.members {
		if m.sync != nil {
			m.renew(now)
			m.answerSync(SyncReply{Err: kerr.RebalanceInProgress})
		}
	}
}

// completeIfAllJoined ends the preparation if there is nobody left to wait for. An initial rebalance ends at its
// deadline.
func (g *Group) completeIfAllJoined(now time.Time) {
	if g.state == PreparingRebalance && !g.initial && g.allJoined() {
		g.complete(now)
	}
}

// expireJoin ends the preparation without the members that have not joined, or prolongs an initial rebalance if new
// members have joined.
func (g *Group) expireJoin(now time.Time) {
	if g.initial && g.grown && now.Before(g.initialUntil) {
		g.grown = false
		g.joinBy = now.Add(min(g.cfg.InitialDelay, g.initialUntil.Sub(now)))
		return
	}
	g.complete(now)
}

// complete starts the next generation with the members that have joined and with the static members, which keep their
// place as long as their session. If no member can lead it, all members get more time.
func (g *Group) complete(now time.Time) {
	g.joinBy = time.Time{}
	for _, m := range slices.Clone(g.members) {
		if m.join == nil && m.instanceID == "" {
			g.remove(m)
		}
	}
	if len(g.members) == 0 {
		g.becomeEmpty(now)
		return
	}
	if !g.electLeader() {
		g.joinBy = now.Add(g.rebalanceTimeout())
		return
	}
	g.generation++
	g.state, g.protocol = CompletingRebalance, g.selectProtocol()
	g.syncBy = now.Add(g.rebalanceTimeout())
	for _, m := range g.members {
		m.isNew, m.unsynced = false, true
		m.renew(now)
		m.answerJoin(g.joinReply(m))
	}
}

// becomeEmpty starts a generation without members, so that commits of the last member's generation are refused.
func (g *Group) becomeEmpty(now time.Time) {
	g.generation++
	g.state, g.protocol, g.emptySince = Empty, "", now
	g.updateSnapshot()
}

// electLeader keeps the leader if it has joined, or else elects the first member that has. It reports whether there is
// one.
func (g *Group) electLeader() bool {
	if g.leader.join != nil {
		return true
	}
	joined := g.find(func(m *member) bool { return m.join != nil })
	if joined == nil {
		return false
	}
	g.leader = joined
	return true
}

// selectProtocol returns the protocol with the most votes. Each member votes for its first one that all members
// support; among equals, the one voted for first wins. There is always one: a member that would leave none is refused.
func (g *Group) selectProtocol() string {
	votes := make(map[string]int)
	var order []string
	for _, m := range g.members {
		for _, p := range m.protocols {
			if g.supportedByAll(p.Name) {
				votes[p.Name]++
				order = append(order, p.Name)
				break
			}
		}
	}
	var most string
	for _, name := range order {
		if votes[name] > votes[most] {
			most = name
		}
	}
	return most
}

func (g *Group) supportedByAll(protocol string) bool {
	return g.find(func(m *member) bool { return !m.supports(protocol) }) == nil
}

func (g *Group) allJoined() bool { return len(g.invited) == 0 && g.waiting() == len(g.members) }

// waiting counts the members that have joined the next generation.
func (g *Group) waiting() int {
	n := 0
	for _, m := range g.members {
		if m.join != nil {
			n++
		}
	}
	return n
}

// rebalanceTimeout returns the longest rebalance timeout of the members.
func (g *Group) rebalanceTimeout() time.Duration {
	var longest time.Duration
	for _, m := range g.members {
		longest = max(longest, m.rebalance)
	}
	return longest
}
