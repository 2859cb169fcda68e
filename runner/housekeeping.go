package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
)

// housekeepingInterval is how often topics are checked and purged.
const housekeepingInterval = 30 * time.Second

// purge deletes records of the internal topics that are no longer needed: processed records of repartition topics, and
// expired windows in changelogs. It goes by committed offsets and stream time, never by the wall clock.
func (s *supervisor) purge(ctx context.Context) {
	assignments := slices.Clone(s.assignments)
	s.purging.Go(func() { // it may take a while, and must not block the supervisor
		if err := s.purgeTopics(ctx, assignments); err != nil {
			s.log.Debug("failed to purge internal topics", "error", err)
		}
	})
}

func (r *runner) purgeTopics(ctx context.Context, assignments []*assignment) error {
	committed, err := r.client.PeekOffsets(ctx, r.cfg.Application)
	if err != nil {
		return err
	}
	before := map[kafka.TopicPartition]int64{}
	for _, a := range assignments {
		for _, source := range a.sub.Sources {
			tp := kafka.TopicPartition{Topic: r.names().Topic(source.Reads), Partition: a.partition}
			if c, ok := committed[tp]; ok && source.Reads.Internal {
				before[tp] = c.Offset
			}
		}
		for tp, at := range r.expired(a, committed) {
			offset, err := r.client.Offsets(ctx, []kafka.TopicPartition{tp}, kafka.Since(at))
			if err != nil {
				return err
			}
			before[tp] = offset[tp]
		}
	}
	if len(before) == 0 {
		return nil
	}
	return r.client.DeleteRecords(ctx, before)
}

// expired returns, for each changelog of a windowed store of the task, the time before which all records belong to expired
// windows. A record there is never older than the start of its window.
func (r *runner) expired(a *assignment, committed map[kafka.TopicPartition]kafka.CommittedOffset) map[kafka.TopicPartition]time.Time {
	var metadata []string
	for _, tp := range a.inputs {
		metadata = append(metadata, committed[tp].Metadata)
	}
	times := task.Times(metadata)
	expired := map[kafka.TopicPartition]time.Time{}
	for _, store := range a.sub.Stores {
		at, known := times[store.Name()]
		if horizon := time.UnixMilli(at).Add(-store.Retention()); known && store.Source == "" && store.Retention() > 0 && horizon.UnixMilli() > 0 {
			expired[kafka.TopicPartition{Topic: r.names().Changelog(store.Name()), Partition: a.partition}] = horizon
		}
	}
	return expired
}

// checkTopics returns an error, which ends the run, if an input topic was deleted, was recreated or has more partitions
// (no task would read the new ones), or if a changelog was deleted. It returns nil if the cluster does not respond.
func (r *runner) checkTopics(ctx context.Context) error {
	topics, err := r.client.Topics(ctx)
	if err != nil {
		return nil
	}
	existing := make(map[string]kafka.Topic, len(topics))
	for _, t := range topics {
		existing[t.Name] = t
	}
	mistakes := map[string]error{}
	for _, t := range r.internalTopics() {
		have, ok := existing[t.name]
		if t.store != nil && (!ok || differ(r.ids[t.name], have.ID)) {
			mistakes[t.name] = fmt.Errorf("%w: the changelog %s was deleted while the application was running: stop all its processes, and rewrite it from the local state with runner.Rebuild, or reset the application",
				ErrStateLost, t.name)
		}
	}
	for _, source := range r.sources() {
		name := r.names().Topic(source.Reads)
		want := r.counts[source.Reads.Name]
		have, ok := existing[name]
		switch n := int32(len(have.Partitions)); {
		case !ok:
			mistakes[name] = fmt.Errorf("%w: input topic %s was deleted: recreate it, reset the application, and restart", ErrTopicsChanged, name)
		case differ(r.ids[name], have.ID):
			mistakes[name] = recreatedError(name)
		case n != want:
			mistakes[name] = fmt.Errorf("%w: topic %s had %d partitions at the start and has %d now: restart the application; if it keeps state by the topic's keys, reset it first",
				ErrTopicsChanged, name, want, n)
		}
	}
	if err := joinSorted(mistakes); err != nil {
		return fmt.Errorf("runner: application %s: %w", r.cfg.Application, err)
	}
	return nil
}
