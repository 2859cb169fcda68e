package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/similar"
	"github.com/rio-streams/rio/kafka"
)

// prepareTopics checks the topics of the plan in the cluster, creates missing ones, and sets r.counts.
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
	return r.prepareInternal(ctx, existing)
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

// createExternal creates the missing external topics, or returns an error that names them if Config.CreateTopics is false.
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
	for _, name := range slices.Sorted(maps.Keys(r.cfg.InputNames)) {
		if t := r.plan.Topics[name]; t == nil || t.Internal || t.Written {
			mistakes = append(mistakes, fmt.Errorf("Config.InputNames has %q, but the topology reads no such topic that others write%s",
				name, similar.Hint(name, slices.Sorted(maps.Keys(r.plan.Topics)))))
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
		hint := similar.Hint(names[0], slices.Sorted(maps.Keys(existing)))
		mistakes = append(mistakes, fmt.Errorf("no such topic on %s: %s; create it (rio topics create %s), or set Config.CreateTopics%s",
			strings.Join(r.cfg.Brokers, ","), strings.Join(names, ", "), names[0], hint))
	}
	if err := errors.Join(mistakes...); err != nil {
		return err
	}
	return r.create(ctx, specs, existing)
}

// prepareInternal creates missing repartition topics and changelogs, and checks the existing ones.
func (r *runner) prepareInternal(ctx context.Context, existing map[string]int32) error {
	var specs []kafka.TopicSpec
	var present []internalTopic
	var mistakes []error
	cluster, err := r.clusterSettings(ctx)
	if err != nil {
		return err
	}
	for _, t := range r.internalTopics() {
		t.maxMessage = max(largestMessage, cluster.message)
		warnings, err := t.check()
		mistakes = append(mistakes, err)
		for _, warning := range warnings {
			r.log.Warn("a setting of an internal topic can lose records", "topic", t.name, "setting", warning)
		}
		switch have, ok := existing[t.name]; {
		case !ok:
			specs = append(specs, kafka.TopicSpec{
				Name: t.name, Partitions: t.partitions, Replicas: r.cfg.ReplicationFactor, Config: supportedSettings(t.settings(), cluster.topicSettings),
			})
		case have != t.partitions:
			mistakes = append(mistakes, fmt.Errorf("internal topic %s has %d partitions, but its inputs now have %d: reset the application, or give its sources their old number of partitions", t.name, have, t.partitions))
		default:
			present = append(present, t)
		}
	}
	if err := errors.Join(mistakes...); err != nil {
		return err
	}
	if err := r.create(ctx, specs, existing); err != nil {
		return err
	}
	return r.adjust(ctx, present)
}

// clusterSettings is what the settings of the application's external topics show about the cluster.
type clusterSettings struct {
	topicSettings map[string]string // all settings of one topic; nil if they cannot be read
	message       int               // the largest max.message.bytes of these topics, which internal topics must also accept
}

func (r *runner) clusterSettings(ctx context.Context) (clusterSettings, error) {
	var names []string
	for _, t := range r.plan.Topics {
		if !t.Internal {
			names = append(names, r.names().Topic(t))
		}
	}
	all, err := r.topicConfigs(ctx, names)
	if errors.Is(err, kafka.ErrNotAuthorized) {
		return clusterSettings{}, nil
	}
	var c clusterSettings
	for _, settings := range all {
		n, _ := strconv.Atoi(settings[maxMessageBytes])
		c.topicSettings, c.message = settings, max(c.message, n)
	}
	return c, err
}

// topicConfigs returns the settings of existing topics. It retries for topics that another process has just created, because
// brokers learn of a new topic one after another.
func (r *runner) topicConfigs(ctx context.Context, names []string) (map[string]map[string]string, error) {
	const attempts = 7 // about 6 s
	for attempt := 0; ; attempt++ {
		all, err := r.client.TopicConfigs(ctx, names...)
		if !errors.Is(err, kafka.ErrUnknownTopic) || attempt == attempts {
			return all, err
		}
		if err := pause(ctx, attempt); err != nil {
			return nil, err
		}
	}
}

// adjust changes the settings of existing internal topics to the required ones. An earlier version or an administrator may
// have created them with other settings.
func (r *runner) adjust(ctx context.Context, topics []internalTopic) error {
	names := make([]string, len(topics))
	for i, t := range topics {
		names[i] = t.name
	}
	current, err := r.topicConfigs(ctx, names)
	if errors.Is(err, kafka.ErrNotAuthorized) {
		r.log.Warn("settings of internal topics cannot be checked", "error", err)
		return nil
	}
	if err != nil {
		return err
	}
	for _, t := range topics {
		changes := t.differences(current[t.name])
		if len(changes) == 0 {
			continue
		}
		err := r.client.AlterTopicConfig(ctx, t.name, changes)
		switch {
		case errors.Is(err, kafka.ErrNotAuthorized), errors.Is(err, kafka.ErrRefused):
			r.log.Warn("settings of an internal topic can lose records, and this application is not allowed to change them; change them", "topic", t.name, "to", changes, "error", err)
		case err != nil:
			return err
		default:
			r.log.Info("settings of an internal topic changed", "topic", t.name, "to", changes)
		}
	}
	return nil
}

// create creates topics and adds them to existing. Topics that another process has created meanwhile are not an error.
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

// inputs returns the partitions that the task of s for partition p reads, by topic name in the cluster.
func (r *runner) inputs(s *plan.Subtopology, p int32) []kafka.TopicPartition {
	var tps []kafka.TopicPartition
	for _, source := range s.Sources {
		if p < r.counts[source.Reads.Name] {
			tps = append(tps, kafka.TopicPartition{Topic: r.names().Topic(source.Reads), Partition: p})
		}
	}
	return tps
}
