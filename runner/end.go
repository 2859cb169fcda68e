package runner

import (
	"context"
	"maps"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
)

// findEnds looks up the end offsets of the external topics, for StopAtEnd.
func (s *supervisor) findEnds(ctx context.Context) error {
	if !s.cfg.StopAtEnd {
		return nil
	}
	var err error
	s.ends, err = s.client.Offsets(ctx, s.sources(func(t *plan.Topic) bool { return !s.writtenHere(t) }), kafka.LatestStable)
	return err
}

// writtenHere reports whether the topology writes a topic that it also reads.
func (s *supervisor) writtenHere(t *plan.Topic) bool { return t.Internal || t.Written }

// sources returns the partitions of all input topics that want accepts.
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

// reachedEnd reports whether the external inputs are processed up to the ends that they had at the start, and the topics
// that the topology writes and reads up to their current ends.
func (s *supervisor) reachedEnd(ctx context.Context) bool {
	if !s.assigned || slices.ContainsFunc(s.assignments, func(a *assignment) bool { return a.worker == nil }) {
		return false
	}
	if slices.ContainsFunc(s.workers, func(w *worker) bool { return !w.idle.Load() }) || len(s.stuck) > 0 {
		return false
	}
	// The committed offsets must be read before the ends. If they cover the ends, no unprocessed record is left that could
	// move the ends further. kafka.Latest is the high watermark, so it includes open transactions.
	written := s.sources(s.writtenHere)
	committed, err := s.client.CommittedOffsets(ctx, s.cfg.Application, slices.AppendSeq(slices.Clone(written), maps.Keys(s.ends)))
	if err != nil {
		return false
	}
	ends, err := s.client.Offsets(ctx, written, kafka.Latest)
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
