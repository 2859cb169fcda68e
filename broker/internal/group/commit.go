package group

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// MayCommit says whether offsets may be committed under an identity, by OffsetCommit or, transactional, by TxnOffsetCommit.
// A member may, in its generation and while the next one is prepared, and has given a sign of life by it. Who claims no
// generation, such as a tool or a consumer without a group, may while the group is Empty; a transaction that names nobody
// may always, since producers from before KIP-447 could not.
func (g *Group) MayCommit(now time.Time, memberID, instanceID string, generation int32, transactional bool) error {
	anonymous := generation < 0 && memberID == "" && instanceID == ""
	switch {
	case g.state == Dead:
		return kerr.CoordinatorNotAvailable
	case generation < 0 && g.state == Empty, anonymous && transactional:
		return nil
	case anonymous:
		return kerr.UnknownMemberID
	}
	m, err := g.identify(memberID, instanceID)
	switch {
	case err != nil:
		return err
	case generation != g.generation:
		return kerr.IllegalGeneration
	case transactional:
		return nil
	case g.state == CompletingRebalance:
		return kerr.RebalanceInProgress // it has joined, so what it had may be another's soon
	}
	m.renew(now)
	return nil
}
