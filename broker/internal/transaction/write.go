package transaction

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Batch describes a batch that a producer wants to write to a partition.
type Batch struct {
	ID            string // the transactional id in the request
	Epoch         int16
	Transactional bool
	Partition     Partition
}

// MayWrite reports whether the producer may write a batch. If joins is true, the partition is not part of the
// transaction: then only a duplicate of an earlier batch may be accepted, and err says whether
// [Transaction.AddPartitions] may add the partition for a new one.
func (t *Transaction) MayWrite(b Batch, d Dialect) (joins bool, err error) {
	s := &t.state
	switch {
	case b.Transactional && b.ID != s.ID:
		return false, kerr.InvalidProducerIDMapping
	case b.Epoch < s.Producer.Epoch:
		return false, kerr.InvalidProducerEpoch
	case b.Epoch > s.Producer.Epoch, b.Epoch > lastEpoch, !b.Transactional:
		return false, d.notInTransaction()
	case slices.Contains(s.Partitions, b.Partition):
		return false, nil
	case !d.Second:
		return true, d.notInTransaction()
	}
	return true, nil
}

// MayCommit reports whether a producer may commit offsets of a group with the transaction. If joins is true, the group
// is not part of it: then err says whether [Transaction.AddGroup] may add it.
func (t *Transaction) MayCommit(p Producer, group string, d Dialect) (joins bool, err error) {
	s := &t.state
	if err := t.check(p, Dialect{}); err != nil { // new clients, too, get INVALID_PRODUCER_EPOCH, as with Produce
		return false, err
	}
	switch {
	case slices.Contains(s.Groups, group):
		return false, nil
	case !d.Second:
		return true, d.notInTransaction()
	}
	return true, nil
}
