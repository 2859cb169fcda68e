package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// commitInterval is how often a member commits its printed offsets.
const commitInterval = time.Second

// membership is a consumer that is a member of a group.
type membership struct {
	*consumer
	*kafka.Membership
	committed map[kafka.TopicPartition]int64 // of the partitions being read
	last      time.Time                      // time of the last commit
	checked   time.Time                      // time of the last look at the other members' offsets
	others    map[kafka.TopicPartition]int64 // committed by others
}

// asMember reads the partitions that the group assigns, starting at the committed offsets, and commits what it has
// printed.
func (c *consumer) asMember(ctx context.Context) error {
	m := &membership{
		consumer: c,
		Membership: c.client.Join(kafka.GroupConfig{
			Group: c.cfg.group, Topics: []string{c.cfg.topic}, Assignors: c.cfg.assignors,
		}),
		committed: make(map[kafka.TopicPartition]int64),
	}
	err := m.run(ctx)
	if ctx.Err() != nil {
		err = nil // Ctrl-C is not an error
	}
	// Ctrl-C must not prevent the last commit.
	closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), m.cfg.timeout)
	defer cancel()
	return errors.Join(err, m.commit(closing), m.Leave(closing))
}

func (m *membership) run(ctx context.Context) error {
	for ctx.Err() == nil && !m.full() {
		select {
		case change := <-m.Rebalances():
			if err := m.rebalance(ctx, change); err != nil {
				return err
			}
		default:
		}
		if err := m.poll(ctx); err != nil {
			return err
		}
		if time.Since(m.last) > commitInterval {
			if err := m.commit(ctx); err != nil {
				return err
			}
		}
		if done, err := m.groupAtEnd(ctx); done || err != nil {
			return err
		}
	}
	return nil
}

// rebalance commits and releases revoked partitions, and reads added ones.
func (m *membership) rebalance(ctx context.Context, change kafka.Rebalance) error {
	if change.Err != nil {
		return fmt.Errorf("group %s: %w", m.cfg.group, change.Err)
	}
	if len(change.Revoked) > 0 {
		if !change.Lost {
			if err := m.commit(ctx); err != nil {
				return err
			}
		}
		for _, tp := range change.Revoked {
			m.stopReading(tp)
			delete(m.committed, tp)
		}
		m.Ack()
	}
	return m.add(ctx, change.Added)
}

// add reads partitions from their committed offsets on.
func (m *membership) add(ctx context.Context, tps []kafka.TopicPartition) error {
	if len(tps) == 0 {
		return nil
	}
	committed, err := m.client.CommittedOffsets(ctx, m.cfg.group, tps)
	if err != nil {
		return err
	}
	begins, err := m.client.Offsets(ctx, tps, m.beginning())
	if err != nil {
		return err
	}
	for _, tp := range tps {
		offset := begins[tp]
		if c, ok := committed[tp]; ok {
			offset = c.Offset
			m.committed[tp] = offset
		}
		m.read(tp, offset)
	}
	return nil
}

// commit commits printed offsets that are not committed yet. If the group has just started a new generation, the commit
// is retried in that one; if the partitions belong to another member by now, there is nothing to commit.
func (m *membership) commit(ctx context.Context) error {
	m.last = time.Now()
	offsets := make(map[kafka.TopicPartition]kafka.CommittedOffset)
	for tp, position := range m.positions {
		if committed, ok := m.committed[tp]; !ok || committed != position {
			offsets[tp] = kafka.CommittedOffset{Offset: position}
		}
	}
	ref := m.Ref()
	err := m.client.CommitOffsets(ctx, ref, offsets)
	if errors.Is(err, kafka.ErrIllegalGeneration) && m.Ref() != ref {
		err = m.client.CommitOffsets(ctx, m.Ref(), offsets)
	}
	switch {
	case errors.Is(err, kafka.ErrIllegalGeneration), errors.Is(err, kafka.ErrUnknownMember), errors.Is(err, kafka.ErrRebalanceInProgress):
		return nil // the next rebalance says which partitions are still ours
	case err != nil:
		return err
	}
	for tp, offset := range offsets {
		m.committed[tp] = offset.Offset
	}
	return nil
}

// groupAtEnd reports whether the group has printed everything that existed at the start: this member its partitions,
// and the others theirs.
func (m *membership) groupAtEnd(ctx context.Context) (bool, error) {
	if m.ends == nil {
		return false, nil
	}
	var theirs []kafka.TopicPartition
	for tp, end := range m.ends {
		position, mine := m.positions[tp]
		switch {
		case mine && position < end:
			return false, nil
		case !mine && m.others[tp] < end:
			theirs = append(theirs, tp)
		}
	}
	if len(theirs) == 0 {
		return true, nil
	}
	if time.Since(m.checked) < commitInterval/2 {
		return false, nil
	}
	m.checked = time.Now()
	committed, err := m.client.CommittedOffsets(ctx, m.cfg.group, theirs)
	if err != nil {
		return false, err
	}
	m.others = make(map[kafka.TopicPartition]int64)
	for tp, offset := range committed {
		m.others[tp] = offset.Offset
	}
	return false, nil
}
