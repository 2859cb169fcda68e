package kafkatest

import (
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// Special timestamps of ListOffsets requests.
const (
	latestOffset    = -1
	earliestOffset  = -2
	newestTimestamp = -3
)

var listOffsets = theme{"list offsets", []testCase{
	{"every version", listEveryVersion},
	{"says the time of the record", listSaysTime},
	{"inside a compressed batch", listInsideCompressed},
	{"times out of order", listOutOfOrder},
	{"the newest time", listNewestTime},
	{"the newest time inside a compressed batch", listNewestCompressed},
	{"the newest time of nothing", listNewestOfNothing},
	{"after records were deleted", listAfterDelete},
	{"while a transaction is open", listOpenTransaction},
	{"after an abort", listAfterAbort},
	{"errors", listErrors},
}}

func listRequest(tp kafka.TopicPartition, time int64) *kmsg.ListOffsetsRequest {
	partition := kmsg.NewListOffsetsRequestTopicPartition()
	partition.Partition, partition.Timestamp = tp.Partition, time
	topic := kmsg.NewListOffsetsRequestTopic()
	topic.Topic, topic.Partitions = tp.Topic, []kmsg.ListOffsetsRequestTopicPartition{partition}
	req := kmsg.NewPtrListOffsetsRequest()
	req.Topics = []kmsg.ListOffsetsRequestTopic{topic}
	return req
}

func (r *raw) list(req *kmsg.ListOffsetsRequest) kmsg.ListOffsetsResponseTopicPartition {
	r.s.Helper()
	return ask(r, req).Topics[0].Partitions[0]
}

// isListed checks that the response for a timestamp is the given offset and the timestamp of its record.
func (r *raw) isListed(tp kafka.TopicPartition, time, offset, timestamp int64) {
	r.s.Helper()
	got := r.list(listRequest(tp, time))
	if got.ErrorCode != 0 || got.Offset != offset || got.Timestamp != timestamp {
		r.s.Errorf("at %d: offset %d, time %d, error %d; want %d, %d", time, got.Offset, got.Timestamp, got.ErrorCode, offset, timestamp)
	}
}

// stamped makes records with the given timestamps.
func stamped(times ...int64) (records []kafka.Record) {
	for _, t := range times {
		records = append(records, kafka.Record{Timestamp: t, Key: dot, Value: dot})
	}
	return records
}

func listEveryVersion(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.appends(tp, 0, seal(batchOf(stamped(100, 200)...)))
	for version := int16(1); version <= r.newest[int16(kmsg.ListOffsets)]; version++ {
		r.at(version).isListed(tp, earliestOffset, 0, -1)
		r.at(version).isListed(tp, latestOffset, 2, -1)
		r.at(version).isListed(tp, 150, 1, 200)
	}
	if got := r.at(4).list(listRequest(tp, latestOffset)); got.LeaderEpoch < 0 {
		s.Errorf("the epoch of the leader is %d", got.LeaderEpoch)
	}
}

func listSaysTime(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.appends(tp, 0, seal(batchOf(stamped(100, 200)...)))
	r.appends(tp, 2, seal(batchOf(stamped(300, 300, 400)...)))
	r.isListed(tp, 0, 0, 100)
	r.isListed(tp, 100, 0, 100)
	r.isListed(tp, 101, 1, 200)
	r.isListed(tp, 201, 2, 300) // the first of the two
	r.isListed(tp, 400, 4, 400)
	r.isListed(tp, 401, -1, -1)
}

func listInsideCompressed(s *subject) {
	for _, compression := range allTypes[1:] {
		tp := s.ready()
		s.must(s.write(tp, kafka.ProducerConfig{Compression: compression}, stamped(100, 200, 300, 400)...))
		r := s.raw()
		r.isListed(tp, 250, 2, 300)
		r.isListed(tp, 400, 3, 400)
		r.isListed(tp, 401, -1, -1)
	}
}

func listOutOfOrder(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.appends(tp, 0, seal(batchOf(stamped(100, 500, 200)...)))
	r.appends(tp, 3, seal(batchOf(stamped(50, 600, 300)...)))
	r.isListed(tp, 0, 0, 100) // the first by offset, not by time
	r.isListed(tp, 150, 1, 500)
	r.isListed(tp, 501, 4, 600)
}

func listNewestTime(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.appends(tp, 0, seal(batchOf(stamped(100)...)))
	r.isListed(tp, newestTimestamp, 0, 100)
	r.appends(tp, 1, seal(batchOf(stamped(700, 900, 800, 900)...)))
	r.isListed(tp, newestTimestamp, 2, 900) // the first of them
	r.appends(tp, 5, seal(batchOf(stamped(200)...)))
	r.isListed(tp, newestTimestamp, 2, 900)
}

func listNewestCompressed(s *subject) {
	tp := s.ready()
	s.must(s.write(tp, kafka.ProducerConfig{Compression: "lz4"}, stamped(100, 900, 300)...))
	s.raw().isListed(tp, newestTimestamp, 1, 900)
}

func listNewestOfNothing(s *subject) {
	s.raw().isListed(s.ready(), newestTimestamp, -1, -1)
	s.raw().isListed(s.ready(), 0, -1, -1)
}

func listAfterDelete(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.appends(tp, 0, seal(batchOf(stamped(100, 200, 300)...)))
	s.must(s.DeleteRecords(s.ctx, map[kafka.TopicPartition]int64{tp: 2}))
	r.isListed(tp, earliestOffset, 2, -1)
	r.isListed(tp, 0, 2, 300)
	r.isListed(tp, latestOffset, 3, -1)
}

func listOpenTransaction(s *subject) {
	tp := s.ready()
	p := s.transactional()
	r := s.raw()
	r.appends(tp, 0, seal(batchOf(stamped(100)...)))
	s.must(p.Send(tp.Topic, tp.Partition, stamped(200)[0]))
	s.must(p.Flush(s.ctx))
	committed := func(time int64) kmsg.ListOffsetsResponseTopicPartition {
		req := listRequest(tp, time)
		req.IsolationLevel = 1
		return r.list(req)
	}
	if got := committed(latestOffset); got.Offset != 1 {
		s.Errorf("the last stable offset is %d, want 1", got.Offset)
	}
	r.isListed(tp, latestOffset, 2, -1)
	if got := committed(150); got.Offset != -1 {
		s.Errorf("a lookup of committed records by time returned %d", got.Offset)
	}
	r.isListed(tp, 150, 1, 200)
	s.must(p.Commit(s.ctx))
	s.settled(tp)
	if got := committed(150); got.Offset != 1 {
		s.Errorf("after the commit, a lookup of committed records by time returned %d, want 1", got.Offset)
	}
	if got := committed(latestOffset); got.Offset != 3 {
		s.Errorf("after the commit the last stable offset is %d, want 3", got.Offset)
	}
}

// A search by timestamp also finds aborted records; a reader that starts there skips them.
func listAfterAbort(s *subject) {
	tp := s.ready()
	p := s.transactional()
	s.must(p.Send(tp.Topic, tp.Partition, stamped(200)[0]))
	s.must(p.Flush(s.ctx))
	s.must(p.Abort(s.ctx))
	s.settled(tp)
	s.raw().isListed(tp, 150, 0, 200)
}

func listErrors(s *subject) {
	tp := s.ready()
	r := s.raw()
	ahead := listRequest(tp, latestOffset)
	ahead.Topics[0].Partitions[0].CurrentLeaderEpoch = 1000
	s.code(kerr.UnknownLeaderEpoch, r.list(ahead).ErrorCode, "ask in an epoch of the leader to come")
	tp.Partition = 7
	got := r.list(listRequest(tp, latestOffset))
	s.code(kerr.UnknownTopicOrPartition, got.ErrorCode, "ask for a partition that does not exist")
	if got.Offset != -1 || got.Timestamp != -1 {
		s.Errorf("with the error, offset %d and time %d were returned", got.Offset, got.Timestamp)
	}
	never := kafka.TopicPartition{Topic: s.unique()}
	s.code(kerr.UnknownTopicOrPartition, r.list(listRequest(never, 0)).ErrorCode, "ask for a topic that does not exist")
}
