package runner

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

// Reset deletes an application's repartition topics, its changelogs and its state below Config.Dir, and commits the given
// position (kafka.Earliest, kafka.Latest, or kafka.Since) in its input topics. The next Run starts there. Results in other
// topics are kept, and a replay writes them a second time: set an OutputPrefix for the replay, or warn the consumers.
//
// The application must not be running on any machine. Other machines delete their state when the application starts there.
func Reset(ctx context.Context, t *topology.Topology, cfg Config, to kafka.At) error {
	return administer(ctx, t, cfg, "reset", func(r *runner) error { return r.reset(ctx, to) })
}

// administer connects to the cluster and calls do, without running the application. what names the operation in errors.
func administer(ctx context.Context, t *topology.Topology, cfg Config, what string, do func(*runner) error) error {
	r, err := newRunner(t, cfg)
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.connect(ctx); err != nil {
		return err
	}
	if err := do(r); err != nil {
		return fmt.Errorf("runner: %s %s: %w", what, r.cfg.Application, err)
	}
	return nil
}

func (r *runner) reset(ctx context.Context, to kafka.At) error {
	// Delete the group first: that fails while the application is running.
	err := r.client.DeleteGroup(ctx, r.cfg.Application)
	if err != nil && !errors.Is(err, kafka.ErrUnknownGroup) {
		if errors.Is(err, kafka.ErrGroupNotEmpty) {
			return fmt.Errorf("%w: stop the application on all machines first", err)
		}
		return err
	}
	existing, err := r.existing(ctx)
	if err != nil {
		return err
	}
	if err := r.deleteInternal(ctx, existing); err != nil {
		return err
	}
	if err := r.deleteState(); err != nil {
		return err
	}
	var tps []kafka.TopicPartition
	for _, t := range r.plan.Topics {
		for p := range existing[r.names().Topic(t)] {
			if r.reads(t) && !t.Internal {
				tps = append(tps, kafka.TopicPartition{Topic: r.names().Topic(t), Partition: p})
			}
		}
	}
	offsets, err := r.client.Offsets(ctx, tps, to)
	if err != nil {
		return err
	}
	commit := make(map[kafka.TopicPartition]kafka.CommittedOffset, len(offsets))
	for tp, offset := range offsets {
		commit[tp] = kafka.CommittedOffset{Offset: offset, Metadata: note{initialPartitions: existing[tp.Topic], reset: true}.String()}
	}
	if len(commit) == 0 {
		return nil
	}
	return r.client.CommitOffsets(ctx, kafka.GroupRef{Group: r.cfg.Application, Generation: -1}, commit)
}

// deleteInternal deletes the repartition topics and the changelogs.
func (r *runner) deleteInternal(ctx context.Context, existing map[string]int32) error {
	for _, t := range r.internalTopics() {
		if _, ok := existing[t.name]; !ok {
			continue
		}
		if err := r.client.DeleteTopics(ctx, t.name); err != nil && !errors.Is(err, kafka.ErrUnknownTopic) {
			return err
		}
		r.log.Info("topic deleted", "topic", t.name)
	}
	return nil
}

// deleteState deletes the local state for this cluster and that of earlier versions. It fails if another process uses a
// part of it.
func (r *runner) deleteState() error {
	places, unlock, err := r.lockPlaces()
	if err != nil {
		return err
	}
	defer unlock()
	old, err := r.oldPlaces()
	if err != nil {
		return err
	}
	for _, p := range old {
		if err := p.take(); err != nil {
			return fmt.Errorf("another process uses the state: %w; stop it first", err)
		}
		defer p.lock.Release()
	}
	for _, p := range append(places, old...) {
		if err := os.RemoveAll(p.dir); err != nil {
			return err
		}
	}
	return nil
}

// reads reports whether the topology reads a topic.
func (r *runner) reads(t *plan.Topic) bool {
	for _, s := range r.plan.Subtopologies {
		for _, source := range s.Sources {
			if source.Reads == t {
				return true
			}
		}
	}
	return false
}
