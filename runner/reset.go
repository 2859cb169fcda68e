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

// Reset makes an application forget: it deletes its repartition topics, its changelogs and the state below Config.Dir,
// and sets its offsets in the topics that it reads to a place (kafka.Earliest, kafka.Latest, or kafka.Since a time).
// The next Run processes from there. What the application has written to other topics stays, and a replay writes it
// again: give the replay an OutputPrefix, or let readers know.
//
// The application must not be running, on any machine. What other machines have of its state is deleted when it starts
// there.
func Reset(ctx context.Context, t *topology.Topology, cfg Config, to kafka.At) error {
	return administer(ctx, t, cfg, "reset", func(r *runner) error { return r.reset(ctx, to) })
}

// administer connects to the cluster, without running the application, and does what is to be done there.
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
	// First what refuses while the application runs.
	err := r.client.DeleteGroup(ctx, r.cfg.Application)
	if err != nil && !errors.Is(err, kafka.ErrUnknownGroup) {
		if errors.Is(err, kafka.ErrGroupNotEmpty) {
			return fmt.Errorf("%w: stop the application first, on all machines", err)
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
		commit[tp] = kafka.CommittedOffset{Offset: offset, Metadata: note{first: existing[tp.Topic], reset: true}.String()}
	}
	if len(commit) == 0 {
		return nil
	}
	return r.client.CommitOffsets(ctx, kafka.GroupRef{Group: r.cfg.Application, Generation: -1}, commit)
}

// deleteInternal deletes the topics that belong to the application.
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

// deleteState deletes the local state of this cluster, and that of an earlier version, unless a process of the
// application holds a part of it.
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
			return fmt.Errorf("state of another process: %w; stop it first", err)
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
