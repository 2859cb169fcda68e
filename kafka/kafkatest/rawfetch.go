package kafkatest

import (
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// byName is the last version of fetch requests with topic names; later versions use topic ids.
const byName = 12

// fetchOf returns a fetch request for the same offset in all given partitions. The broker responds at once.
func fetchOf(offset int64, parts ...kafka.TopicPartition) *kmsg.FetchRequest {
	req := kmsg.NewPtrFetchRequest()
	req.MinBytes, req.MaxBytes = 1, 50<<20
	for _, tp := range parts {
		partition := kmsg.NewFetchRequestTopicPartition()
		partition.Partition, partition.FetchOffset, partition.PartitionMaxBytes = tp.Partition, offset, 1<<20
		topic := kmsg.NewFetchRequestTopic()
		topic.Topic, topic.Partitions = tp.Topic, []kmsg.FetchRequestTopicPartition{partition}
		req.Topics = append(req.Topics, topic)
	}
	return req
}

// longFetchOf is like fetchOf, but the broker waits up to waitTimeout for records.
func longFetchOf(offset int64, parts ...kafka.TopicPartition) *kmsg.FetchRequest {
	req := fetchOf(offset, parts...)
	req.MaxWaitMillis = int32(2 * waitTimeout / time.Millisecond)
	return req
}

// fetch fetches the records of tp from offset on.
func (r *raw) fetch(tp kafka.TopicPartition, offset int64) kmsg.FetchResponseTopicPartition {
	r.s.Helper()
	return only(r.s, ask(r.at(byName), fetchOf(offset, tp)))
}

// fetchCommitted is like fetch, but reads only committed records.
func (r *raw) fetchCommitted(tp kafka.TopicPartition, offset int64) kmsg.FetchResponseTopicPartition {
	r.s.Helper()
	req := fetchOf(offset, tp)
	req.IsolationLevel = 1
	return only(r.s, ask(r.at(byName), req))
}

// only returns the only partition of a response.
func only(s *subject, res *kmsg.FetchResponse) kmsg.FetchResponseTopicPartition {
	s.Helper()
	s.code(nil, res.ErrorCode, "fetch")
	if len(res.Topics) != 1 || len(res.Topics[0].Partitions) != 1 {
		s.Fatalf("the response is not for one partition: %+v", res)
	}
	return res.Topics[0].Partitions[0]
}
