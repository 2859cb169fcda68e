package kafkatest

import (
	"maps"
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// A client that is configured for a version of Kafka may use the request versions of that Kafka without asking the broker.
// So a broker that claims compatibility must support all of them.
var versions = theme{"versions", []testCase{
	{"as those of Kafka 4.4", versionsOfKafka},
	{"offsets by topic id", offsetsByID},
	{"offsets of a topic id that does not exist", offsetsOfUnknownID},
	{"places of tiered storage", listTiered},
	{"transactions by a pattern", transactionsByPattern},
	{"partitions for several transactions", addSeveral},
	{"is a partition part of a transaction", addVerified},
	{"the address of another cluster", anotherCluster},
}}

// span is the oldest and the newest version of a request.
type span struct{ oldest, newest int16 }

// kafka44 lists the request versions that a broker of Apache Kafka 4.4.0 supports.
var kafka44 = map[kmsg.Key]span{
	kmsg.Produce:                               {0, 13},
	kmsg.Fetch:                                 {4, 18},
	kmsg.ListOffsets:                           {1, 11},
	kmsg.Metadata:                              {0, 13},
	kmsg.OffsetCommit:                          {2, 10},
	kmsg.OffsetFetch:                           {1, 10},
	kmsg.FindCoordinator:                       {0, 6},
	kmsg.JoinGroup:                             {0, 9},
	kmsg.Heartbeat:                             {0, 4},
	kmsg.LeaveGroup:                            {0, 5},
	kmsg.SyncGroup:                             {0, 5},
	kmsg.DescribeGroups:                        {0, 6},
	kmsg.ListGroups:                            {0, 5},
	kmsg.SASLHandshake:                         {0, 1},
	kmsg.ApiVersions:                           {0, 5},
	kmsg.CreateTopics:                          {2, 7},
	kmsg.DeleteTopics:                          {1, 6},
	kmsg.DeleteRecords:                         {0, 2},
	kmsg.InitProducerID:                        {0, 5},
	kmsg.OffsetForLeaderEpoch:                  {2, 4},
	kmsg.AddPartitionsToTxn:                    {0, 5},
	kmsg.AddOffsetsToTxn:                       {0, 4},
	kmsg.EndTxn:                                {0, 5},
	kmsg.WriteTxnMarkers:                       {1, 2},
	kmsg.TxnOffsetCommit:                       {0, 6},
	kmsg.DescribeACLs:                          {1, 3},
	kmsg.CreateACLs:                            {1, 3},
	kmsg.DeleteACLs:                            {1, 3},
	kmsg.DescribeConfigs:                       {1, 4},
	kmsg.AlterConfigs:                          {0, 2},
	kmsg.AlterReplicaLogDirs:                   {1, 2},
	kmsg.DescribeLogDirs:                       {1, 5},
	kmsg.SASLAuthenticate:                      {0, 2},
	kmsg.CreatePartitions:                      {0, 3},
	kmsg.CreateDelegationToken:                 {1, 3},
	kmsg.RenewDelegationToken:                  {1, 2},
	kmsg.ExpireDelegationToken:                 {1, 2},
	kmsg.DescribeDelegationToken:               {1, 3},
	kmsg.DeleteGroups:                          {0, 3},
	kmsg.ElectLeaders:                          {0, 2},
	kmsg.IncrementalAlterConfigs:               {0, 1},
	kmsg.AlterPartitionAssignments:             {0, 1},
	kmsg.ListPartitionReassignments:            {0, 0},
	kmsg.OffsetDelete:                          {0, 0},
	kmsg.DescribeClientQuotas:                  {0, 1},
	kmsg.AlterClientQuotas:                     {0, 1},
	kmsg.DescribeUserSCRAMCredentials:          {0, 0},
	kmsg.AlterUserSCRAMCredentials:             {0, 0},
	kmsg.DescribeQuorum:                        {0, 2},
	kmsg.UpdateFeatures:                        {0, 2},
	kmsg.DescribeCluster:                       {0, 2},
	kmsg.DescribeProducers:                     {0, 0},
	kmsg.UnregisterBroker:                      {0, 0},
	kmsg.DescribeTransactions:                  {0, 0},
	kmsg.ListTransactions:                      {0, 2},
	kmsg.ConsumerGroupHeartbeat:                {0, 1},
	kmsg.ConsumerGroupDescribe:                 {0, 1},
	kmsg.ListConfigResources:                   {0, 1},
	kmsg.DescribeTopicPartitions:               {0, 0},
	kmsg.ShareGroupHeartbeat:                   {1, 1},
	kmsg.ShareGroupDescribe:                    {1, 1},
	kmsg.ShareFetch:                            {1, 2},
	kmsg.ShareAcknowledge:                      {1, 2},
	kmsg.AddRaftVoter:                          {0, 1},
	kmsg.RemoveRaftVoter:                       {0, 0},
	kmsg.InitializeShareGroupState:             {0, 0},
	kmsg.ReadShareGroupState:                   {0, 0},
	kmsg.WriteShareGroupState:                  {0, 1},
	kmsg.DeleteShareGroupState:                 {0, 0},
	kmsg.ReadShareGroupStateSummary:            {0, 1},
	kmsg.StreamsGroupHeartbeat:                 {0, 1},
	kmsg.StreamsGroupDescribe:                  {0, 1},
	kmsg.DescribeShareGroupOffsets:             {0, 1},
	kmsg.AlterShareGroupOffsets:                {0, 0},
	kmsg.DeleteShareGroupOffsets:               {0, 0},
	kmsg.StreamsGroupTopologyDescriptionUpdate: {0, 0},
	kmsg.UnregisterController:                  {0, 0},
}

// missing lists requests that a broker need not support, with the reason. They are only used by administrators, between
// brokers, or by clients that first check whether they are supported.
var missing = map[kmsg.Key]string{
	kmsg.WriteTxnMarkers:                       "between brokers",
	kmsg.DescribeACLs:                          "needs ACLs",
	kmsg.CreateACLs:                            "needs ACLs",
	kmsg.DeleteACLs:                            "needs ACLs",
	kmsg.AlterReplicaLogDirs:                   "needs several log directories",
	kmsg.CreateDelegationToken:                 "needs delegation tokens",
	kmsg.RenewDelegationToken:                  "needs delegation tokens",
	kmsg.ExpireDelegationToken:                 "needs delegation tokens",
	kmsg.DescribeDelegationToken:               "needs delegation tokens",
	kmsg.ElectLeaders:                          "needs replicas",
	kmsg.AlterPartitionAssignments:             "needs replicas",
	kmsg.ListPartitionReassignments:            "needs replicas",
	kmsg.DescribeClientQuotas:                  "needs quotas",
	kmsg.AlterClientQuotas:                     "needs quotas",
	kmsg.DescribeUserSCRAMCredentials:          "users are configured when the broker starts",
	kmsg.AlterUserSCRAMCredentials:             "users are configured when the broker starts",
	kmsg.DescribeQuorum:                        "needs several controllers",
	kmsg.UpdateFeatures:                        "features are fixed",
	kmsg.UnregisterBroker:                      "needs several brokers",
	kmsg.UnregisterController:                  "needs several controllers",
	kmsg.AddRaftVoter:                          "needs several controllers",
	kmsg.RemoveRaftVoter:                       "needs several controllers",
	kmsg.ConsumerGroupHeartbeat:                "needs the consumer protocol of KIP-848",
	kmsg.ConsumerGroupDescribe:                 "needs the consumer protocol of KIP-848",
	kmsg.ListConfigResources:                   "needs settings of clients and groups",
	kmsg.DescribeTopicPartitions:               "clients use Metadata where it is missing",
	kmsg.ShareGroupHeartbeat:                   "needs share groups",
	kmsg.ShareGroupDescribe:                    "needs share groups",
	kmsg.ShareFetch:                            "needs share groups",
	kmsg.ShareAcknowledge:                      "needs share groups",
	kmsg.InitializeShareGroupState:             "needs share groups",
	kmsg.ReadShareGroupState:                   "needs share groups",
	kmsg.WriteShareGroupState:                  "needs share groups",
	kmsg.DeleteShareGroupState:                 "needs share groups",
	kmsg.ReadShareGroupStateSummary:            "needs share groups",
	kmsg.DescribeShareGroupOffsets:             "needs share groups",
	kmsg.AlterShareGroupOffsets:                "needs share groups",
	kmsg.DeleteShareGroupOffsets:               "needs share groups",
	kmsg.StreamsGroupHeartbeat:                 "needs the streams protocol of KIP-1071",
	kmsg.StreamsGroupDescribe:                  "needs the streams protocol of KIP-1071",
	kmsg.StreamsGroupTopologyDescriptionUpdate: "needs the streams protocol of KIP-1071",
}

func versionsOfKafka(s *subject) {
	known := make(map[kmsg.Key]span)
	for _, k := range ask(s.raw().at(0), kmsg.NewPtrApiVersionsRequest()).ApiKeys {
		known[kmsg.Key(k.ApiKey)] = span{k.MinVersion, k.MaxVersion}
	}
	for _, key := range slices.Sorted(maps.Keys(kafka44)) {
		got, ok := known[key]
		switch want := kafka44[key]; {
		case ok && got != want:
			s.Errorf("%s is supported from version %d to %d, in Kafka 4.4 from %d to %d", key.Name(), got.oldest, got.newest, want.oldest, want.newest)
		case !ok && missing[key] == "":
			s.Errorf("%s is not supported", key.Name())
		}
		delete(known, key)
	}
	for key := range known {
		s.Errorf("%s is supported, but not in Kafka 4.4", key.Name())
	}
}

func offsetsByID(s *subject) {
	tp, group := s.ready(), s.unique()
	r := s.raw()
	r.coordinated(0, group)
	id := r.topicID(tp.Topic)
	commit := offsetCommit(group, 7, tp)
	commit.Topics[0].Topic, commit.Topics[0].TopicID = "", id
	res := ask(r.at(10), commit).Topics[0]
	s.code(nil, res.Partitions[0].ErrorCode, "commit by id")
	if res.TopicID != id {
		s.Errorf("the response is for topic id %x, want %x", res.TopicID, id)
	}
	s.hasCommitted(group, tp, 7)

	some := groupFetch(group, tp)
	some.Topics[0].Topic, some.Topics[0].TopicID = "", id
	all := groupFetch(group)
	for what, asked := range map[string]kmsg.OffsetFetchRequestGroup{"one topic": some, "all topics": all} {
		req := kmsg.NewPtrOffsetFetchRequest()
		req.Groups = append(req.Groups, asked)
		got := ask(r.at(10), req).Groups[0]
		if got.ErrorCode != 0 || len(got.Topics) != 1 || got.Topics[0].TopicID != id || got.Topics[0].Partitions[0].Offset != 7 {
			s.Errorf("the offsets of %s: %+v", what, got)
		}
	}

	a := s.rawProducer()
	a.must(a.addOffsets(group))
	pending := a.commitRequest(group, tp, 8)
	pending.Topics[0].Topic, pending.Topics[0].TopicID = "", id
	txn := ask(a.at(6), pending).Topics[0]
	s.code(nil, txn.Partitions[0].ErrorCode, "commit by id in a transaction")
	if txn.TopicID != id {
		s.Errorf("the response is for topic id %x, want %x", txn.TopicID, id)
	}
	a.second = true
	a.must(a.end(true))
	s.stable(group, tp)
	s.hasCommitted(group, tp, 8)
}

func offsetsOfUnknownID(s *subject) {
	tp, group := s.ready(), s.unique()
	r := s.raw()
	r.coordinated(0, group)
	id := [16]byte{1, 2, 3}
	commit := offsetCommit(group, 7, tp)
	commit.Topics[0].Topic, commit.Topics[0].TopicID = "", id
	s.code(kerr.UnknownTopicID, ask(r.at(10), commit).Topics[0].Partitions[0].ErrorCode, "commit by an id that does not exist")
	asked := groupFetch(group, tp)
	asked.Topics[0].Topic, asked.Topics[0].TopicID = "", id
	req := kmsg.NewPtrOffsetFetchRequest()
	req.Groups = append(req.Groups, asked)
	got := ask(r.at(10), req).Groups[0].Topics[0]
	if got.TopicID != id || got.Partitions[0].Offset != -1 {
		s.Errorf("the offsets of an unknown id: %+v", got)
	}
	s.code(kerr.UnknownTopicID, got.Partitions[0].ErrorCode, "ask for the offsets of an id that does not exist")
}

// Special timestamps for brokers with tiered storage.
const (
	earliestLocal   = -4
	latestTiered    = -5
	earliestPending = -6
)

func listTiered(s *subject) {
	tp := s.ready()
	s.produce(tp, "a", "b")
	r := s.raw()
	r.isListed(tp, earliestLocal, 0, -1)
	r.isListed(tp, latestTiered, -1, -1)
	r.isListed(tp, earliestPending, -1, -1)
}

func transactionsByPattern(s *subject) {
	a := s.rawProducer()
	r := s.raw()
	list := func(pattern string) *kmsg.ListTransactionsResponse {
		req := kmsg.NewPtrListTransactionsRequest()
		req.TransactionalIDPattern = &pattern
		return ask(r.at(2), req)
	}
	ids := func(pattern string) (ids []string) {
		for _, t := range list(pattern).TransactionStates {
			if t.TransactionalID == a.transactionalID {
				ids = append(ids, t.TransactionalID)
			}
		}
		return ids
	}
	half := a.transactionalID[:len(a.transactionalID)-3]
	for pattern, want := range map[string]int{"": 1, a.transactionalID: 1, half + ".*": 1, half: 0, "no such id": 0} {
		if got := ids(pattern); len(got) != want {
			s.Errorf("%q: %d transactions, want %d", pattern, len(got), want)
		}
	}
	s.code(kerr.InvalidRegularExpression, list("(").ErrorCode, "list by a pattern that is none")
}

// batched returns the part of one transaction in a request for several transactions.
func (a *rawProducer) batched(verify bool, parts ...kafka.TopicPartition) kmsg.AddPartitionsToTxnRequestTransaction {
	t := kmsg.NewAddPartitionsToTxnRequestTransaction()
	t.TransactionalID, t.ProducerID, t.ProducerEpoch, t.VerifyOnly = a.transactionalID, a.id, a.epoch, verify
	for _, tp := range parts {
		t.Topics = append(t.Topics, kmsg.AddPartitionsToTxnRequestTransactionTopic{Topic: tp.Topic, Partitions: []int32{tp.Partition}})
	}
	return t
}

// addedCodes sends a request and returns the errors for one transaction in the response, by topic.
func (a *rawProducer) addedCodes(version int16, asked ...kmsg.AddPartitionsToTxnRequestTransaction) map[string]error {
	a.s.Helper()
	req := kmsg.NewPtrAddPartitionsToTxnRequest()
	req.Transactions = asked
	codes := make(map[string]error)
	a.s.settle(func() int16 {
		res := ask(a.at(version), req)
		code := res.ErrorCode
		for _, t := range res.Transactions {
			for _, topic := range t.Topics {
				if c := topic.Partitions[0].ErrorCode; t.TransactionalID == a.transactionalID {
					codes[topic.Topic], code = kerr.ErrorForCode(c), c
				}
			}
		}
		return code
	})
	return codes
}

func addSeveral(s *subject) {
	tp, never := s.ready(), kafka.TopicPartition{Topic: s.unique()}
	for version := int16(4); version <= 5; version++ {
		a, b := s.rawProducer(), s.rawProducer()
		b.coordinated(1, a.transactionalID)
		s.wants(nil, a.addedCodes(version, a.batched(false, tp), b.batched(false, tp))[tp.Topic], "add a partition to two transactions")
		s.wants(nil, a.write(tp, "a"), "write what was added to the first")
		s.wants(nil, b.write(tp, "b"), "write what was added to the second")
		a.must(a.end(false))
		b.must(b.end(false))

		codes := a.addedCodes(version, a.batched(false, tp, never))
		s.wants(kerr.UnknownTopicOrPartition, codes[never.Topic], "add a partition that does not exist")
		s.wants(kerr.OperationNotAttempted, codes[tp.Topic], "add one beside it")
		a.epoch--
		s.wants(kerr.ProducerFenced, a.addedCodes(version, a.batched(false, tp))[tp.Topic], "add in an epoch that is over")
	}
}

func addVerified(s *subject) {
	tp, other := s.ready(), s.ready()
	outside := kerr.TransactionAbortable
	for version := int16(4); version <= 5; version++ {
		a := s.rawProducer()
		s.wants(outside, a.addedCodes(version, a.batched(true, tp))[tp.Topic], "verify before anything is added")
		s.wants(nil, a.add(tp)[0], "add")
		codes := a.addedCodes(version, a.batched(true, tp, other))
		s.wants(nil, codes[tp.Topic], "verify what is part of the transaction")
		s.wants(outside, codes[other.Topic], "verify what is not")
		a.must(a.end(false))
	}
}

// A client can send the id of the cluster that it expects, so that it does not use another cluster at the same address.
func anotherCluster(s *subject) {
	r := s.raw()
	metadata := ask(r, kmsg.NewPtrMetadataRequest())
	as := func(cluster string, node int32) int16 {
		req := kmsg.NewPtrApiVersionsRequest()
		req.ClientSoftwareName, req.ClientSoftwareVersion = "kafkatest", "1"
		if cluster != "" {
			req.ClusterID = &cluster
		}
		req.NodeID = node
		return ask(s.raw().at(5), req).ErrorCode
	}
	id, node := *metadata.ClusterID, metadata.Brokers[0].NodeID
	s.code(nil, as("", -1), "ask for versions without an id")
	s.code(nil, as(id, node), "ask the right broker")
	s.code(kerr.RebootstrapRequired, as("AAAAAAAAAAAAAAAAAAAAAA", node), "ask another cluster")
	s.code(kerr.RebootstrapRequired, as(id, node+1), "ask another broker")
	s.code(kerr.InvalidRequest, as(id, -1), "name a cluster without a broker")
}
