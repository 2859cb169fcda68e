package transaction

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
)

// Batch is what a producer wants to write to a partition.
type Batch struct {
	ID            string // the transactional id that it says
	Epoch         int16
	Transactional bool
	Partition     Partition
}

// MayWrite says whether the producer id may write a batch. If joins is true, the partition is not part of the transaction: then
// a batch that was written before is merely repeated, and for another err says whether [Transaction.AddPartitions] may make it so.
func (t *Transaction) MayWrite(b Batch, d Dialect) (joins bool, err error) {
	s := &t.state
	switch {
	case b.Transactional && b.ID != s.ID:
		return false, kerr.InvalidProducerIDMapping
	case b.Epoch < s.Producer.Epoch:
		return false, kerr.InvalidProducerEpoch
	case b.Epoch > s.Producer.Epoch, b.Epoch > lastEpoch, !b.Transactional:
		return false, d.outside()
	case slices.Contains(s.Partitions, b.Partition):
		return false, nil
	case !d.Second:
		return true, d.outside()
	}
	return true, nil
}

// MayCommit says whether a producer may commit offsets of a group with the transaction. If joins is true, the group is not part
// of it: then err says whether [Transaction.AddGroup] may make it so.
func (t *Transaction) MayCommit(p Producer, group string, d Dialect) (joins bool, err error) {
	s := &t.state
	if err := t.check(p, Dialect{}); err != nil { // even new clients hear INVALID_PRODUCER_EPOCH, as with Produce
		return false, err
	}
	switch {
	case slices.Contains(s.Groups, group):
		return false, nil
	case !d.Second:
		return true, d.outside()
	}
	return true, nil
}
