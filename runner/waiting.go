package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// A task that is being opened and makes no progress for firstReport is logged with the reason. Further messages follow at
// intervals that double up to lastReport.
const (
	firstReport = 5 * time.Second
	lastReport  = 5 * time.Minute
)

// reportWaiting logs and publishes what a task that is being opened waits for, while it makes no progress, until stop is
// called.
func (r *runner) reportWaiting(ctx context.Context, a *assignment) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		progress, since, every := a.status.load().Restored, time.Now(), firstReport
		next := since.Add(every)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if now := a.status.load().Restored; now != progress {
				progress, since, every = now, time.Now(), firstReport
				next = since.Add(every)
			} else if time.Now().After(next) {
				reason := r.obstacle(ctx, a)
				if ctx.Err() != nil {
					return
				}
				r.log.Warn("task is waiting to be opened", "task", a.name, "for", time.Since(since).Round(time.Second), "reason", reason)
				a.waiting(reason)
				every = min(2*every, lastReport)
				next = time.Now().Add(every)
			}
		}
	})
	return func() {
		cancel()
		watching.Wait()
	}
}

// obstacle finds out what prevents a task from reading its topics: a cluster that does not respond, a partition without a
// leader, or an open transaction.
func (r *runner) obstacle(ctx context.Context, a *assignment) error {
	ctx, cancel := context.WithTimeout(ctx, firstReport)
	defer cancel()
	tps := r.logPartitions(a)
	var topics []string
	for _, tp := range tps {
		topics = append(topics, tp.Topic)
	}
	described, err := r.client.DescribeTopics(ctx, topics...)
	if err != nil {
		return &obstacleError{waitCluster, fmt.Errorf("the cluster does not respond: %w", err)}
	}
	var obstacles []error
	for _, tp := range tps {
		for _, t := range described {
			if t.Name == tp.Topic && int(tp.Partition) < len(t.Partitions) && t.Partitions[tp.Partition].Leader < 0 {
				obstacles = append(obstacles, &obstacleError{waitLeader, fmt.Errorf("%v has no leader", tp)})
			}
		}
	}
	open, err := r.client.OpenTransactions(ctx, tps)
	if err != nil {
		obstacles = append(obstacles, &obstacleError{waitTransaction, fmt.Errorf("possibly an open transaction; looking up transactions failed: %w", err)})
	}
	for _, t := range open {
		obstacles = append(obstacles, &obstacleError{waitTransaction, errors.New(t.String())})
	}
	if len(obstacles) == 0 {
		return &obstacleError{waitUnknown, errors.New("unknown reason: all partitions have leaders, and no transaction is open")}
	}
	return errors.Join(obstacles...)
}

// logPartitions returns the partitions that a task reads: its inputs and its changelogs.
func (r *runner) logPartitions(a *assignment) []kafka.TopicPartition {
	tps := append([]kafka.TopicPartition{}, a.inputs...)
	for _, store := range a.sub.Stores {
		if store.Source == "" {
			tps = append(tps, kafka.TopicPartition{Topic: r.names().Changelog(store.Name()), Partition: a.partition})
		}
	}
	return tps
}
