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

// errStale means that a database does not match its logs, which are complete. The database is deleted and restored. See
// also ErrStateLost.
var errStale = errors.New("stale")

// restoreStores opens the stores of a task, checks that the database belongs to the existing topics, and restores the
// stores from their changelogs. It returns the stores' logs.
func (r *runner) restoreStores(ctx context.Context, a *assignment, db state.DB, b binding) ([]replica.Log, error) {
	if len(a.sub.Stores) == 0 {
		return nil, nil
	}
	stores, err := replica.Open(db, r.replicaOf(a))
	if err != nil {
		return nil, err
	}
	defer stores.Close()
	if b.recreated, err = recreatedInputs(stores, a, b.ids); err != nil {
		return nil, err
	}
	plan, err := r.planRestore(ctx, a, stores.Logs(), b)
	if err != nil {
		return nil, err
	}
	if err := stores.Bind(b.logIDs()); err != nil {
		return nil, err
	}
	err = r.readLogs(ctx, a, plan, b, func(topic string, records []kafka.Record, next int64) error {
		return stores.Apply(topic, taskRecords(records), next)
	})
	return stores.Logs(), err
}

// recreatedInputs returns the inputs of a task that were recreated since its database was written.
func recreatedInputs(stores *replica.Replica, a *assignment, ids map[string]string) (inputs []kafka.TopicPartition, err error) {
	for _, tp := range a.inputs {
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

// replicaOf returns the configuration of a replica of the task's stores.
func (r *runner) replicaOf(a *assignment) replica.Config {
	return replica.Config{
		Plan: r.plan, Subtopology: a.sub, Partition: a.partition, Names: r.names(), State: state.Options{Budget: r.budget},
	}
}

// loadTables restores source tables up to the committed offsets of their topics.
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
		return recoverable(err)
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
	return r.readLogs(ctx, t.assignment, plan, b, func(topic string, records []kafka.Record, next int64) error {
		return t.task.Load(topic, taskRecords(records), next)
	})
}

// restorePlan contains the offsets between which each log of a task is read. Logs that are up to date are not in it.
type restorePlan struct {
	from, ends map[kafka.TopicPartition]int64
}

// readLogs reads logs as planned and calls apply with their records. It publishes the progress.
func (r *runner) readLogs(ctx context.Context, a *assignment, plan restorePlan, b binding,
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
	started, lastLogged := time.Now(), time.Now()
	for len(ends) > 0 {
		fetched, err := fetcher.Poll(ctx)
		if err != nil {
			return recoverable(err)
		}
		for _, f := range fetched {
			tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
			if f.Err != nil {
				return restoreError(tp, f.Err)
			}
			records, next := recordsBefore(f, ends[tp])
			if len(records) > 0 && len(b.committed) == 0 {
				return fmt.Errorf("%w: %s contains state, but group %s has no committed offsets: they were deleted or have expired; reset the application to start over", ErrStateLost, tp, r.cfg.Application)
			}
			if err := apply(f.Topic, records, next); err != nil {
				return err
			}
			done += next - from[tp]
			from[tp] = next
			a.status.change(func(s *TaskStatus) { s.Restored = RestoreProgress{Done: done, Total: total} })
			if next >= ends[tp] {
				delete(ends, tp)
				fetcher.Remove(tp)
			}
		}
		if time.Since(lastLogged) > 5*time.Second {
			lastLogged = time.Now()
			left := time.Duration(float64(time.Since(started)) * float64(total-done) / float64(max(done, 1)))
			r.log.Info("restoring", "task", a.name, "offsets", done, "of", total, "left", left.Round(time.Second))
		}
	}
	if total > 0 {
		r.log.Info("state restored", "task", a.name, "offsets", total, "took", time.Since(started).Round(time.Millisecond))
	}
	return nil
}

// planRestore compares the database with the changelogs. A restore reads up to the high watermark. To get there, a reader
// of committed records waits until every earlier transaction has ended, so the restore misses no committed change.
func (r *runner) planRestore(ctx context.Context, a *assignment, logs []replica.Log, b binding) (restorePlan, error) {
	plan := restorePlan{from: map[kafka.TopicPartition]int64{}, ends: map[kafka.TopicPartition]int64{}}
	var tps []kafka.TopicPartition
	for _, log := range logs {
		tps = append(tps, kafka.TopicPartition{Topic: log.Topic, Partition: a.partition})
	}
	starts, err := r.client.Offsets(ctx, tps, kafka.Earliest)
	if err != nil {
		return plan, recoverable(err)
	}
	latest, err := r.client.Offsets(ctx, tps, kafka.Latest)
	if err != nil {
		return plan, recoverable(err)
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
	return plan, b.checkRecreated()
}

func restoreError(tp kafka.TopicPartition, err error) error {
	if errors.Is(err, kafka.ErrOffsetOutOfRange) {
		return fmt.Errorf("%w: %s: %w", errStale, tp, err)
	}
	return recoverable(err)
}

// recordsBefore returns the records of f before end, and the position after them.
func recordsBefore(f kafka.Fetched, end int64) ([]kafka.Record, int64) {
	records := f.Records
	for len(records) > 0 && records[len(records)-1].Offset >= end {
		records = records[:len(records)-1]
	}
	return records, min(f.Next, end)
}
