package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
)

// prepareTopics checks the topics of the plan against the cluster, creates what is the application's own, and learns
// how many partitions each has.
func (r *runner) prepareTopics(ctx context.Context) error {
	existing, err := r.existing(ctx)
	if err != nil {
		return err
	}
	if err := r.createExternal(ctx, existing); err != nil {
		return err
	}
	external := map[string]int32{}
	for name, t := range r.plan.Topics {
		if !t.Internal {
			external[name] = existing[r.names().Topic(t)]
		}
	}
	if r.counts, err = r.plan.ResolvePartitions(external); err != nil {
		return err
	}
	if dlq := r.cfg.Policies.DeadLetters; dlq != "" {
		r.counts[dlq] = existing[dlq]
	}
	return r.createInternal(ctx, existing)
}

// existing returns the number of partitions of each topic of the cluster.
func (r *runner) existing(ctx context.Context) (map[string]int32, error) {
	topics, err := r.client.Topics(ctx)
	if err != nil {
		return nil, err
	}
	counts := make(map[string]int32, len(topics))
	for _, t := range topics {
		counts[t.Name] = int32(len(t.Partitions))
	}
	return counts, nil
}

// createExternal creates what the topology reads and writes, or says what is missing.
func (r *runner) createExternal(ctx context.Context, existing map[string]int32) error {
	var specs []kafka.TopicSpec
	var mistakes []error
	add := func(name string, want int32) {
		have, ok := existing[name]
		switch {
		case !ok:
			n := want
			if n == 0 {
				n = int32(r.cfg.Partitions)
			}
			specs = append(specs, kafka.TopicSpec{Name: name, Partitions: n, Replicas: r.cfg.ReplicationFactor})
		case want != 0 && have != want:
			mistakes = append(mistakes, fmt.Errorf("topic %s has %d partitions, but the topology asks for %d: recreate the topic or change Topic.Partitions", name, have, want))
		}
	}
	for _, name := range slices.Sorted(maps.Keys(r.plan.Topics)) {
		if t := r.plan.Topics[name]; !t.Internal {
			add(r.names().Topic(t), t.Partitions)
		}
	}
	if dlq := r.cfg.Policies.DeadLetters; dlq != "" {
		add(dlq, 0)
	}
	if len(specs) > 0 && !r.cfg.CreateTopics {
		names := make([]string, len(specs))
		for i, spec := range specs {
			names[i] = spec.Name
		}
		mistakes = append(mistakes, fmt.Errorf("no such topic on %s: %s; create them (rio topics create %s), or set Config.CreateTopics",
			strings.Join(r.cfg.Brokers, ","), strings.Join(names, ", "), names[0]))
	}
	if err := errors.Join(mistakes...); err != nil {
		return err
	}
	return r.create(ctx, specs, existing)
}

// createInternal creates repartition topics and changelogs, and checks those that exist.
func (r *runner) createInternal(ctx context.Context, existing map[string]int32) error {
	var specs []kafka.TopicSpec
	var mistakes []error
	add := func(name string, partitions int32, config map[string]string) {
		have, ok := existing[name]
		switch {
		case !ok:
			specs = append(specs, kafka.TopicSpec{Name: name, Partitions: partitions, Replicas: r.cfg.ReplicationFactor, Config: config})
		case have != partitions:
			mistakes = append(mistakes, fmt.Errorf("internal topic %s has %d partitions, but its inputs now have %d: reset the application, or give its sources their old number of partitions", name, have, partitions))
		}
	}
	for _, t := range r.plan.Repartitions {
		// What is processed is deleted by purge; nothing may go before.
		add(r.names().Topic(t), r.counts[t.Name], map[string]string{"cleanup.policy": "delete", "retention.ms": "-1"})
	}
	for _, s := range r.plan.Subtopologies {
		for _, store := range s.Stores {
			if store.Source == "" {
				add(r.names().Changelog(store.Name()), s.Tasks(r.counts), changelogConfig(store))
			}
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return err
	}
	return r.create(ctx, specs, existing)
}

// changelogConfig keeps the newest record of each key; of windows only as long as they can still change or be read,
// and a day more, as Kafka Streams does.
func changelogConfig(store *plan.Store) map[string]string {
	if store.Retention() == 0 {
		return map[string]string{"cleanup.policy": "compact"}
	}
	return map[string]string{
		"cleanup.policy": "compact,delete",
		"retention.ms":   strconv.FormatInt((store.Retention() + 24*time.Hour).Milliseconds(), 10),
	}
}

// create creates topics and notes them in existing. Another process of the application may have been faster.
func (r *runner) create(ctx context.Context, specs []kafka.TopicSpec, existing map[string]int32) error {
	for _, spec := range specs {
		err := r.client.CreateTopics(ctx, spec)
		if err != nil && !errors.Is(err, kafka.ErrTopicExists) {
			return err
		}
		existing[spec.Name] = spec.Partitions
		if err == nil {
			r.log.Info("topic created", "topic", spec.Name, "partitions", spec.Partitions)
		}
	}
	return nil
}

// inputs returns the partitions that the task of s on partition p reads, by their names in the log.
func (r *runner) inputs(s *plan.Subtopology, p int32) []kafka.TopicPartition {
	var tps []kafka.TopicPartition
	for _, source := range s.Sources {
		if p < r.counts[source.Reads.Name] {
			tps = append(tps, kafka.TopicPartition{Topic: r.names().Topic(source.Reads), Partition: p})
		}
	}
	return tps
}
