package engine

import (
	"crypto/rand"
	"maps"
	"strings"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
)

// maxTopicName is the maximum length of a topic name, Kafka's 249.
const maxTopicName = 249

// checkTopicName returns an error if a topic name is not allowed.
func checkTopicName(name string) error {
	legal := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '.' || r == '_' || r == '-'
	}
	switch {
	case name == "" || name == "." || name == "..":
		return protocolError(kerr.InvalidTopicException, "a topic cannot be named %q", name)
	case len(name) > maxTopicName:
		return protocolError(kerr.InvalidTopicException, "the name of a topic has at most %d characters, not %d", maxTopicName, len(name))
	case strings.ContainsFunc(name, func(r rune) bool { return !legal(r) }):
		return protocolError(kerr.InvalidTopicException, "the topic name %q has characters other than a-z, A-Z, 0-9, '.', '_' and '-'", name)
	}
	return nil
}

// unknownByID replaces the error for an unknown topic if the request identified the topic by its id.
func unknownByID(err error, byID bool) error {
	if byID && code(err) == kerr.UnknownTopicOrPartition.Code {
		return kerr.UnknownTopicID
	}
	return err
}

// createTopic creates a topic, in the engine's goroutine. A dry run only checks whether it could.
func (e *Engine) createTopic(name string, partitions int32, config map[string]string, dry bool) (*topic, error) {
	if err := checkTopicName(name); err != nil {
		return nil, err
	}
	if e.topics[name] != nil {
		return nil, protocolError(kerr.TopicAlreadyExists, "Topic '%s' already exists.", name)
	}
	if other := e.collides(name); other != "" {
		return nil, protocolError(kerr.InvalidTopicException, "the topic %q collides with %q: metric names do not distinguish '.' and '_'", name, other)
	}
	switch {
	case partitions == -1:
		partitions = e.cfg.Partitions
	case partitions < 1:
		return nil, protocolError(kerr.InvalidPartitions, "a topic needs at least one partition, not %d", partitions)
	}
	if err := e.checkPartitionLimit(partitions); err != nil {
		return nil, err
	}
	s, err := parseSettings(config)
	if err != nil {
		return nil, err
	}
	t := &topic{settings: s, Topic: store.Topic{
		Name: name, Number: e.counters.Topic, Partitions: partitions, Created: e.clock().UnixMilli(), Config: config,
	}}
	if dry {
		return t, nil
	}
	_, _ = rand.Read(t.ID[:])
	e.counters.Topic++
	e.open.batch.SetCounters(e.counters)
	e.putTopic(t)
	return t, nil
}

// collides returns a topic whose name differs only in '.' and '_'.
func (e *Engine) collides(name string) string {
	if !strings.ContainsAny(name, "._") {
		return ""
	}
	plain := strings.ReplaceAll(name, ".", "_")
	for other := range e.topics {
		if strings.ReplaceAll(other, ".", "_") == plain {
			return other
		}
	}
	return ""
}

// checkPartitionLimit bounds the number of partitions, and so their memory.
func (e *Engine) checkPartitionLimit(partitions int32) error {
	if n := len(e.partitions) + int(partitions); n > e.cfg.MaxPartitions {
		return protocolError(kerr.InvalidPartitions, "the broker would have %d partitions, but the limit is %d", n, e.cfg.MaxPartitions)
	}
	return nil
}

