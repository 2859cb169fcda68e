package group

import "time"

// LeaveMember names who leaves: by member id, or a static member by its instance id alone, as an administrator does.
type LeaveMember struct{ MemberID, InstanceID string }

// Leave takes members out of the group and returns one error per member, nil for one that has left. They all leave at once,
// so there is one rebalance.
func (g *Group) Leave(now time.Time, members []LeaveMember) []error {
	errs := make([]error, len(members))
	before := len(g.members)
	for i, m := range members {
		errs[i] = g.leave(m)
	}
	if left := len(g.members) < before; left {
		g.rebalance(now)
	} else {
		g.completeIfAllJoined(now) // perhaps it was one with an invitation that the others have waited for
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
