package group

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// MayCommit returns an error unless offsets may be committed under an identity, by OffsetCommit or, transactional, by
// TxnOffsetCommit. A member may commit in its generation and while the next one is prepared; the commit also renews its
// session. A client without a generation, such as a tool or a consumer without a group, may commit while the group is
// Empty. A transaction without a member may always commit, because producers from before KIP-447 send none.
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
		return kerr.RebalanceInProgress // it has joined, so its partitions may soon belong to another member
	}
	m.renew(now)
	return nil
}
