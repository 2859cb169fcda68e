package kafka

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/IBM/sarama"
)

// A Topic describes a topic of the cluster.
type Topic struct {
	Name       string
	ID         string               // distinguishes it from a deleted topic of the same name; empty before Kafka 2.8
	Internal   bool                 // used by the cluster itself, such as __consumer_offsets
	Partitions []TopicPartitionInfo // ordered by partition number
}

// TopicPartitionInfo says which brokers hold a partition.
type TopicPartitionInfo struct {
	Partition int32
	Leader    int32   // broker id; -1 while the partition has no leader
	Replicas  []int32 // broker ids
	InSync    []int32 // the replicas that are in sync
}

// A TopicSpec describes a topic to create.
type TopicSpec struct {
	Name       string
	Partitions int32             // default: the broker's default
	Replicas   int16             // default: the broker's default
	Config     map[string]string // such as "cleanup.policy": "compact"
}

// Topics returns all topics, by name.
func (c *Client) Topics(ctx context.Context) ([]Topic, error) {
	topics, err := c.topics(ctx)
	if err != nil {
		return nil, fmt.Errorf("kafka: topics: %w", err)
	}
	return topics, nil
}

// DescribeTopics returns the named topics, sorted by name. Topics that do not exist are missing from the result.
func (c *Client) DescribeTopics(ctx context.Context, names ...string) ([]Topic, error) {
	if len(names) == 0 {
		return nil, nil
	}
	if err := CheckTopicNames(names...); err != nil {
		return nil, fmt.Errorf("kafka: describe topics: %w", err)
	}
	topics, err := c.topics(ctx, names...)
	if err != nil {
		return nil, fmt.Errorf("kafka: describe topics: %w", err)
	}
	return topics, nil
}

func (c *Client) topics(ctx context.Context, names ...string) ([]Topic, error) {
	var topics []Topic
	err := c.retry(ctx, func() error {
		res, err := c.describe(ctx, names...)
		if err != nil {
			return err
		}
		topics = topics[:0]
		for _, t := range res.Topics {
			err := codeError(t.Err)
			switch {
			case errors.Is(err, ErrUnknownTopic):
			case err != nil && !hasCode(err, sarama.ErrLeaderNotAvailable):
				return fmt.Errorf("topic %s: %w", t.Name, err)
			default:
				topics = append(topics, topicOf(t))
			}
		}
		return nil
	})
	slices.SortFunc(topics, func(a, b Topic) int { return strings.Compare(a.Name, b.Name) })
	return topics, err
}

func topicOf(t *sarama.TopicMetadata) Topic {
	topic := Topic{Name: t.Name, Internal: t.IsInternal}
	if t.Uuid != (sarama.Uuid{}) {
		topic.ID = t.Uuid.String()
	}
	for _, p := range t.Partitions {
		topic.Partitions = append(topic.Partitions, TopicPartitionInfo{Partition: p.ID, Leader: p.Leader, Replicas: p.Replicas, InSync: p.Isr})
	}
	slices.SortFunc(topic.Partitions, func(a, b TopicPartitionInfo) int { return int(a.Partition - b.Partition) })
	return topic
}

// CreateTopics creates topics and waits until all their partitions have leaders. It tries to create every topic and
// returns an error that lists all failures, for example ErrTopicExists.
func (c *Client) CreateTopics(ctx context.Context, specs ...TopicSpec) error {
	details := make(map[string]*sarama.TopicDetail, len(specs))
	var errs []error
	for _, spec := range specs {
		errs = append(errs, CheckTopicNames(spec.Name))
		details[spec.Name] = spec.detail()
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("kafka: create topics: %w", err)
	}
	if len(specs) == 0 {
		return nil
	}
	req := sarama.NewCreateTopicsRequest(c.conf.Version, details, c.cfg.RequestTimeout/2, false)
	var created []string
	var answerLost bool // an answer was lost: a topic that exists may be one that we created
	refused := c.askController(ctx, func(ctx context.Context, cn *conn) error {
		res, err := ask(ctx, cn, trackLost((*sarama.Broker).CreateTopics, &answerLost), req)
		if err == nil {
			created, err = createdTopics(res, answerLost)
		}
		return err
	})
	if err := errors.Join(refused, c.awaitLeaders(ctx, created)); err != nil {
		return fmt.Errorf("kafka: create topics: %w", err)
	}
	return nil
}

func (spec TopicSpec) detail() *sarama.TopicDetail {
	detail := &sarama.TopicDetail{NumPartitions: spec.Partitions, ReplicationFactor: spec.Replicas, ConfigEntries: make(map[string]*string)}
	if detail.NumPartitions == 0 {
		detail.NumPartitions = -1
	}
	if detail.ReplicationFactor == 0 {
		detail.ReplicationFactor = -1
	}
	for name, value := range spec.Config {
		detail.ConfigEntries[name] = &value
	}
	return detail
}

