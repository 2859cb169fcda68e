package engine

import (
	"context"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// NoResponse means that a request gets no response.
var NoResponse kmsg.Response = noResponse{}

type noResponse struct{ kmsg.Response }

// versions are the supported requests with their oldest and newest version: those of Apache Kafka 4.4, down to the
// oldest that it still accepts. No newest version may be below Kafka's, because a client that is configured for a
// version of Kafka does not ask (package kafkatest compares them).
var versions = map[kmsg.Key][2]int16{
	kmsg.Produce:                 {3, 13},
	kmsg.Fetch:                   {4, 18},
	kmsg.ListOffsets:             {1, 11},
	kmsg.Metadata:                {0, 13},
	kmsg.OffsetCommit:            {2, 10},
	kmsg.OffsetFetch:             {1, 10},
	kmsg.FindCoordinator:         {0, 6},
	kmsg.JoinGroup:               {0, 9},
	kmsg.Heartbeat:               {0, 4},
	kmsg.LeaveGroup:              {0, 5},
	kmsg.SyncGroup:               {0, 5},
	kmsg.DescribeGroups:          {0, 6},
	kmsg.ListGroups:              {0, 5},
	kmsg.SASLHandshake:           {0, 1},
	kmsg.ApiVersions:             {0, 5},
	kmsg.CreateTopics:            {2, 7},
	kmsg.DeleteTopics:            {1, 6},
	kmsg.DeleteRecords:           {0, 2},
	kmsg.InitProducerID:          {0, 5},
	kmsg.OffsetForLeaderEpoch:    {2, 4},
	kmsg.AddPartitionsToTxn:      {0, 5},
	kmsg.AddOffsetsToTxn:         {0, 4},
	kmsg.EndTxn:                  {0, 5},
	kmsg.TxnOffsetCommit:         {0, 6},
	kmsg.DescribeConfigs:         {1, 4},
	kmsg.AlterConfigs:            {0, 2},
	kmsg.DescribeLogDirs:         {1, 5},
	kmsg.SASLAuthenticate:        {0, 2},
	kmsg.CreatePartitions:        {0, 3},
	kmsg.DeleteGroups:            {0, 3},
	kmsg.IncrementalAlterConfigs: {0, 1},
	kmsg.OffsetDelete:            {0, 0},
	kmsg.DescribeCluster:         {0, 2},
	kmsg.DescribeProducers:       {0, 0},
	kmsg.DescribeTransactions:    {0, 0},
	kmsg.ListTransactions:        {0, 2},
}

// Supports reports whether a request is supported in a version.
func Supports(key, version int16) bool {
	v, ok := versions[kmsg.Key(key)]
	return ok && version >= v[0] && version <= v[1]
}

// Versions returns the oldest and the newest supported version of a request; ok is false if it is not supported.
func Versions(key int16) (oldest, newest int16, ok bool) {
	v, ok := versions[kmsg.Key(key)]
	return v[0], v[1], ok
}

// APIVersions returns the supported versions. A client that is too new gets them in version 0, which all understand.
func (e *Engine) APIVersions(req *kmsg.ApiVersionsRequest, tooNew bool) kmsg.Response {
	res := req.ResponseKind().(*kmsg.ApiVersionsResponse)
	if tooNew {
		res.Version, res.ErrorCode = 0, kerr.UnsupportedVersion.Code
	} else if err := e.checkDestination(req); err != nil {
		res.ErrorCode = code(err)
		return res
	}
	for key, v := range versions {
		k := kmsg.NewApiVersionsResponseApiKey()
		k.ApiKey, k.MinVersion, k.MaxVersion = int16(key), v[0], v[1]
		if key == kmsg.Produce {
			k.MinVersion = 0 // librdkafka would assume that the broker supports no compression; Kafka does the same
		}
		res.ApiKeys = append(res.ApiKeys, k)
	}
	slices.SortFunc(res.ApiKeys, func(a, b kmsg.ApiVersionsResponseApiKey) int { return int(a.ApiKey) - int(b.ApiKey) })
	if res.Version < 3 {
		return res
	}
	supported := kmsg.NewApiVersionsResponseSupportedFeature()
	supported.Name, supported.MinVersion, supported.MaxVersion = "transaction.version", 0, 2
	res.SupportedFeatures = append(res.SupportedFeatures, supported)
	finalized := kmsg.NewApiVersionsResponseFinalizedFeature()
	finalized.Name, finalized.MinVersionLevel, finalized.MaxVersionLevel = "transaction.version", 2, 2
	res.FinalizedFeatures = append(res.FinalizedFeatures, finalized)
	res.FinalizedFeaturesEpoch = 0
	return res
}

// checkDestination refuses a client that expects another cluster or broker at this address (KIP-1242).
func (e *Engine) checkDestination(req *kmsg.ApiVersionsRequest) error {
	switch {
	case (req.ClusterID == nil) != (req.NodeID < 0):
		return kerr.InvalidRequest
	case req.ClusterID != nil && (*req.ClusterID != e.db.ClusterID() || req.NodeID != nodeID):
		return kerr.RebootstrapRequired
	}
	return nil
}

// Handle answers a request by calling reply once, now or later and from any goroutine: with a response, with
// NoResponse, or with nil to close the connection. The engine may keep the request's bytes until then.
func (e *Engine) Handle(ctx context.Context, client *Client, r kmsg.Request, reply func(kmsg.Response)) {
	switch req := r.(type) {
	case *kmsg.ProduceRequest:
		e.produce(req, reply)
	case *kmsg.FetchRequest:
		reply(e.fetch(ctx, client, req))
		e.readAhead(ctx, client)
	case *kmsg.ListOffsetsRequest:
		reply(e.listOffsets(req))
	case *kmsg.MetadataRequest:
		e.metadata(req, reply)
	case *kmsg.DescribeClusterRequest:
		reply(e.cluster(req))
	case *kmsg.DescribeConfigsRequest:
		reply(e.describeConfigs(req))
	case *kmsg.DescribeLogDirsRequest:
		reply(e.describeLogDirs(req))
	case *kmsg.OffsetForLeaderEpochRequest:
		reply(e.offsetForLeaderEpoch(req))
	case *kmsg.FindCoordinatorRequest:
		reply(e.findCoordinator(req))
	default:
		e.handleState(client, r, reply)
	}
}

// handleState answers the requests that change or read the state.
func (e *Engine) handleState(client *Client, r kmsg.Request, reply func(kmsg.Response)) {
	switch req := r.(type) {
	case *kmsg.JoinGroupRequest:
		e.joinGroup(client, req, reply)
	case *kmsg.SyncGroupRequest:
		e.syncGroup(req, reply)
	case *kmsg.HeartbeatRequest:
		e.heartbeat(req, reply)
	case *kmsg.LeaveGroupRequest:
		e.leaveGroup(req, reply)
	case *kmsg.OffsetCommitRequest:
		e.offsetCommit(req, reply)
	case *kmsg.OffsetFetchRequest:
		e.offsetFetch(req, reply)
	case *kmsg.OffsetDeleteRequest:
		e.offsetDelete(req, reply)
	case *kmsg.ListGroupsRequest:
		e.listGroups(req, reply)
	case *kmsg.DescribeGroupsRequest:
		e.describeGroups(req, reply)
	case *kmsg.DeleteGroupsRequest:
		e.deleteGroups(req, reply)
	case *kmsg.InitProducerIDRequest:
		e.initProducerID(req, reply)
	case *kmsg.AddPartitionsToTxnRequest:
		e.addPartitionsToTxn(req, reply)
	case *kmsg.AddOffsetsToTxnRequest:
		e.addOffsetsToTxn(req, reply)
	case *kmsg.TxnOffsetCommitRequest:
		e.txnOffsetCommit(req, reply)
	case *kmsg.EndTxnRequest:
		e.endTxn(req, reply)
	case *kmsg.DescribeTransactionsRequest:
		e.describeTransactions(req, reply)
	case *kmsg.ListTransactionsRequest:
		e.listTransactions(req, reply)
	case *kmsg.DescribeProducersRequest:
		e.describeProducers(req, reply)
	case *kmsg.CreateTopicsRequest:
		e.createTopics(req, reply)
	case *kmsg.DeleteTopicsRequest:
		e.deleteTopics(req, reply)
	case *kmsg.CreatePartitionsRequest:
		e.createPartitions(req, reply)
	case *kmsg.DeleteRecordsRequest:
		e.deleteRecords(req, reply)
	case *kmsg.AlterConfigsRequest:
		e.alterConfigs(req, reply)
	case *kmsg.IncrementalAlterConfigsRequest:
		e.incrementalAlterConfigs(req, reply)
	default:
		reply(nil) // not in versions, or answered by the connection
	}
}
