package group

import "time"

// LeaveMember names a member that leaves: by member id or, as administrators do for a static member, by its instance id
// alone.
type LeaveMember struct{ MemberID, InstanceID string }

// Leave removes members from the group and returns one error per member, nil if it was removed. They leave together, so
// there is one rebalance.
func (g *Group) Leave(now time.Time, members []LeaveMember) []error {
	errs := make([]error, len(members))
	before := len(g.members)
	for i, m := range members {
		errs[i] = g.leave(m)
	}
	if left := len(g.members) < before; left {
		g.rebalance(now)
	} else {
		g.completeIfAllJoined(now) // the others may have waited for an invited client
	}
	return errs
}

func (g *Group) leave(who LeaveMember) error {
	if g.isInvited(who.MemberID) {
		g.forgetInvitation(who.MemberID)
		return nil
	}
	if m := g.static(who.InstanceID); m != nil && who.MemberID == "" {
		who.MemberID = m.id
	}
	m, err := g.identify(who.MemberID, who.InstanceID)
	if err != nil {
		return err
	}
	g.remove(m)
	return nil
}
