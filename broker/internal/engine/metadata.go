package engine

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// nodeID is the id of the only broker.
const nodeID = 1

func (e *Engine) metadata(req *kmsg.MetadataRequest, reply func(kmsg.Response)) {
	create := e.cfg.AutoCreateTopics && (req.AllowAutoTopicCreation || req.Version < 4)
	if create && e.lacksTopic(req) {
		e.do(func() {
			for _, rt := range req.Topics {
				if rt.Topic != nil && e.topics[*rt.Topic] == nil {
					_, _ = e.createTopic(*rt.Topic, -1, nil, false) // a bad name is reported below
				}
			}
			e.after(func(err error) {
				if err != nil {
					reply(nil)
					return
				}
				reply(e.describeCluster(req)) // with the new topics, which are visible now
			})
		})
		return
	}
	reply(e.describeCluster(req))
}

// lacksTopic reports whether a requested topic does not exist.
func (e *Engine) lacksTopic(req *kmsg.MetadataRequest) bool {
	c := e.catalog.Load()
	for _, rt := range req.Topics {
		if rt.Topic != nil && c.byName[*rt.Topic] == nil {
			return true
		}
	}
	return false
}

func (e *Engine) describeCluster(req *kmsg.MetadataRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.MetadataResponse)
	b := kmsg.NewMetadataResponseBroker()
	b.NodeID = nodeID
	b.Host, b.Port = e.cfg.Host, e.cfg.Port
	res.Brokers = append(res.Brokers, b)
	res.ClusterID, res.ControllerID = kmsg.StringPtr(e.db.ClusterID()), nodeID
	c := e.catalog.Load()
	if req.Topics == nil || req.Version == 0 && len(req.Topics) == 0 {
		for _, t := range c.sorted() {
			res.Topics = append(res.Topics, describePartitions(t))
		}
	}
	for _, rt := range req.Topics {
		var t *topic
		err := kerr.UnknownTopicOrPartition
		if rt.Topic != nil {
			if t = c.byName[*rt.Topic]; checkTopicName(*rt.Topic) != nil {
				err = kerr.InvalidTopicException
			}
		} else {
			t, err = c.byID[rt.TopicID], kerr.UnknownTopicID
		}
		if t != nil {
			res.Topics = append(res.Topics, describePartitions(t))
			continue
		}
		st := kmsg.NewMetadataResponseTopic()
		st.Topic, st.TopicID, st.ErrorCode = rt.Topic, rt.TopicID, err.Code
		res.Topics = append(res.Topics, st)
	}
	return res
}

func describePartitions(t *topic) kmsg.MetadataResponseTopic {
	st := kmsg.NewMetadataResponseTopic()
	st.Topic, st.TopicID = kmsg.StringPtr(t.Name), t.ID
	for i := range t.partitions {
		sp := kmsg.NewMetadataResponseTopicPartition()
		sp.Partition, sp.Leader, sp.LeaderEpoch = int32(i), nodeID, 0
		sp.Replicas, sp.ISR, sp.OfflineReplicas = []int32{nodeID}, []int32{nodeID}, []int32{}
		st.Partitions = append(st.Partitions, sp)
	}
	return st
}

func (e *Engine) cluster(req *kmsg.DescribeClusterRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.DescribeClusterResponse)
	b := kmsg.NewDescribeClusterResponseBroker()
	b.NodeID = nodeID
	b.Host, b.Port = e.cfg.Host, e.cfg.Port
	res.ClusterID, res.ControllerID, res.EndpointType = e.db.ClusterID(), nodeID, req.EndpointType
	res.Brokers = append(res.Brokers, b)
	return res
}

func (e *Engine) findCoordinator(req *kmsg.FindCoordinatorRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.FindCoordinatorResponse)
	host, port := e.cfg.Host, e.cfg.Port
	const group, transaction = 0, 1
	known := req.CoordinatorType == group || req.CoordinatorType == transaction
	if req.Version < 4 {
		res.NodeID, res.Host, res.Port = nodeID, host, port
		if !known {
			res.NodeID, res.Host, res.Port, res.ErrorCode = -1, "", -1, kerr.InvalidRequest.Code
		}
		return res
	}
	for _, key := range req.CoordinatorKeys {
		c := kmsg.NewFindCoordinatorResponseCoordinator()
		c.Key, c.NodeID, c.Host, c.Port = key, nodeID, host, port
		if !known {
			c.NodeID, c.Host, c.Port, c.ErrorCode = -1, "", -1, kerr.InvalidRequest.Code
		}
		res.Coordinators = append(res.Coordinators, c)
	}
	return res
}

// offsetForLeaderEpoch answers for the only leader epoch, 0.
func (e *Engine) offsetForLeaderEpoch(req *kmsg.OffsetForLeaderEpochRequest) kmsg.Response {
	res := req.ResponseKind().(*kmsg.OffsetForLeaderEpochResponse)
	c := e.catalog.Load()
	for _, rt := range req.Topics {
		st := kmsg.NewOffsetForLeaderEpochResponseTopic()
		st.Topic = rt.Topic
		for _, rp := range rt.Partitions {
			sp := kmsg.NewOffsetForLeaderEpochResponseTopicPartition()
			sp.Partition, sp.LeaderEpoch, sp.EndOffset = rp.Partition, -1, -1
			switch p := c.partition(rt.Topic, rp.Partition); {
			case p == nil:
				sp.ErrorCode = kerr.UnknownTopicOrPartition.Code
			case rp.CurrentLeaderEpoch > 0:
				sp.ErrorCode = kerr.UnknownLeaderEpoch.Code
			case rp.LeaderEpoch == 0:
				sp.LeaderEpoch, sp.EndOffset = 0, p.view.Load().high
			}
			st.Partitions = append(st.Partitions, sp)
		}
		res.Topics = append(res.Topics, st)
	}
	return res
}