// createdTopics returns the topics that were created, and joins the errors of the others; if one error is retriable, it
// returns only that one. With answerLost, a topic that already exists counts as created.
func createdTopics(res *sarama.CreateTopicsResponse, answerLost bool) (created []string, err error) {
	var errs []error
	for name, e := range res.TopicErrors {
		err := codeErrorMessage(e.Err, e.ErrMsg)
		if retriable(err) {
			return nil, err
		}
		if err == nil || answerLost && errors.Is(err, ErrTopicExists) {
			created = append(created, name)
		} else {
			errs = append(errs, fmt.Errorf("%s: %w", name, err))
		}
	}
	return created, errors.Join(errs...)
}

// awaitLeaders waits until all partitions of topics have leaders.
func (c *Client) awaitLeaders(ctx context.Context, names []string) error {
	if len(names) == 0 {
		return nil
	}
	return c.retry(ctx, func() error {
		res, err := c.describe(ctx, names...)
		if err != nil {
			return err
		}
		for _, t := range res.Topics {
			led := t.Err == sarama.ErrNoError
			for _, p := range t.Partitions {
				led = led && p.Leader >= 0
			}
			if !led {
				return fmt.Errorf("topic %s: %w", t.Name, codeError(sarama.ErrLeaderNotAvailable))
			}
		}
		return nil
	})
}

// DeleteTopics deletes topics and waits until they are gone. Brokers answer before they delete, and until then a new
// topic of the same name could be confused with the old one. It tries to delete every topic and returns an error that
// lists all failures.
func (c *Client) DeleteTopics(ctx context.Context, names ...string) error {
	if len(names) == 0 {
		return nil
	}
	req := sarama.NewDeleteTopicsRequest(sarama.V2_7_0_0, names, c.cfg.RequestTimeout/2) // version 5: by name
	var answerLost bool                                                                  // an answer was lost: a missing topic may be one that we deleted
	err := c.askController(ctx, func(ctx context.Context, cn *conn) error {
		res, err := ask(ctx, cn, trackLost((*sarama.Broker).DeleteTopics, &answerLost), req)
		if err != nil {
			return err
		}
		var errs []error
		for name, code := range res.TopicErrorCodes {
			err := codeErrorMessage(code, res.TopicErrorMessages[name])
			if retriable(err) {
				return err
			}
			if err != nil && !(answerLost && errors.Is(err, ErrUnknownTopic)) {
				errs = append(errs, fmt.Errorf("%s: %w", name, err))
			}
		}
		return errors.Join(errs...)
	})
	c.meta.mu.Lock()
	for _, name := range names {
		delete(c.meta.topics, name)
	}
	c.meta.mu.Unlock()
	if err == nil {
		err = c.awaitGone(ctx, names)
	}
	if err != nil {
		return fmt.Errorf("kafka: delete topics: %w", err)
	}
	return nil
}

// awaitGone waits until the brokers no longer list the topics.
func (c *Client) awaitGone(ctx context.Context, names []string) error {
	return c.retry(ctx, func() error {
		res, err := c.describe(ctx, names...)
		if err != nil {
			return err
		}
		for _, t := range res.Topics {
			if t.Err == sarama.ErrNoError {
				return fmt.Errorf("topic %s is still there: %w", t.Name, codeError(sarama.ErrRequestTimedOut))
			}
		}
		return nil
	})
}

// askController calls send with a connection to the controller, and retries retriable errors.
func (c *Client) askController(ctx context.Context, send func(context.Context, *conn) error) error {
	return c.retry(ctx, func() error {
		c.meta.mu.RLock()
		addr, ok := c.meta.brokers[c.meta.controller]
		c.meta.mu.RUnlock()
		if !ok {
			return errors.Join(codeError(sarama.ErrNotController), c.refresh(ctx))
		}
		err := send(ctx, c.shared.get(addr))
		if lost(err) || hasCode(err, sarama.ErrNotController) {
			if err := c.refresh(ctx); err != nil {
				return err
			}
		}
		return err
	})
}

// TopicConfig returns all settings of a topic, including defaults.
func (c *Client) TopicConfig(ctx context.Context, topic string) (map[string]string, error) {
	configs, err := c.TopicConfigs(ctx, topic)
	return configs[topic], err
}

// TopicConfigs returns all settings of several topics, keyed by topic and setting name. It fails if any topic has an
// error.
func (c *Client) TopicConfigs(ctx context.Context, topics ...string) (map[string]map[string]string, error) {
	return c.topicConfigs(ctx, topics, func(*sarama.ConfigEntry) bool { return true })
}

// TopicOverrides returns only the settings that were set on the topic itself. All other settings come from the cluster.
func (c *Client) TopicOverrides(ctx context.Context, topic string) (map[string]string, error) {
	configs, err := c.topicConfigs(ctx, []string{topic}, func(e *sarama.ConfigEntry) bool { return e.Source == sarama.SourceTopic })
	return configs[topic], err
}

