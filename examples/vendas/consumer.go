package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
)

// consumer reads sales as a member of the group meu-grupo and prints them. It starts at the committed offsets, or at the
// beginning if there are none. Several consumers can run at the same time; the group divides the partitions among them.
type consumer struct {
	client  *kafka.Client
	out     io.Writer
	follow  bool             // wait for new sales at the end of the topic
	onError processor.Action // for records that are not sales

	member  *kafka.Membership
	fetcher *kafka.Fetcher
	unread  map[kafka.TopicPartition]bool // the partitions of this member; true until their end is reached
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
	c.member = c.client.Join(kafka.GroupConfig{Group: group, Topics: []string{Sales.Name()}, Assignors: []kafka.Assignor{kafka.NewStickyAssignor()}})
	defer c.leave(ctx)
	c.fetcher = c.client.NewFetcher(kafka.FetcherConfig{})
	defer c.fetcher.Close()
	c.unread = map[kafka.TopicPartition]bool{}

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
		delete(c.unread, tp)
	}
	c.member.Ack()
	if r.Err != nil || len(r.Added) == 0 {
		return r.Err
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
		c.fetcher.Add(tp, max(starts[tp], committed[tp].Offset))
		c.unread[tp] = true
	}
	return nil
}

// handle prints the fetched sales and then commits their offsets, even if it is interrupted in between.
func (c *consumer) handle(ctx context.Context, part kafka.Fetched) error {
	tp := kafka.TopicPartition{Topic: part.Topic, Partition: part.Partition}
	if _, ours := c.unread[tp]; !ours {
		return nil // fetched before the partition was revoked
	}
	if part.Err != nil {
		return fmt.Errorf("fetch %s: %w", tp, part.Err)
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
	if part.Next >= part.LastStable {
		c.unread[tp] = false
	}
	return c.client.CommitOffsets(context.WithoutCancel(ctx), c.member.Ref(), map[kafka.TopicPartition]kafka.CommittedOffset{tp: {Offset: part.Next}})
}

// atEnd reports whether this member has read all its partitions to their ends.
func (c *consumer) atEnd() bool {
	for _, unread := range c.unread {
		if unread {
			return false
		}
	}
	return len(c.unread) > 0
}

// leave leaves the group, so that other members get the partitions at once instead of after the session timeout.
func (c *consumer) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = c.member.Leave(ctx) // if this fails, the broker removes the member after the session timeout
}
