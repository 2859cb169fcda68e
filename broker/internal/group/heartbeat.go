package group

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Heartbeat renews a member's session. It returns REBALANCE_IN_PROGRESS if the member has to join again.
func (g *Group) Heartbeat(now time.Time, memberID, instanceID string, generation int32) error {
	m, err := g.identify(memberID, instanceID)
	switch {
	case err != nil:
		return err
	case generation != g.generation:
		return kerr.IllegalGeneration
	}
	m.renew(now)
	if g.state == PreparingRebalance {
		return kerr.RebalanceInProgress
	}
	return nil
}
