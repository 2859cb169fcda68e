package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
)

// errStale says that a database claims to hold more than the log has, or less than it still has: topics were deleted,
// or it was away for longer than they keep their records.
var errStale = errors.New("stale")

// restore brings the database up to the log's end.
func (r *runner) restore(ctx context.Context, t *running, committed map[kafka.TopicPartition]kafka.CommittedOffset) error {
	changelogs, err := t.task.Changelogs()
	if err != nil || len(changelogs) == 0 {
		return err
	}
	from, ends, err := r.restorePlan(ctx, t, changelogs, committed)
	if err != nil {
		return err
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
			if len(records) > 0 && len(committed) == 0 {
				return fmt.Errorf("%s holds state, but group %s has no offsets to go with it: they were deleted, or expired; reset the application to begin anew", tp, r.cfg.Application)
			}
			if err := t.task.Restore(f.Topic, taskRecords(records), next); err != nil {
				return err
			}
			done += next - from[tp]
			from[tp] = next
			t.status.change(func(s *TaskStatus) { s.Restored = RestoreProgress{Done: done, Total: total} })
			if next >= ends[tp] {
				delete(ends, tp)
				fetcher.Remove(tp)
			}
		}
		if time.Since(said) > 5*time.Second {
			said = time.Now()
			left := time.Duration(float64(time.Since(started)) * float64(total-done) / float64(max(done, 1)))
			r.log.Info("restoring", "task", t.name, "offsets", done, "of", total, "left", left.Round(time.Second))
		}
	}
	if total > 0 {
		r.log.Info("state restored", "task", t.name, "offsets", total, "took", time.Since(started).Round(time.Millisecond))
	}
	return nil
}

// restorePlan returns where each changelog is restored from and to, without those that need nothing. The end is the
// high watermark: to reach it, a reader of committed records waits until every transaction before it is decided, so
// nothing committed is missed.
func (r *runner) restorePlan(ctx context.Context, t *running, changelogs []task.Changelog, committed map[kafka.TopicPartition]kafka.CommittedOffset) (from, ends map[kafka.TopicPartition]int64, err error) {
	var tps []kafka.TopicPartition
	for _, c := range changelogs {
		tps = append(tps, kafka.TopicPartition{Topic: c.Topic, Partition: c.Partition})
	}
	starts, err := r.client.Offsets(ctx, tps, kafka.Earliest)
	if err != nil {
		return nil, nil, cluster(err)
	}
	latest, err := r.client.Offsets(ctx, tps, kafka.Latest)
	if err != nil {
		return nil, nil, cluster(err)
	}
	from, ends = map[kafka.TopicPartition]int64{}, map[kafka.TopicPartition]int64{}
	for i, c := range changelogs {
		tp := tps[i]
		end := latest[tp]
		if c.Source {
			end = max(committed[tp].Offset, 0)
		}
		switch {
		case len(committed) == 0 && c.From > 0:
			return nil, nil, fmt.Errorf("%w: it stands at offset %d of %s, but the group has no offsets", errStale, c.From, tp)
		case c.From > end:
			return nil, nil, fmt.Errorf("%w: it stands at offset %d of %s, which ends at %d", errStale, c.From, tp, end)
		case c.From > 0 && c.From < starts[tp]:
			return nil, nil, fmt.Errorf("%w: it stands at offset %d of %s, which begins at %d", errStale, c.From, tp, starts[tp])
		}
		if begin := max(c.From, starts[tp]); begin < end {
			from[tp], ends[tp] = begin, end
		}
	}
	return from, ends, nil
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
