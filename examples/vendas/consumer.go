package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
)

// consumer reads sales as a member of the group meu-grupo and prints them. It starts at the committed offsets, or at the
// beginning if there are none. Several consumers can run at the same time; the group divides the partitions among them.
type consumer struct {
	client    *kafka.Client
	out       io.Writer
	log       *slog.Logger
	assignors []kafka.Assignor
	follow    bool             // wait for new sales at the end of the topic
	onError   processor.Action // for records that are not sales

	member  *kafka.Membership
	fetcher *kafka.Fetcher
	parts   map[kafka.TopicPartition]*reading // the partitions of this member
}

// reading is how far the consumer has read a partition.
type reading struct {
	next  int64 // offset of the next record
	atEnd bool  // the end was reached at least once
}

const group = "meu-grupo"

// run consumes until ctx ends or, unless follow is set, until all sales are read.
func (c *consumer) run(ctx context.Context) error {
	err := c.consume(ctx)
	if ctx.Err() != nil {
		return nil // interrupted, so err is a consequence of that
	}
	return err
}

func (c *consumer) consume(ctx context.Context) error {
	if _, err := prepareTopic(ctx, c.client); err != nil {
		return err
	}
	c.member = c.client.Join(kafka.GroupConfig{Group: group, Topics: []string{Sales.Name()}, Assignors: c.assignors})
	defer c.leave(ctx)
	c.fetcher = c.client.NewFetcher(kafka.FetcherConfig{})
	defer c.fetcher.Close()
	c.parts = map[kafka.TopicPartition]*reading{}

	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	fetched, failed := c.fetch(ctx)
	for {
		select {
		case rebalance := <-c.member.Rebalances():
			if err := c.rebalance(ctx, rebalance); err != nil {
				return err
			}
		case part := <-fetched:
			if err := c.handle(ctx, part); err != nil {
				return err
			}
		case err := <-failed:
			return err
		}
		if c.atEnd() && !c.follow {
			return nil
		}
	}
}

// fetch polls in a goroutine of its own, so that a rebalance need not wait for the next sale.
func (c *consumer) fetch(ctx context.Context) (<-chan kafka.Fetched, <-chan error) {
	fetched, failed := make(chan kafka.Fetched), make(chan error, 1)
	go func() {
		for {
			parts, err := c.fetcher.Poll(ctx)
			if err != nil {
				failed <- err
				return
			}
			for _, part := range parts {
				select {
				case fetched <- part:
				case <-ctx.Done():
				}
			}
		}
	}()
	return fetched, failed
}

// rebalance releases revoked partitions, and starts to read added ones at their committed offsets.
func (c *consumer) rebalance(ctx context.Context, r kafka.Rebalance) error {
	for _, tp := range r.Revoked {
		c.fetcher.Remove(tp)
		delete(c.parts, tp)
	}
	c.member.Ack()
	if r.Err != nil {
		return r.Err
	}
	if len(r.Added) == 0 {
		if len(r.Revoked) == 0 && len(c.parts) == 0 {
			c.log.Warn("waiting for a partition: other members of the group have them all", "group", group)
		}
		return nil
	}
	starts, err := c.client.Offsets(ctx, r.Added, kafka.Earliest)
	if err != nil {
		return err
	}
	committed, err := c.client.CommittedOffsets(ctx, group, r.Added)
	if err != nil {
		return err
	}
	for _, tp := range r.Added {
		c.parts[tp] = &reading{next: max(starts[tp], committed[tp].Offset)}
		c.fetcher.Add(tp, c.parts[tp].next)
	}
	return nil
}

// handle prints the fetched sales and then commits their offsets, even if it is interrupted in between.
func (c *consumer) handle(ctx context.Context, part kafka.Fetched) error {
	tp := kafka.TopicPartition{Topic: part.Topic, Partition: part.Partition}
	reading := c.parts[tp]
	switch {
	case reading == nil:
		return nil // fetched before the partition was revoked
	case part.Err != nil:
		return fmt.Errorf("fetch %s: %w", tp, part.Err)
	case part.From != reading.next:
		return nil // fetched before the partition was revoked and came back
	}
	for _, record := range part.Records {
		sale, err := Sales.ValueCodec().Decode(record.Value)
		switch {
		case err == nil:
			fmt.Fprintf(c.out, "%s at %d: sale %s of %s, %s, %s\n", tp, record.Offset, sale.ID, sale.Seller, sale.Amount, sale.Payment)
		case c.onError == processor.Fail:
			return fmt.Errorf("%s at %d: %w", tp, record.Offset, err)
		default:
			fmt.Fprintf(c.out, "%s at %d: not a sale: %v\n", tp, record.Offset, err)
		}
	}
	reading.next = part.Next
	reading.atEnd = reading.atEnd || part.Next >= part.LastStable
	return c.commit(context.WithoutCancel(ctx), tp, part.Next)
}

// commit commits the offset of the next record of a partition. At the end of a rebalance, the member may have to repeat that in
// the new generation. If it is no longer a member, it commits nothing: others read the partition from the last commit on.
func (c *consumer) commit(ctx context.Context, tp kafka.TopicPartition, next int64) error {
	offsets := map[kafka.TopicPartition]kafka.CommittedOffset{tp: {Offset: next}}
	ref := c.member.Ref()
	err := c.client.CommitOffsets(ctx, ref, offsets)
	if errors.Is(err, kafka.ErrIllegalGeneration) && c.member.Ref() != ref {
		err = c.client.CommitOffsets(ctx, c.member.Ref(), offsets)
	}
	if errors.Is(err, kafka.ErrIllegalGeneration) || errors.Is(err, kafka.ErrUnknownMember) {
		c.log.Warn("sales may be printed again: the group has given the partition to another member", "partition", tp, "err", err)
		return nil
	}
	return err
}

// atEnd reports whether this member has read all its partitions to their ends.
func (c *consumer) atEnd() bool {
	for _, part := range c.parts {
		if !part.atEnd {
			return false
		}
	}
	return len(c.parts) > 0
}

// leave leaves the group, so that other members get the partitions at once instead of after the session timeout.
func (c *consumer) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = c.member.Leave(ctx) // if this fails, the broker removes the member after the session timeout
}