// topicConfigs returns those settings of topics for which want returns true.
func (c *Client) topicConfigs(ctx context.Context, topics []string, want func(*sarama.ConfigEntry) bool) (map[string]map[string]string, error) {
	if len(topics) == 0 {
		return nil, nil
	}
	req := &sarama.DescribeConfigsRequest{Version: 2}
	for _, topic := range topics {
		req.Resources = append(req.Resources, &sarama.ConfigResource{Type: sarama.TopicResource, Name: topic})
	}
	configs := make(map[string]map[string]string, len(topics))
	err := c.retry(ctx, func() error {
		res, err := askAny(ctx, c, (*sarama.Broker).DescribeConfigs, req)
		if err != nil {
			return err
		}
		for _, r := range res.Resources {
			if err := codeErrorMessage(sarama.KError(r.ErrorCode), &r.ErrorMsg); err != nil {
				return fmt.Errorf("topic %s: %w", r.Name, err)
			}
			configs[r.Name] = make(map[string]string, len(r.Configs))
			for _, entry := range r.Configs {
				if want(entry) {
					configs[r.Name][entry.Name] = entry.Value
				}
			}
		}
		return nil
	})
	if err != nil {
		return nil, fmt.Errorf("kafka: describe settings: %w", err)
	}
	return configs, nil
}

// AlterTopicConfig changes some settings of a topic and keeps the others.
func (c *Client) AlterTopicConfig(ctx context.Context, topic string, changes map[string]string) error {
	entries := make(map[string]sarama.IncrementalAlterConfigsEntry, len(changes))
	for name, value := range changes {
		entries[name] = sarama.IncrementalAlterConfigsEntry{Operation: sarama.IncrementalAlterConfigsOperationSet, Value: &value}
	}
	req := &sarama.IncrementalAlterConfigsRequest{Version: 1, Resources: []*sarama.IncrementalAlterConfigsResource{
		{Type: sarama.TopicResource, Name: topic, ConfigEntries: entries},
	}}
	err := c.askController(ctx, func(ctx context.Context, cn *conn) error {
		res, err := ask(ctx, cn, (*sarama.Broker).IncrementalAlterConfigs, req)
		if err != nil {
			return err
		}
		for _, r := range res.Resources {
			if err := codeErrorMessage(sarama.KError(r.ErrorCode), &r.ErrorMsg); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("kafka: alter config of topic %s: %w", topic, err)
	}
	return nil
}

// DeleteRecords deletes all records before the given offset of each partition; -1 stands for the high watermark.
func (c *Client) DeleteRecords(ctx context.Context, before map[TopicPartition]int64) error {
	var tps []TopicPartition
	for tp := range before {
		tps = append(tps, tp)
	}
	err := c.askLeaders(ctx, tps, func(addr string, tps []TopicPartition) (map[TopicPartition]error, error) {
		req := &sarama.DeleteRecordsRequest{Version: 1, Timeout: c.cfg.RequestTimeout / 2, Topics: make(map[string]*sarama.DeleteRecordsRequestTopic)}
		for _, tp := range tps {
			topic := req.Topics[tp.Topic]
			if topic == nil {
				topic = &sarama.DeleteRecordsRequestTopic{PartitionOffsets: make(map[int32]int64)}
				req.Topics[tp.Topic] = topic
			}
			topic.PartitionOffsets[tp.Partition] = before[tp]
		}
		res, err := ask(ctx, c.shared.get(addr), (*sarama.Broker).DeleteRecords, req)
		if err != nil {
			return nil, err
		}
		errs := make(map[TopicPartition]error)
		for topic, t := range res.Topics {
			for partition, p := range t.Partitions {
				errs[TopicPartition{topic, partition}] = codeError(p.Err)
			}
		}
		return errs, nil
	})
	if err != nil {
		return fmt.Errorf("kafka: delete records: %w", err)
	}
	return nil
}

// CheckTopicNames returns an error that says, for each name that Kafka does not allow, why. The rules are those of
// org.apache.kafka.common.internals.Topic.
func CheckTopicNames(names ...string) error {
	var errs []error
	for _, name := range names {
		bad := strings.IndexFunc(name, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-')
		})
		switch {
		case name == "":
			errs = append(errs, fmt.Errorf("%w: it is empty", ErrInvalidTopic))
		case name == "." || name == "..":
			errs = append(errs, fmt.Errorf("%w %q: Kafka does not allow it", ErrInvalidTopic, name))
		case len(name) > 249:
			errs = append(errs, fmt.Errorf("%w %q: %d characters, Kafka allows 249", ErrInvalidTopic, name, len(name)))
		case bad >= 0:
			errs = append(errs, fmt.Errorf("%w %q: Kafka allows only ASCII letters, digits, '.', '_' and '-'", ErrInvalidTopic, name))
		}
	}
	return errors.Join(errs...)
}
