package transaction

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Transaction is a transactional id and its transaction, if one is open. One goroutine owns it.
type Transaction struct {
	state         Snapshot
	changed       bool // state has not been saved yet
	newProducerID func() int64
}

// New returns a transactional id that no producer has initialized: until Init, it refuses every other input, as Kafka
// refuses unknown ids. Producer ids come from newProducerID, which must never return the same one twice.
func New(id string, newProducerID func() int64) *Transaction {
	return Restore(Snapshot{ID: id, Producer: NoProducer, Last: NoProducer}, newProducerID)
}

// Restore returns a transactional id with the state of a snapshot.
func Restore(s Snapshot, newProducerID func() int64) *Transaction {
	if s.State == Ongoing {
		s.Last = NoProducer // as begin does; older snapshots kept it
	}
	return &Transaction{state: s, newProducerID: newProducerID}
}

// ID returns the transactional id.
func (t *Transaction) ID() string { return t.state.ID }

// Producer returns the owner of the transactional id, NoProducer before the first Init.
func (t *Transaction) Producer() Producer { return t.state.Producer }

// check returns an error unless p owns the transactional id.
func (t *Transaction) check(p Producer, d Dialect) error {
	switch owner := t.state.Producer; {
	case t.state.ID == "":
		return kerr.InvalidRequest
	case owner.ID < 0 || p.ID != owner.ID:
		return kerr.InvalidProducerIDMapping
	case p.Epoch != owner.Epoch || p.Epoch > lastEpoch:
		return d.fenced()
	}
	return nil
}

// touch marks the state as changed.
func (t *Transaction) touch(now time.Time) {
	t.state.Updated, t.changed = now.UnixMilli(), true
}
