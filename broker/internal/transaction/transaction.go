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

// New returns a transactional id that no producer has initialized: until Init, every other input is refused as Kafka refuses
// unknown ones. Producer ids come from newProducerID, which must not give one twice.
func New(id string, newProducerID func() int64) *Transaction {
	return Restore(Snapshot{ID: id, Producer: NoProducer, Last: NoProducer}, newProducerID)
}

// Restore returns the transactional id of a snapshot.
func Restore(s Snapshot, newProducerID func() int64) *Transaction {
	if s.State == Ongoing {
		s.Last = NoProducer // as begin has it: older snapshots kept it
	}
	return &Transaction{state: s, newProducerID: newProducerID}
}

// ID returns the transactional id.
func (t *Transaction) ID() string { return t.state.ID }

// Producer returns who owns the transactional id, NoProducer before the first Init.
func (t *Transaction) Producer() Producer { return t.state.Producer }

// check refuses everyone but the owner.
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

// touch notes that the state has changed.
func (t *Transaction) touch(now time.Time) {
	t.state.Updated, t.changed = now.UnixMilli(), true
}
