package runner

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// housekeepingInterval is how often processed records of repartition topics are deleted and the topics are looked at.
const housekeepingInterval = 30 * time.Second

// purge deletes what has been processed of the repartition topics: nobody else reads them.
func (s *supervisor) purge(ctx context.Context) {
	var tps []kafka.TopicPartition
	for _, u := range s.units {
		for _, source := range u.sub.Sources {
			if source.Reads.Internal {
				tps = append(tps, kafka.TopicPartition{Topic: s.names().Topic(source.Reads), Partition: u.partition})
			}
		}
	}
	if len(tps) == 0 {
		return
	}
	s.purging.Go(func() { // beside the supervisor: it may take a while
		committed, err := s.client.CommittedOffsets(ctx, s.cfg.Application, tps)
		if err != nil {
			return
		}
		offsets := make(map[kafka.TopicPartition]int64, len(committed))
		for tp, c := range committed {
			offsets[tp] = c.Offset
		}
		if err := s.client.DeleteRecords(ctx, offsets); err != nil {
			s.log.Debug("delete processed records", "error", err)
		}
	})
}

// checkTopics ends the run if a topic that tasks read is gone or has grown: its new partitions would be nobody's. While the
// cluster does not answer there is nothing to say.
func (r *runner) checkTopics(ctx context.Context) error {
	existing, err := r.existing(ctx)
	if err != nil {
		return nil
	}
	var mistakes []error
	for _, s := range r.plan.Subtopologies {
		for _, source := range s.Sources {
			name := r.names().Topic(source.Reads)
			want := r.counts[source.Reads.Name]
			switch have, ok := existing[name]; {
			case !ok:
				mistakes = append(mistakes, fmt.Errorf("topic %s, which the topology reads, was deleted: create it again, reset the application, and start", name))
			case have != want:
				mistakes = append(mistakes, fmt.Errorf("topic %s had %d partitions at the start and has %d now: start again; if state is kept by its keys, reset the application first", name, want, have))
			}
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return fmt.Errorf("runner: application %s: %w: %w", r.cfg.Application, ErrTopicsChanged, err)
	}
	return nil
}
