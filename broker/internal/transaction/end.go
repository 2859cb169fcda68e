package transaction

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Ending is what is to be written when a transaction ends. The zero Ending is nothing.
type Ending struct {
	Commit     bool
	Producer   Producer    // whom the markers name; its id is that of the batches and offsets
	Partitions []Partition // each gets a marker
	Groups     []string    // their offsets that wait for the producer begin to count, or are forgotten
}

// End commits or aborts the transaction. At transaction.version=2 the producer goes on in a new epoch, or even with a new id:
// the answer tells it [Transaction.Producer].
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
	case d.Second && (s.State == Ongoing || !commit): // who does not know whether something has begun may abort
		return t.endAndSucceed(now, wanted), nil
	case s.State == Ongoing:
		ending := t.end(wanted, s.Producer)
		t.touch(now)
		return ending, nil
	case s.State == wanted && !d.Second:
		return Ending{}, nil
	}
	return Ending{}, kerr.InvalidTxnState
}

// endAndSucceed ends a transaction and the epoch of its producer, so that what comes late is not taken for a part of the next.
func (t *Transaction) endAndSucceed(now time.Time, outcome State) Ending {
	p := t.state.Producer
	ending := t.end(outcome, p.fenced())
	t.succeed()
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
