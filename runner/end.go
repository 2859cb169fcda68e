package runner

import (
	"context"
	"maps"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
)

// findEnds notes where the external topics end, for StopAtEnd.
func (s *supervisor) findEnds(ctx context.Context) error {
	if !s.cfg.StopAtEnd {
		return nil
	}
	var err error
	s.ends, err = s.client.Offsets(ctx, s.sources(func(t *plan.Topic) bool { return !s.fed(t) }), kafka.LatestStable)
	return err
}

// fed reports whether a topic is written by the topology that reads it.
func (s *supervisor) fed(t *plan.Topic) bool { return t.Internal || t.Written }

// sources returns the partitions of the topics that tasks read and want accepts.
func (s *supervisor) sources(want func(*plan.Topic) bool) []kafka.TopicPartition {
	var tps []kafka.TopicPartition
	for _, sub := range s.plan.Subtopologies {
		for _, source := range sub.Sources {
			if !want(source.Reads) {
				continue
			}
			for p := range s.counts[source.Reads.Name] {
				tps = append(tps, kafka.TopicPartition{Topic: s.names().Topic(source.Reads), Partition: p})
			}
		}
	}
	return tps
}

// finished reports whether all external inputs are processed to where they ended at the start, and everything that
// follows from them to where it ends now.
func (s *supervisor) finished(ctx context.Context) bool {
	if !s.settled || slices.ContainsFunc(s.units, func(u *unit) bool { return u.worker == nil }) {
		return false
	}
	if slices.ContainsFunc(s.workers, func(w *worker) bool { return !w.idle.Load() }) || len(s.stuck) > 0 {
		return false
	}
	// First how far the application is, then how far the topics go that it fills: in this order, what is behind both has
	// nothing left that could fill them further. The end is the high watermark, open transactions included.
	fed := s.sources(s.fed)
	committed, err := s.client.CommittedOffsets(ctx, s.cfg.Application, slices.AppendSeq(slices.Clone(fed), maps.Keys(s.ends)))
	if err != nil {
		return false
	}
	ends, err := s.client.Offsets(ctx, fed, kafka.Latest)
	if err != nil {
		return false
	}
	maps.Copy(ends, s.ends)
	for tp, end := range ends {
		if committed[tp].Offset < end {
			return false
		}
	}
	return true
}
