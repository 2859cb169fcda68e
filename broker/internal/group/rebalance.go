package group

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// rebalance begins a new generation, or goes on with the one that is being prepared.
func (g *Group) rebalance(now time.Time) {
	if g.state == PreparingRebalance {
		g.completeIfAllJoined(now)
		return
	}
	g.prepare(now)
}

// prepare calls all members to join.
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

// cancelSyncs sends those who wait for the assignment of this generation to join the next.
func (g *Group) cancelSyncs(now time.Time) {
	for _, m := range g.members {
		if m.sync != nil {
			m.renew(now)
			m.answerSync(SyncReply{Err: kerr.RebalanceInProgress})
		}
	}
}

// completeIfAllJoined ends the preparation if there is nobody left to wait for. An initial one waits for its time.
func (g *Group) completeIfAllJoined(now time.Time) {
	if g.state == PreparingRebalance && !g.initial && g.allJoined() {
		g.complete(now)
	}
}

// joinTimeIsOver ends the preparation without those who have not joined, or prolongs an initial one that has just grown.
func (g *Group) joinTimeIsOver(now time.Time) {
	if g.initial && g.grown && now.Before(g.initialUntil) {
		g.grown = false
		g.joinBy = now.Add(min(g.cfg.InitialDelay, g.initialUntil.Sub(now)))
		return
	}
	g.complete(now)
}

// complete begins the next generation with those who have joined, and with the static members, who keep their place as long
// as their session. Without a member that could lead it, everyone is given time once more.
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
		m.answerJoin(g.joined(m))
	}
}

// becomeEmpty ends the last member's generation: what was committed in it must not be committed again.
func (g *Group) becomeEmpty(now time.Time) {
	g.generation++
	g.state, g.protocol, g.emptySince = Empty, "", now
	g.record()
}

// electLeader makes the first who has joined the leader, unless the last one has.
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

// selectProtocol returns the protocol with most votes. Each member votes for the first of its own that all support, and
// among equals the one that was voted for first wins. There is at least one: whoever would leave none is refused.
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

// waiting counts the members that have joined and wait for the next generation.
func (g *Group) waiting() int {
	n := 0
	for _, m := range g.members {
		if m.join != nil {
			n++
		}
	}
	return n
}

// rebalanceTimeout returns how long the slowest member may take to join.
func (g *Group) rebalanceTimeout() time.Duration {
	var longest time.Duration
	for _, m := range g.members {
		longest = max(longest, m.rebalance)
	}
	return longest
}
