package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
)

// checkCommitted reads the notes in the group's committed offsets before the first task is opened. It returns an error if
// an input topic was recreated or the format of a store has changed, and it sets r.initialPartitions.
func (r *runner) checkCommitted(ctx context.Context) error {
	committed, err := r.client.PeekOffsets(ctx, r.cfg.Application)
	if err != nil {
		return err
	}
	notes := make(map[kafka.TopicPartition]note, len(committed))
	r.initialPartitions = map[string]int32{}
	for tp, c := range committed {
		n := parseNote(c.Metadata)
		notes[tp] = n
		r.noteInitialPartitions(tp, n)
	}
	var mistakes []error
	ids := map[string]string{}
	for _, sub := range r.plan.Subtopologies {
		own, err := r.topicIDs(ctx, sub)
		if err != nil && !errors.Is(err, kafka.ErrUnknownTopic) { // brokers learn of a new topic one after another
			return err
		}
		maps.Copy(ids, own)
		for _, source := range sub.Sources {
			name := r.names().Topic(source.Reads)
			if r.initialPartitions[name] == 0 {
				r.initialPartitions[name] = r.counts[source.Reads.Name]
			}
		}
		for _, n := range notes {
			mistakes = append(mistakes, checkFormats(sub, n.stores))
		}
	}
	r.ids = ids
	return errors.Join(checkInputs(notes, ids), firstOf(mistakes))
}

// noteInitialPartitions records how many partitions a topic had when the application began to read it. Older versions did
// not commit this number; their topics had at least the partitions that have offsets.
func (r *runner) noteInitialPartitions(tp kafka.TopicPartition, n note) {
	first := n.initialPartitions
	if first == 0 {
		first = tp.Partition + 1
	}
	r.initialPartitions[tp.Topic] = max(r.initialPartitions[tp.Topic], first)
}

// firstOf returns the first error of a list. It is used where all partitions report the same error.
func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// startOffset returns the first offset to read in a partition without a committed offset. Config.Latest and Topic.StartAt
// apply only to streams, and only to the partitions that existed when the application first ran. Tables, internal topics
// and partitions added later are read from their first record.
func (r *runner) startOffset(ctx context.Context, sub *plan.Subtopology, tp kafka.TopicPartition) (int64, error) {
	at := kafka.Earliest
	for _, source := range sub.Sources {
		whole := source.Kind == "table" || source.Reads.Internal || tp.Partition >= r.initialPartitions[tp.Topic]
		if r.names().Topic(source.Reads) == tp.Topic && !whole {
			at = r.startPosition(source.Reads.Start)
		}
	}
	offsets, err := r.client.Offsets(ctx, []kafka.TopicPartition{tp}, at)
	if err != nil {
		return 0, recoverable(fmt.Errorf("look up the start offset of %s: %w", tp, err))
	}
	return offsets[tp], nil
}

// startPosition returns the start position that the topology chose, or else the configuration's.
func (r *runner) startPosition(start plan.Start) kafka.At {
	switch {
	case start.Place == plan.StartSince:
		return kafka.Since(start.Since)
	case start.Place == plan.StartAgo:
		return kafka.Since(time.Now().Add(-start.Ago))
	case start.Place == plan.StartLatest, start.Place == plan.StartDefault && r.cfg.Latest:
		return kafka.Latest
	}
	return kafka.Earliest
}
