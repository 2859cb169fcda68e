package engine

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/store"
	"github.com/rio-streams/rio/broker/internal/transaction"
)

// maxMetadata is the maximum length of the metadata of an offset, Kafka's offset.metadata.max.bytes.
const maxMetadata = 4096

func orEmpty(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func containsFold(list []string, s string) bool {
	return slices.ContainsFunc(list, func(x string) bool { return strings.EqualFold(x, s) })
}

// The versions from which requests identify topics by id.
const (
	commitByID       = 10 // of OffsetCommit
	fetchOffsetsByID = 10 // of OffsetFetch
	txnCommitByID    = 6  // of TxnOffsetCommit
)

// checkOffset checks an offset to be committed.
func checkOffset(t *topic, partition int32, metadata *string) error {
	switch {
	case t.partition(partition) == nil:
		return kerr.UnknownTopicOrPartition
	case len(orEmpty(metadata)) > maxMetadata:
		return kerr.OffsetMetadataTooLarge
	}
	return nil
}

func (e *Engine) offsetCommit(req *kmsg.OffsetCommitRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.OffsetCommitResponse)
	e.onGroup(req.Group, func(g *groupState, now time.Time) {
		generation := req.Generation
		if req.Version == 0 {
			generation = -1
		}
		refused := g.machine.MayCommit(now, req.MemberID, orEmpty(req.InstanceID), generation, false)
		if generation >= 0 && !g.exists() {
			refused = kerr.IllegalGeneration // of a deleted group
		}
		for _, rt := range req.Topics {
			st := kmsg.NewOffsetCommitResponseTopic()
			st.Topic, st.TopicID = rt.Topic, rt.TopicID
			t := e.topic(rt.Topic, rt.TopicID, req.Version >= commitByID)
			for _, rp := range rt.Partitions {
				sp := kmsg.NewOffsetCommitResponseTopicPartition()
				sp.Partition = rp.Partition
				err := refused
				if err == nil {
					err = checkOffset(t, rp.Partition, rp.Metadata)
				}
				err = unknownByID(err, req.Version >= commitByID && t == nil)
				if sp.ErrorCode = code(err); err == nil {
					e.setOffset(g, &store.Offset{
						Group: g.name, Topic: t.Name, Partition: rp.Partition, Offset: rp.Offset, LeaderEpoch: rp.LeaderEpoch,
						Committed: now.UnixMilli(), Metadata: orEmpty(rp.Metadata),
					})
				}
				st.Partitions = append(st.Partitions, sp)
			}
			res.Topics = append(res.Topics, st)
		}
		e.answerWith(res, reply)
	})
}

func (e *Engine) setOffset(g *groupState, o *store.Offset) {
	g.offsets[topicPartition{o.Topic, o.Partition}] = o
	e.open.batch.SetOffset(o)
}

func (e *Engine) deleteOffset(g *groupState, tp topicPartition) {
	delete(g.offsets, tp)
	e.open.batch.DeleteOffset(g.name, tp.topic, tp.partition)
}

// dropOffsets deletes the offsets of a deleted topic.
func (e *Engine) dropOffsets(g *groupState, topic string) {
	for tp := range g.offsets {
		if tp.topic == topic {
			e.deleteOffset(g, tp)
		}
	}
	for producer, pending := range g.pending {
		n := len(pending)
		for tp := range pending {
			if tp.topic == topic {
				delete(pending, tp)
			}
		}
		if len(pending) < n {
			e.writePending(g, producer)
		}
	}
}

// implicitOffsets is the version of TxnOffsetCommit from which a group need not be added before (KIP-890).
const implicitOffsets = 5

// abortableOffsets is the version of TxnOffsetCommit from which a producer may be told to abort its transaction.
const abortableOffsets = 4

