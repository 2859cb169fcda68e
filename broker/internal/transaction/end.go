package transaction

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Ending says what to write when a transaction ends. The zero Ending writes nothing.
type Ending struct {
	Commit     bool
	Producer   Producer    // the producer in the markers; its id is that of the batches and offsets
	Partitions []Partition // each gets a marker
	Groups     []string    // groups whose pending offsets of the producer become committed, or are dropped
}

// End commits or aborts the transaction. With transaction.version=2 the producer continues in a new epoch, or even with
// a new id, which [Transaction.Producer] returns.
func (t *Transaction) End(now time.Time, p Producer, commit bool, d Dialect) (Ending, error) {
	s, wanted := &t.state, Aborted
	if commit {
		wanted = Committed
	}
	if d.Second && p == s.Last && p != NoProducer {
		switch s.State {
		case wanted: // the answer to this request was lost
			return Ending{}, nil
		case Committed, Aborted:
			return Ending{}, kerr.InvalidTxnState
		}
	}
	err := t.check(p, d)
	switch {
	case err != nil:
		return Ending{}, err
	case d.Second && (s.State == Ongoing || !commit): // a client that does not know whether a transaction has begun may abort
		return t.endWithNewEpoch(now, wanted), nil
	case s.State == Ongoing:
		ending := t.end(wanted, s.Producer)
		t.touch(now)
		return ending, nil
	case s.State == wanted && !d.Second:
		return Ending{}, nil
	}
	return Ending{}, kerr.InvalidTxnState
}

// endWithNewEpoch ends a transaction and increments the epoch of its producer, so that late requests do not affect the
// next transaction.
func (t *Transaction) endWithNewEpoch(now time.Time, outcome State) Ending {
	p := t.state.Producer
	ending := t.end(outcome, p.fenced())
	t.advanceEpoch()
	t.state.Last = p
	t.touch(now)
	return ending
}

func (t *Transaction) end(outcome State, marks Producer) Ending {
	s := &t.state
	ending := Ending{Commit: outcome == Committed, Producer: marks, Partitions: s.Partitions, Groups: s.Groups}
	s.State, s.Started, s.Partitions, s.Groups = outcome, 0, nil, nil
	return ending
}
