package group

import (
	"slices"
	"time"
)

// alarm is something that happens when its time comes.
type alarm struct {
	at   time.Time
	ring func(now time.Time)
}

// Tick ends the sessions, the rebalances and the invitations whose time is over, in the order in which it was over.
func (g *Group) Tick(now time.Time) {
	for {
		next, ok := g.nextAlarm()
		if !ok || next.at.After(now) {
			return
		}
		next.ring(now)
	}
}

// Deadline returns when Tick has something to do next; false if nothing waits for the time.
func (g *Group) Deadline() (at time.Time, ok bool) {
	next, ok := g.nextAlarm()
	return next.at, ok
}

// nextAlarm returns the earliest alarm. To look at all members for it costs less than to keep them sorted would cost code.
func (g *Group) nextAlarm() (next alarm, ok bool) {
	isNext := func(at time.Time) bool {
		if at.IsZero() || ok && !at.Before(next.at) {
			return false
		}
		next.at, ok = at, true
		return true
	}
	for _, m := range g.members {
		if m.expects() && isNext(m.expires) {
			next.ring = func(now time.Time) { g.sessionIsOver(now, m) }
		}
	}
	for _, i := range g.invited {
		if isNext(i.expires) {
			next.ring = func(now time.Time) { g.invitationIsOver(now, i) }
		}
	}
	if isNext(g.joinBy) {
		next.ring = g.joinTimeIsOver
	}
	if isNext(g.syncBy) {
		next.ring = g.syncTimeIsOver
	}
	return next, ok
}

// sessionIsOver expels a member. An initial rebalance, too, is over when nobody is left to wait for, as in Kafka.
func (g *Group) sessionIsOver(now time.Time, m *member) {
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

// syncTimeIsOver expels the members that never asked for their assignment.
func (g *Group) syncTimeIsOver(now time.Time) {
	for _, m := range slices.Clone(g.members) {
		if m.unsynced {
			g.remove(m)
		}
	}
	g.prepare(now)
}
