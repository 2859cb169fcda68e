package transaction

import (
	"slices"
	"time"
)

// AddPartitions adds partitions to the transaction, and begins one if none is open.
func (t *Transaction) AddPartitions(now time.Time, p Producer, partitions []Partition, d Dialect) error {
	if err := t.check(p, d); err != nil {
		return err
	}
	for _, partition := range partitions {
		t.begin(now)
		t.state.Partitions = add(t.state.Partitions, partition)
	}
	return nil
}

// Has returns an error unless a partition is part of the producer's transaction.
func (t *Transaction) Has(p Producer, partition Partition, d Dialect) error {
	if err := t.check(p, d); err != nil {
		return err
	}
	if !slices.Contains(t.state.Partitions, partition) {
		return d.notInTransaction()
	}
	return nil
}

// AddGroup adds the offsets of a group to the transaction, and begins one if none is open.
func (t *Transaction) AddGroup(now time.Time, p Producer, group string, d Dialect) error {
	if err := t.check(p, d); err != nil {
		return err
	}
	t.begin(now)
	t.state.Groups = add(t.state.Groups, group)
	return nil
}

// begin opens a transaction unless one is open. It forgets the previous producer: a client that uses the new epoch has
// received it, so a late retry of the request that led to it must not affect this transaction.
func (t *Transaction) begin(now time.Time) {
	if s := &t.state; s.State != Ongoing {
		s.State, s.Started, s.Last = Ongoing, now.UnixMilli(), NoProducer
	}
	t.touch(now)
}

func add[T comparable](list []T, x T) []T {
	if slices.Contains(list, x) {
		return list
	}
	return append(list, x)
}
