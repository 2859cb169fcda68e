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

// survey reads, before the first task is opened, what the group's offsets say of the application's past: it refuses
// topics that were made again and stores whose format has changed, and learns where new partitions begin.
func (r *runner) survey(ctx context.Context) error {
	committed, err := r.client.PeekOffsets(ctx, r.cfg.Application)
	if err != nil {
		return err
	}
	notes := make(map[kafka.TopicPartition]note, len(committed))
	r.began = map[string]int32{}
	for tp, c := range committed {
		n := parseNote(c.Metadata)
		notes[tp] = n
		r.noteBegin(tp, n)
	}
	var mistakes []error
	ids := map[string]string{}
	for _, sub := range r.plan.Subtopologies {
		own, err := r.topicIDs(ctx, sub)
		if err != nil && !errors.Is(err, kafka.ErrUnknownTopic) { // not every broker knows yet what was just created
			return err
		}
		maps.Copy(ids, own)
		for _, source := range sub.Sources {
			name := r.names().Topic(source.Reads)
			if r.began[name] == 0 {
				r.began[name] = r.counts[source.Reads.Name]
			}
		}
		for _, n := range notes {
			mistakes = append(mistakes, checkFormats(sub, n.stores))
		}
	}
	r.ids = ids
	return errors.Join(checkInputs(notes, ids), firstOf(mistakes))
}

// noteBegin learns how many partitions a topic had when the application began to read it. A version that did not note it
// had all that have offsets.
func (r *runner) noteBegin(tp kafka.TopicPartition, n note) {
	first := n.first
	if first == 0 {
		first = tp.Partition + 1
	}
	r.began[tp.Topic] = max(r.began[tp.Topic], first)
}

// firstOf returns the first error of a list. Each partition tells the same.
func firstOf(errs []error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

// beginning returns where reading a partition begins that has no committed offset. Config.Latest and Topic.StartAt speak
// of streams at the application's beginning. Tables are read whole, internal topics from their first record, and so are
// partitions that came later: their records are new.
func (r *runner) beginning(ctx context.Context, sub *plan.Subtopology, tp kafka.TopicPartition) (int64, error) {
	at := kafka.Earliest
	for _, source := range sub.Sources {
		whole := source.Kind == "table" || source.Reads.Internal || tp.Partition >= r.began[tp.Topic]
		if r.names().Topic(source.Reads) == tp.Topic && !whole {
			at = r.startOf(source.Reads.Start)
		}
	}
	offsets, err := r.client.Offsets(ctx, []kafka.TopicPartition{tp}, at)
	if err != nil {
		return 0, cluster(fmt.Errorf("where %s begins: %w", tp, err))
	}
	return offsets[tp], nil
}

// startOf returns the place that a topology, or else the configuration, chose.
func (r *runner) startOf(start plan.Start) kafka.At {
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