// txnOffsetCommit adds offsets to a transaction. They take effect when it is committed.
func (e *Engine) txnOffsetCommit(req *kmsg.TxnOffsetCommitRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.TxnOffsetCommitResponse)
	e.onGroup(req.Group, func(g *groupState, now time.Time) {
		refused := e.mayAddOffsets(g, now, req)
		for _, rt := range req.Topics {
			st := kmsg.NewTxnOffsetCommitResponseTopic()
			st.Topic, st.TopicID = rt.Topic, rt.TopicID
			t := e.topic(rt.Topic, rt.TopicID, req.Version >= txnCommitByID)
			for _, rp := range rt.Partitions {
				sp := kmsg.NewTxnOffsetCommitResponseTopicPartition()
				sp.Partition = rp.Partition
				err := refused
				if err == nil {
					err = checkOffset(t, rp.Partition, rp.Metadata)
				}
				err = unknownByID(err, req.Version >= txnCommitByID && t == nil)
				if sp.ErrorCode = code(err); err == nil {
					e.setPending(g, &store.Offset{
						Group: g.name, Producer: req.ProducerID, Topic: t.Name, Partition: rp.Partition, Offset: rp.Offset,
						LeaderEpoch: rp.LeaderEpoch, Committed: now.UnixMilli(), Metadata: orEmpty(rp.Metadata),
					})
				}
				st.Partitions = append(st.Partitions, sp)
			}
			res.Topics = append(res.Topics, st)
		}
		e.answerWith(res, reply)
	})
}

// mayAddOffsets checks the producer, then the member: a member of an old generation must not commit (KIP-447).
func (e *Engine) mayAddOffsets(g *groupState, now time.Time, req *kmsg.TxnOffsetCommitRequest) error {
	t := e.transactional(req.TransactionalID)
	producer := transaction.Producer{ID: req.ProducerID, Epoch: req.ProducerEpoch}
	d := transaction.Dialect{KnowsAbort: req.Version >= abortableOffsets, Second: req.Version >= implicitOffsets}
	joins, err := t.MayCommit(producer, g.name, d)
	if err != nil && !joins {
		return err
	}
	refused := g.machine.MayCommit(now, req.MemberID, orEmpty(req.InstanceID), req.Generation, true)
	switch {
	case refused != nil:
		return refused
	case joins && err == nil:
		return e.addGroup(t, producer, g.name, d)
	}
	return err
}

func (e *Engine) setPending(g *groupState, o *store.Offset) {
	if g.pending[o.Producer] == nil {
		g.pending[o.Producer] = make(map[topicPartition]*store.Offset)
	}
	g.pending[o.Producer][topicPartition{o.Topic, o.Partition}] = o
	e.open.batch.SetPending(o)
}

// writePending writes the pending offsets of a producer's transaction.
func (e *Engine) writePending(g *groupState, producer int64) {
	e.open.batch.DeletePending(g.name, producer)
	for _, o := range g.pending[producer] {
		e.open.batch.SetPending(o)
	}
}

// endPending commits or drops the pending offsets of a transaction.
func (e *Engine) endPending(g *groupState, producer int64, commit bool) {
	if commit {
		for _, o := range g.pending[producer] {
			e.setOffset(g, o)
		}
	}
	delete(g.pending, producer)
	e.open.batch.DeletePending(g.name, producer)
}

// isPending reports whether an open transaction may change the offset of a partition.
func (g *groupState) isPending(tp topicPartition) bool {
	for _, pending := range g.pending {
		if pending[tp] != nil {
			return true
		}
	}
	return false
}

// grouped is the version of OffsetFetch from which it requests several groups.
const grouped = 8

func (e *Engine) offsetFetch(req *kmsg.OffsetFetchRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.OffsetFetchResponse)
	e.do(func() {
		if req.Version >= grouped {
			for _, rg := range req.Groups {
				res.Groups = append(res.Groups, e.fetchOffsets(rg, req.RequireStable, req.Version >= fetchOffsetsByID))
			}
			e.answer(res, reply)
			return
		}
		one := kmsg.NewOffsetFetchRequestGroup()
		one.Group = req.Group
		for _, rt := range req.Topics {
			t := kmsg.NewOffsetFetchRequestGroupTopic()
			t.Topic, t.Partitions = rt.Topic, rt.Partitions
			one.Topics = append(one.Topics, t)
		}
		if req.Topics != nil && one.Topics == nil {
			one.Topics = []kmsg.OffsetFetchRequestGroupTopic{}
		}
		for _, gt := range e.fetchOffsets(one, req.RequireStable, false).Topics {
			st := kmsg.NewOffsetFetchResponseTopic()
			st.Topic = gt.Topic
			for _, gp := range gt.Partitions {
				sp := kmsg.NewOffsetFetchResponseTopicPartition()
				sp.Partition, sp.Offset, sp.LeaderEpoch, sp.Metadata, sp.ErrorCode = gp.Partition, gp.Offset, gp.LeaderEpoch, gp.Metadata, gp.ErrorCode
				st.Partitions = append(st.Partitions, sp)
			}
			res.Topics = append(res.Topics, st)
		}
		e.answer(res, reply)
	})
}