func (e *Engine) createTopics(req *kmsg.CreateTopicsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.CreateTopicsResponse)
	asked := make(map[string]int)
	for _, rt := range req.Topics {
		asked[rt.Topic]++
	}
	e.do(func() {
		for _, rt := range req.Topics {
			if asked[rt.Topic] == 0 {
				continue
			}
			st := kmsg.NewCreateTopicsResponseTopic()
			st.Topic, st.NumPartitions, st.ReplicationFactor = rt.Topic, -1, -1
			var t *topic
			var err error
			if asked[rt.Topic] > 1 {
				err = protocolError(kerr.InvalidRequest, "Duplicate topic name.")
				asked[rt.Topic] = 0
			} else {
				t, err = e.createFrom(&rt, req.ValidateOnly)
			}
			if st.ErrorCode, st.ErrorMessage = code(err), message(err); err == nil {
				st.TopicID, st.NumPartitions, st.ReplicationFactor = t.ID, t.Partitions, 1
				for _, c := range describeTopic(t, nil) {
					sc := kmsg.NewCreateTopicsResponseTopicConfig()
					sc.Name, sc.Value, sc.Source = c.Name, c.Value, int8(c.Source)
					st.Configs = append(st.Configs, sc)
				}
			}
			res.Topics = append(res.Topics, st)
		}
		e.answer(res, reply)
	})
}

func (e *Engine) createFrom(rt *kmsg.CreateTopicsRequestTopic, dry bool) (*topic, error) {
	config := make(map[string]string)
	for _, c := range rt.Configs {
		if c.Value == nil {
			return nil, protocolError(kerr.InvalidConfig, "the setting %s has no value", c.Name)
		}
		config[c.Name] = *c.Value
	}
	partitions := rt.NumPartitions
	if len(rt.ReplicaAssignment) > 0 {
		if rt.NumPartitions != -1 || rt.ReplicationFactor != -1 {
			return nil, protocolError(kerr.InvalidRequest, "set either the replicas, or the numbers of partitions and replicas, not both")
		}
		if err := checkAssignment(rt.ReplicaAssignment); err != nil {
			return nil, err
		}
		partitions = int32(len(rt.ReplicaAssignment))
	} else if rt.ReplicationFactor != -1 && rt.ReplicationFactor != 1 {
		return nil, protocolError(kerr.InvalidReplicationFactor, "there is one broker, so the replication factor is 1, not %d", rt.ReplicationFactor)
	}
	return e.createTopic(rt.Topic, partitions, config, dry)
}

// checkAssignment accepts the only possible assignment: each partition on this broker.
func checkAssignment(assigned []kmsg.CreateTopicsRequestTopicReplicaAssignment) error {
	seen := make(map[int32]bool)
	for _, a := range assigned {
		if seen[a.Partition] || a.Partition < 0 || int(a.Partition) >= len(assigned) {
			return protocolError(kerr.InvalidReplicaAssignment, "partitions are numbered from 0, each once; this one has number %d", a.Partition)
		}
		if err := checkReplicas(a.Replicas); err != nil {
			return err
		}
		seen[a.Partition] = true
	}
	return nil
}

func checkReplicas(brokers []int32) error {
	if len(brokers) != 1 || brokers[0] != nodeID {
		return protocolError(kerr.InvalidReplicaAssignment, "there is one broker, %d, so a partition cannot be on %v", nodeID, brokers)
	}
	return nil
}

func (e *Engine) deleteTopics(req *kmsg.DeleteTopicsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.DeleteTopicsResponse)
	asked := req.Topics
	for _, name := range req.TopicNames {
		rt := kmsg.NewDeleteTopicsRequestTopic()
		rt.Topic = &name
		asked = append(asked, rt)
	}
	e.do(func() {
		for _, rt := range asked {
			st := kmsg.NewDeleteTopicsResponseTopic()
			st.Topic, st.TopicID = rt.Topic, rt.TopicID
			var t *topic
			unknown := kerr.UnknownTopicOrPartition
			if rt.Topic != nil {
				t = e.topics[*rt.Topic]
			} else {
				t, unknown = e.topicByID(rt.TopicID), kerr.UnknownTopicID
			}
			if t == nil {
				st.ErrorCode, st.ErrorMessage = unknown.Code, message(unknown)
			} else {
				st.Topic, st.TopicID = &t.Name, t.ID
				e.dropTopic(t)
			}
			res.Topics = append(res.Topics, st)
		}
		e.answer(res, reply)
	})
}

