package group

import (
	"slices"
	"time"
)

// alarm is an action to run at a given time.
type alarm struct {
	at   time.Time
	ring func(now time.Time)
}

// Tick expires the sessions, rebalances and invitations whose deadline has passed, in the order of the deadlines.
func (g *Group) Tick(now time.Time) {
	for {
		next, ok := g.nextAlarm()
		if !ok || next.at.After(now) {
			return
		}
		next.ring(now)
	}
}

// Deadline returns when Tick must be called next; false if there is no deadline.
func (g *Group) Deadline() (at time.Time, ok bool) {
	next, ok := g.nextAlarm()
	return next.at, ok
}

// nextAlarm returns the earliest alarm. It scans all members, because keeping them sorted would need more code.
func (g *Group) nextAlarm() (next alarm, ok bool) {
	isNext := func(at time.Time) bool {
		if at.IsZero() || ok && !at.Before(next.at) {
			return false
		}
		next.at, ok = at, true
		return true
	}
	for _, m := range g.members {
		if m.mustSendHeartbeats() && isNext(m.expires) {
			next.ring = func(now time.Time) { g.expireSession(now, m) }
		}
	}
	for _, i := range g.invited {
		if isNext(i.expires) {
			next.ring = func(now time.Time) { g.invitationIsOver(now, i) }
		}
	}
	if isNext(g.joinBy) {
		next.ring = g.expireJoin
	}
	if isNext(g.syncBy) {
		next.ring = g.expireSync
	}
	return next, ok
}

// expireSession removes a member. If there is nobody left to wait for, this also ends an initial rebalance, as in
// Kafka.
func (g *Group) expireSession(now time.Time, m *member) {
	g.remove(m)
	if g.state != PreparingRebalance {
		g.prepare(now)
	} else if g.allJoined() {
		g.complete(now)
	}
}

func (g *Group) invitationIsOver(now time.Time, i invitation) {
	g.forgetInvitation(i.memberID)
	if g.state == PreparingRebalance && g.allJoined() {
		g.complete(now)
	}
}

// expireSync removes the members that never asked for their assignment.
func (g *Group) expireSync(now time.Time) {
	for _, m := range slices.Clone(g.members) {
		if m.unsynced {
			g.remove(m)
		}
	}
	g.prepare(now)
}