func (e *Engine) fetchOffsets(rg kmsg.OffsetFetchRequestGroup, stable, byID bool) kmsg.OffsetFetchResponseGroup {
	sg := kmsg.NewOffsetFetchResponseGroup()
	sg.Group = rg.Group
	g := e.groups[rg.Group]
	topics := rg.Topics
	if topics == nil && g != nil { // all topics
		topics = e.committedTopics(g)
	}
	for _, rt := range topics {
		st := kmsg.NewOffsetFetchResponseGroupTopic()
		st.Topic, st.TopicID = rt.Topic, rt.TopicID
		name := rt.Topic
		if t := e.topic(rt.Topic, rt.TopicID, byID); t != nil {
			name = t.Name
		}
		for _, number := range rt.Partitions {
			sp := g.fetchOffset(topicPartition{name, number}, stable)
			if byID && name == "" {
				sp.ErrorCode = kerr.UnknownTopicID.Code
			}
			st.Partitions = append(st.Partitions, sp)
		}
		sg.Topics = append(sg.Topics, st)
	}
	return sg
}

// fetchOffset returns -1 and empty metadata if there is no offset: some clients cannot decode null metadata.
func (g *groupState) fetchOffset(tp topicPartition, stable bool) kmsg.OffsetFetchResponseGroupTopicPartition {
	sp := kmsg.NewOffsetFetchResponseGroupTopicPartition()
	sp.Partition, sp.Offset, sp.LeaderEpoch, sp.Metadata = tp.partition, -1, -1, kmsg.StringPtr("")
	if g == nil {
		return sp
	}
	if stable && g.isPending(tp) {
		sp.ErrorCode = kerr.UnstableOffsetCommit.Code
		return sp
	}
	if o := g.offsets[tp]; o != nil {
		sp.Offset, sp.LeaderEpoch, sp.Metadata = o.Offset, o.LeaderEpoch, &o.Metadata
	}
	return sp
}

// committedTopics returns all topics in which a group has committed offsets.
func (e *Engine) committedTopics(g *groupState) []kmsg.OffsetFetchRequestGroupTopic {
	partitions := make(map[string][]int32)
	for tp := range g.offsets {
		partitions[tp.topic] = append(partitions[tp.topic], tp.partition)
	}
	var topics []kmsg.OffsetFetchRequestGroupTopic
	for _, name := range slices.Sorted(maps.Keys(partitions)) {
		t := kmsg.NewOffsetFetchRequestGroupTopic()
		slices.Sort(partitions[name])
		t.Topic, t.Partitions = name, partitions[name]
		if known := e.topics[name]; known != nil {
			t.TopicID = known.ID
		}
		topics = append(topics, t)
	}
	return topics
}

func (e *Engine) offsetDelete(req *kmsg.OffsetDeleteRequest, reply func(kmsg.Response)) {
	res := req.ResponseKind().(*kmsg.OffsetDeleteResponse)
	e.do(func() {
		g := e.groups[req.Group]
		if !g.exists() {
			res.ErrorCode = kerr.GroupIDNotFound.Code
			e.answer(res, reply)
			return
		}
		for _, rt := range req.Topics {
			st := kmsg.NewOffsetDeleteResponseTopic()
			st.Topic = rt.Topic
			for _, rp := range rt.Partitions {
				sp := kmsg.NewOffsetDeleteResponseTopicPartition()
				sp.Partition = rp.Partition
				switch {
				case e.topics[rt.Topic].partition(rp.Partition) == nil:
					sp.ErrorCode = kerr.UnknownTopicOrPartition.Code
				case g.machine.Subscribed(rt.Topic):
					sp.ErrorCode = kerr.GroupSubscribedToTopic.Code
				default:
					e.deleteOffset(g, topicPartition{rt.Topic, rp.Partition})
				}
				st.Partitions = append(st.Partitions, sp)
			}
			res.Topics = append(res.Topics, st)
		}
		e.answer(res, reply)
	})
}