func (e *Engine) topicByID(id [16]byte) *topic {
	for _, t := range e.topics {
		if t.ID == id {
			return t
		}
	}
	return nil
}

func (e *Engine) createPartitions(req *kmsg.CreatePartitionsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.CreatePartitionsResponse)
	e.do(func() {
		for _, rt := range req.Topics {
			st := kmsg.NewCreatePartitionsResponseTopic()
			st.Topic = rt.Topic
			err := e.growTopic(&rt, req.ValidateOnly)
			st.ErrorCode, st.ErrorMessage = code(err), message(err)
			res.Topics = append(res.Topics, st)
		}
		e.answer(res, reply)
	})
}

func (e *Engine) growTopic(rt *kmsg.CreatePartitionsRequestTopic, dry bool) error {
	t := e.topics[rt.Topic]
	switch {
	case t == nil:
		return kerr.UnknownTopicOrPartition
	case rt.Count <= t.Partitions:
		return protocolError(kerr.InvalidPartitions, "the topic already has %d partitions; its number cannot become %d", t.Partitions, rt.Count)
	case len(rt.Assignment) > 0 && len(rt.Assignment) != int(rt.Count-t.Partitions):
		return protocolError(kerr.InvalidReplicaAssignment, "%d partitions are added, but replicas are given for %d", rt.Count-t.Partitions, len(rt.Assignment))
	}
	for _, a := range rt.Assignment {
		if err := checkReplicas(a.Replicas); err != nil {
			return err
		}
	}
	if err := e.checkPartitionLimit(rt.Count - t.Partitions); err != nil || dry {
		return err
	}
	larger := *t
	larger.Partitions = rt.Count
	larger.partitions = append([]*partition(nil), t.partitions...)
	e.putTopic(&larger)
	return nil
}

// deleteRecords moves the log start of partitions.
func (e *Engine) deleteRecords(req *kmsg.DeleteRecordsRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.DeleteRecordsResponse)
	e.do(func() {
		for _, rt := range req.Topics {
			st := kmsg.NewDeleteRecordsResponseTopic()
			st.Topic = rt.Topic
			for _, rp := range rt.Partitions {
				sp := kmsg.NewDeleteRecordsResponseTopicPartition()
				sp.Partition, sp.LowWatermark = rp.Partition, -1
				p := e.topics[rt.Topic].partition(rp.Partition)
				start := rp.Offset
				switch {
				case p == nil:
					sp.ErrorCode = kerr.UnknownTopicOrPartition.Code
				case start == -1:
					start = p.view.Load().high
					fallthrough
				case start >= 0 && start <= p.view.Load().high:
					if start > p.Start {
						e.truncate(p, start)
					}
					sp.LowWatermark = p.Start
				default:
					sp.ErrorCode = kerr.OffsetOutOfRange.Code
				}
				st.Partitions = append(st.Partitions, sp)
			}
			res.Topics = append(res.Topics, st)
		}
		e.answer(res, reply)
	})
}

// truncate makes start the first offset of a partition.
func (e *Engine) truncate(p *partition, start int64) {
	segment := p.Segment.Base
	if start < segment {
		segment = e.segmentOf(p, start)
	}
	p.truncate(e.open, start, segment)
}

// segmentOf returns the base of the segment that contains an offset. A segment that is not in the store yet begins
// later.
func (e *Engine) segmentOf(p *partition, offset int64) (base int64) {
	list, _, err := e.segments(p)
	if err != nil {
		return 0 // deletes no segment
	}
	for _, s := range list {
		if s.Base > offset {
			break
		}
		base = s.Base
	}
	return base
}

// alter changes the settings of a topic.
func (e *Engine) alter(t *topic, config map[string]string, dry bool) error {
	s, err := parseSettings(config)
	if err != nil || dry || maps.Equal(config, t.Config) {
		return err
	}
	other := *t
	other.Config, other.settings = config, s
	e.putTopic(&other)
	return nil
}
