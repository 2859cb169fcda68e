package transaction

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// MaxTimeout is the longest timeout of a transaction, Kafka's transaction.max.timeout.ms.
const MaxTimeout = 15 * time.Minute

// Init makes the caller the owner of the transactional id, fences those before it, and aborts what they have left open. A
// producer that goes on after an error says who it was, expected: it succeeds only itself (KIP-360). Others say NoProducer.
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

// replace gives the transactional id to another producer, or anew to one that continues. If a transaction is open, it takes one
// epoch to fence its producer, and the next for its successor.
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
	t.succeed()
	return ending
}
