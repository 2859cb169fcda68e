package engine

import (
	"fmt"
	"slices"

	"github.com/rio-streams/rio/broker/internal/group"
	"github.com/rio-streams/rio/broker/internal/store"
	"github.com/rio-streams/rio/broker/internal/transaction"
)

// load reads the state from the store: positions, producers, transactions, groups. Its cost does not grow with the log.
func (e *Engine) load() (err error) {
	r, err := e.db.NewReader()
	if err != nil {
		return err
	}
	defer r.Close()
	if e.counters, err = r.Counters(); err != nil {
		return err
	}
	for _, load := range []func(*store.Reader) error{e.loadTopics, e.loadPartitions, e.loadProducers, e.loadTransactions, e.loadGroups} {
		if err := load(r); err != nil {
			return err
		}
	}
	return nil
}

func (e *Engine) loadTopics(r *store.Reader) error {
	for stored, err := range r.Topics() {
		if err != nil {
			return err
		}
		s, err := parseSettings(stored.Config)
		if err != nil {
			return fmt.Errorf("topic %s: %w", stored.Name, err)
		}
		e.topics[stored.Name] = &topic{Topic: stored, settings: s, partitions: make([]*partition, stored.Partitions)}
	}
	return nil
}

func (e *Engine) loadPartitions(r *store.Reader) error {
	for stored, err := range r.Partitions() {
		if err != nil {
			return err
		}
		e.partitions[stored.ID] = newPartition(stored.ID, stored.Entry)
	}
	for _, t := range e.topics {
		for i := range t.partitions {
			p := e.partitions[store.PartitionID{Topic: t.Number, Partition: int32(i)}]
			if p == nil {
				return fmt.Errorf("partition %d of topic %s is missing", i, t.Name)
			}
			t.partitions[i] = p
		}
	}
	return nil
}

func (e *Engine) loadProducers(r *store.Reader) error {
	for stored, err := range r.Producers() {
		if err != nil {
			return err
		}
		p := e.partitions[stored.ID]
		if p == nil {
			continue
		}
		known := stored.Entry
		p.producers[known.ID] = &known
		if known.Transaction >= 0 {
			p.pending = append(p.pending, transactionStart{known.ID, known.Transaction})
		}
	}
	for _, p := range e.partitions {
		slices.SortFunc(p.pending, func(a, b transactionStart) int { return int(a.first - b.first) })
		p.publish(p.currentView())
	}
	return nil
}

func (e *Engine) loadTransactions(r *store.Reader) error {
	for stored, err := range r.Transactions() {
		if err != nil {
			return err
		}
		t := transaction.Restore(stored, e.newProducerID)
		e.transactions[t.ID()], e.producers[t.Producer().ID] = t, t
	}
	return nil
}

func (e *Engine) loadGroups(r *store.Reader) error {
	now := e.clock()
	for stored, err := range r.Groups() {
		if err != nil {
			return err
		}
		snapshot, err := group.ParseSnapshot(stored.Snapshot)
		if err != nil {
			return fmt.Errorf("group %s: %w", stored.Name, err)
		}
		g := newGroupState(stored.Name, group.Restore(stored.Name, e.groupConfig(), newMemberID, snapshot, now))
		g.stored = true
		if at, ok := g.machine.Deadline(); ok {
			g.alarm = at
		}
		e.groups[stored.Name] = g
	}
	for o, err := range r.Offsets() {
		if err != nil {
			return err
		}
		e.group(o.Group).offsets[topicPartition{o.Topic, o.Partition}] = &o
	}
	for o, err := range r.Pending() {
		if err != nil {
			return err
		}
		g := e.group(o.Group)
		if g.pending[o.Producer] == nil {
			g.pending[o.Producer] = make(map[topicPartition]*store.Offset)
		}
		g.pending[o.Producer][topicPartition{o.Topic, o.Partition}] = &o
	}
	return nil
}
