package runner

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// firstReport is how long a task may wait without progress, while it is opened, until the log says what for. The reports
// after it come at intervals that double up to lastReport.
const (
	firstReport = 5 * time.Second
	lastReport  = 5 * time.Minute
)

// reportWaiting says what a task waits for while it is opened, as long as it makes no progress, until stop is called.
func (r *runner) reportWaiting(ctx context.Context, u *unit) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	watching.Go(func() {
		progress, since, every := u.status.load().Restored, time.Now(), firstReport
		next := since.Add(every)
		tick := time.NewTicker(time.Second)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-tick.C:
			}
			if now := u.status.load().Restored; now != progress {
				progress, since, every = now, time.Now(), firstReport
				next = since.Add(every)
			} else if time.Now().After(next) {
				reason := r.obstacle(ctx, u)
				if ctx.Err() != nil {
					return
				}
				r.log.Warn("task waits to be opened", "task", u.name, "for", time.Since(since).Round(time.Second), "reason", reason)
				u.waiting(reason)
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

// obstacle says what keeps a task from reading its topics: no leader, an open transaction, or a cluster that does not
// answer.
func (r *runner) obstacle(ctx context.Context, u *unit) error {
	ctx, cancel := context.WithTimeout(ctx, firstReport)
	defer cancel()
	tps := r.logs(u)
	var topics []string
	for _, tp := range tps {
		topics = append(topics, tp.Topic)
	}
	described, err := r.client.DescribeTopics(ctx, topics...)
	if err != nil {
		return &obstacleError{waitCluster, fmt.Errorf("the cluster does not answer: %w", err)}
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
		obstacles = append(obstacles, &obstacleError{waitTransaction, fmt.Errorf("perhaps an open transaction; the cluster does not say which: %w", err)})
	}
	for _, t := range open {
		obstacles = append(obstacles, &obstacleError{waitTransaction, errors.New(t.String())})
	}
	if len(obstacles) == 0 {
		return &obstacleError{waitUnknown, errors.New("not known: all partitions have leaders, and no transaction is open")}
	}
	return errors.Join(obstacles...)
}

// logs returns the partitions that a task reads: its inputs and its changelogs.
func (r *runner) logs(u *unit) []kafka.TopicPartition {
	tps := append([]kafka.TopicPartition{}, u.inputs...)
	for _, store := range u.sub.Stores {
		if store.Source == "" {
			tps = append(tps, kafka.TopicPartition{Topic: r.names().Changelog(store.Name()), Partition: u.partition})
		}
	}
	return tps
}
