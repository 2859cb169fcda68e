package runner

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
)

// housekeepingInterval is how often topics are purged and looked at.
const housekeepingInterval = 30 * time.Second

// purge deletes what nobody needs any more of the internal topics: records of repartition topics that are processed, and
// windows in changelogs that have expired. It goes by what is committed, never by the wall clock.
func (s *supervisor) purge(ctx context.Context) {
	units := slices.Clone(s.units)
	s.purging.Go(func() { // beside the supervisor: it may take a while
		if err := s.purgeTopics(ctx, units); err != nil {
			s.log.Debug("purge internal topics", "error", err)
		}
	})
}

func (r *runner) purgeTopics(ctx context.Context, units []*unit) error {
	committed, err := r.client.PeekOffsets(ctx, r.cfg.Application)
	if err != nil {
		return err
	}
	before := map[kafka.TopicPartition]int64{}
	for _, u := range units {
		for _, source := range u.sub.Sources {
			tp := kafka.TopicPartition{Topic: r.names().Topic(source.Reads), Partition: u.partition}
			if c, ok := committed[tp]; ok && source.Reads.Internal {
				before[tp] = c.Offset
			}
		}
		for tp, at := range r.expired(u, committed) {
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

// expired returns, for the changelogs of a unit's windows, the time before which all their records are of windows that have
// expired. No record there is older than the start of its window.
func (r *runner) expired(u *unit, committed map[kafka.TopicPartition]kafka.CommittedOffset) map[kafka.TopicPartition]time.Time {
	var metadata []string
	for _, tp := range u.inputs {
		metadata = append(metadata, committed[tp].Metadata)
	}
	times := task.Times(metadata)
	expired := map[kafka.TopicPartition]time.Time{}
	for _, store := range u.sub.Stores {
		at, known := times[store.Name()]
		if horizon := time.UnixMilli(at).Add(-store.Retention()); known && store.Source == "" && store.Retention() > 0 && horizon.UnixMilli() > 0 {
			expired[kafka.TopicPartition{Topic: r.names().Changelog(store.Name()), Partition: u.partition}] = horizon
		}
	}
	return expired
}

// checkTopics ends the run if a topic that tasks read is gone, was made again, or has grown (its new partitions would be
// nobody's), or if a changelog is gone. While the cluster does not answer there is nothing to say.
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
			mistakes[t.name] = fmt.Errorf("%w: the changelog %s was deleted while the application ran: stop all its processes, and write it again from the local state with runner.Rebuild, or reset the application",
				ErrStateLost, t.name)
		}
	}
	for _, s := range r.plan.Subtopologies {
		for _, source := range s.Sources {
			name := r.names().Topic(source.Reads)
			want := r.counts[source.Reads.Name]
			have, ok := existing[name]
			switch n := int32(len(have.Partitions)); {
			case !ok:
				mistakes[name] = fmt.Errorf("%w: topic %s, which the topology reads, was deleted: create it again, reset the application, and start", ErrTopicsChanged, name)
			case differ(r.ids[name], have.ID):
				mistakes[name] = replacedError(name)
			case n != want:
				mistakes[name] = fmt.Errorf("%w: topic %s had %d partitions at the start and has %d now: start again; if state is kept by its keys, reset the application first",
					ErrTopicsChanged, name, want, n)
			}
		}
	}
	if err := joinSorted(mistakes); err != nil {
		return fmt.Errorf("runner: application %s: %w", r.cfg.Application, err)
	}
	return nil
}
