package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/replica"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/state"
)

// errStale says that a database is of no use: the log has more, or other, than what it is a copy of. It is deleted and
// restored. See also ErrStateLost.
var errStale = errors.New("stale")

// restoreStores opens the stores of a unit, checks that it belongs to the topics that there are, and restores its stores
// from their changelogs. It returns the logs as they were before.
func (r *runner) restoreStores(ctx context.Context, u *unit, db state.DB, b binding) ([]replica.Log, error) {
	if len(u.sub.Stores) == 0 {
		return nil, nil
	}
	stores, err := replica.Open(db, r.replicaOf(u))
	if err != nil {
		return nil, err
	}
	defer stores.Close()
	if b.renewed, err = renewed(stores, u, b.ids); err != nil {
		return nil, err
	}
	plan, err := r.planRestore(ctx, u, stores.Logs(), b)
	if err != nil {
		return nil, err
	}
	if err := stores.Bind(b.logIDs()); err != nil {
		return nil, err
	}
	err = r.follow(ctx, u, plan, b, func(topic string, records []kafka.Record, next int64) error {
		return stores.Apply(topic, taskRecords(records), next)
	})
	return stores.Logs(), err
}

// renewed returns the inputs of a unit that were made again since its database was written.
func renewed(stores *replica.Replica, u *unit, ids map[string]string) (inputs []kafka.TopicPartition, err error) {
	for _, tp := range u.inputs {
		bound, err := stores.Bound(tp.Topic)
		if err != nil {
			return nil, err
		}
		if differ(bound, ids[tp.Topic]) {
			inputs = append(inputs, tp)
		}
	}
	return inputs, nil
}

// replicaOf says whose stores the replica of a unit keeps.
func (r *runner) replicaOf(u *unit) replica.Config {
	return replica.Config{
		Plan: r.plan, Subtopology: u.sub, Partition: u.partition, Names: r.names(), State: state.Options{Budget: r.budget},
	}
}

// loadTables brings source tables up to the committed offsets of their topics.
func (r *runner) loadTables(ctx context.Context, t *running, logs []replica.Log, b binding) error {
	plan := restorePlan{from: map[kafka.TopicPartition]int64{}, ends: map[kafka.TopicPartition]int64{}}
	var tps []kafka.TopicPartition
	for _, log := range logs {
		if log.Source {
			tps = append(tps, kafka.TopicPartition{Topic: log.Topic, Partition: t.partition})
		}
	}
	starts, err := r.client.Offsets(ctx, tps, kafka.Earliest)
	if err != nil {
		return cluster(err)
	}
	for _, log := range logs {
		tp := kafka.TopicPartition{Topic: log.Topic, Partition: t.partition}
		if !log.Source {
			continue
		}
		if begin, end := max(log.From, starts[tp]), b.committed[tp].Offset; begin < end {
			plan.from[tp], plan.ends[tp] = begin, end
		}
	}
	return r.follow(ctx, t.unit, plan, b, func(topic string, records []kafka.Record, next int64) error {
		return t.task.Load(topic, taskRecords(records), next)
	})
}

// restorePlan is where each log of a task is restored from and to. Those that need nothing are not in it.
type restorePlan struct {
	from, ends map[kafka.TopicPartition]int64
}

// follow reads logs from one place to another.
func (r *runner) follow(ctx context.Context, u *unit, plan restorePlan, b binding,
	apply func(topic string, records []kafka.Record, next int64) error,
) error {
	from, ends := plan.from, plan.ends
	if len(ends) == 0 {
		return nil
	}
	fetcher := r.client.NewFetcher(r.memory.restoring(r.databases()))
	defer fetcher.Close()
	var total, done int64
	for tp, end := range ends {
		total += end - from[tp]
		fetcher.Add(tp, from[tp])
	}
	started, said := time.Now(), time.Now()
	for len(ends) > 0 {
		fetched, err := fetcher.Poll(ctx)
		if err != nil {
			return cluster(err)
		}
		for _, f := range fetched {
			tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
			if f.Err != nil {
				return restoreError(tp, f.Err)
			}
			records, next := upTo(f, ends[tp])
			if len(records) > 0 && len(b.committed) == 0 {
				return fmt.Errorf("%w: %s holds state, but group %s has no offsets to go with it: they were deleted, or expired; reset the application to begin anew", ErrStateLost, tp, r.cfg.Application)
			}
			if err := apply(f.Topic, records, next); err != nil {
				return err
			}
			done += next - from[tp]
			from[tp] = next
			u.status.change(func(s *TaskStatus) { s.Restored = RestoreProgress{Done: done, Total: total} })
			if next >= ends[tp] {
				delete(ends, tp)
				fetcher.Remove(tp)
			}
		}
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			left := time.Duration(float64(time.Since(started)) * float64(total-done) / float64(max(done, 1)))
			r.log.Info("restoring", "task", u.name, "offsets", done, "of", total, "left", left.Round(time.Second))
		}
	}
	if total > 0 {
		r.log.Info("state restored", "task", u.name, "offsets", total, "took", time.Since(started).Round(time.Millisecond))
	}
	return nil
}

// planRestore compares the database with the changelogs. The end is the high watermark: to reach it, a reader of committed
// records waits until every transaction before it is decided, so nothing committed is missed.
func (r *runner) planRestore(ctx context.Context, u *unit, logs []replica.Log, b binding) (restorePlan, error) {
	plan := restorePlan{from: map[kafka.TopicPartition]int64{}, ends: map[kafka.TopicPartition]int64{}}
	var tps []kafka.TopicPartition
	for _, log := range logs {
		tps = append(tps, kafka.TopicPartition{Topic: log.Topic, Partition: u.partition})
	}
	starts, err := r.client.Offsets(ctx, tps, kafka.Earliest)
	if err != nil {
		return plan, cluster(err)
	}
	latest, err := r.client.Offsets(ctx, tps, kafka.Latest)
	if err != nil {
		return plan, cluster(err)
	}
	for i, log := range logs {
		tp := tps[i]
		if log.Source {
			latest[tp] = max(b.committed[tp].Offset, 0)
		}
		if err := b.check(log, starts[tp], latest[tp]); err != nil {
			return plan, err
		}
		if begin := max(log.From, starts[tp]); begin < latest[tp] && !log.Source {
			plan.from[tp], plan.ends[tp] = begin, latest[tp]
		}
	}
	return plan, b.checkRenewed()
}

func restoreError(tp kafka.TopicPartition, err error) error {
	if errors.Is(err, kafka.ErrOffsetOutOfRange) {
		return fmt.Errorf("%w: %s: %w", errStale, tp, err)
	}
	return cluster(err)
}

// upTo returns what of f lies before end, and the position after it.
func upTo(f kafka.Fetched, end int64) ([]kafka.Record, int64) {
	records := f.Records
	for len(records) > 0 && records[len(records)-1].Offset >= end {
		records = records[:len(records)-1]
	}
	return records, min(f.Next, end)
}
