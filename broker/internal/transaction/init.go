package transaction

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// MaxTimeout is the longest timeout of a transaction, Kafka's transaction.max.timeout.ms.
const MaxTimeout = 15 * time.Minute

// Init makes the caller the owner of the transactional id, fences earlier producers, and aborts their open transaction.
// A producer that recovers from an error passes its own identity as expected, and may only replace itself (KIP-360).
// Others pass NoProducer.
func (t *Transaction) Init(now time.Time, expected Producer, timeout time.Duration, d Dialect) (ending Ending, err error) {
	s := &t.state
	switch {
	case s.ID == "", (expected.ID < 0) != (expected.Epoch < 0):
		return Ending{}, kerr.InvalidRequest
	case timeout <= 0 || timeout > MaxTimeout:
		return Ending{}, kerr.InvalidTransactionTimeout
	}
	continues := expected.ID >= 0 && s.Producer.ID >= 0
	switch {
	case continues && expected == s.Last: // the answer to this request was lost
	case continues && t.check(expected, d) != nil:
		return Ending{}, d.fenced()
	default:
		ending = t.replace(continues)
	}
	s.State, s.Timeout = Empty, int32(timeout/time.Millisecond)
	t.touch(now)
	return ending, nil
}

// replace gives the transactional id a new producer, or a new epoch of the same one if it continues. If a transaction
// is open, one epoch is used to fence its producer, and the next for its successor.
func (t *Transaction) replace(continues bool) (ending Ending) {
	s := &t.state
	s.Last = NoProducer
	if continues {
		s.Last = s.Producer
	}
	if s.State == Ongoing {
		s.Producer = s.Producer.fenced()
		ending = t.end(Aborted, s.Producer)
	}
	t.advanceEpoch()
	return ending
}
