package kafkatest

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

var fetchAnswers = theme{"fetch answers", []testCase{
	{"every version", fetchEveryVersion},
	{"by topic id", fetchByID},
	{"a topic id that is over", fetchByPastID},
	{"batches are whole and numbered", fetchWholeBatches},
	{"the first batch is whole whatever the limit", fetchFirstBatch},
	{"the limit of all partitions", fetchTotalLimit},
	{"zero bytes wanted of a partition", fetchZeroLimit},
	{"aborted transactions", fetchAborted},
	{"marks", fetchMarks},
	{"an epoch of the leader to come", fetchEpochToCome},
	{"after records were deleted", fetchAfterDelete},
	{"errors carry no records", fetchErrors},
}}

func fetchEveryVersion(s *subject) {
	tp := s.ready()
	s.produce(tp, "a", "b", "c")
	s.must(s.DeleteRecords(s.ctx, map[kafka.TopicPartition]int64{tp: 1}))
	r := s.raw()
	id := r.topicID(tp.Topic)
	for version := int16(4); version <= r.newest[int16(kmsg.Fetch)]; version++ {
		req := fetchOf(1, tp)
		req.Topics[0].TopicID = id
		req.IsolationLevel = 1
		got := only(s, ask(r.at(version), req))
		s.code(nil, got.ErrorCode, "fetch")
		if values := s.valuesIn(got.RecordBatches); !slices.Equal(values, []string{"a", "b", "c"}) {
			s.Errorf("v%d: read %q", version, values)
		}
		if got.HighWatermark != 3 || got.LastStableOffset != 3 || version >= 5 && got.LogStartOffset != 1 {
			s.Errorf("v%d: high watermark %d, last stable offset %d, log start %d", version, got.HighWatermark, got.LastStableOffset, got.LogStartOffset)
		}
	}
}

func fetchByID(s *subject) {
	tp := s.ready()
	s.produce(tp, "a")
	r := s.raw()
	req := fetchOf(0, tp)
	req.Topics[0].TopicID = r.topicID(tp.Topic)
	res := ask(r.at(13), req)
	if values := s.valuesIn(only(s, res).RecordBatches); !slices.Equal(values, []string{"a"}) || res.Topics[0].TopicID != req.Topics[0].TopicID {
		s.Errorf("read %q of %x", values, res.Topics[0].TopicID)
	}
	req.Topics[0].TopicID = [16]byte{1, 2, 3}
	s.code(kerr.UnknownTopicID, only(s, ask(r.at(13), req)).ErrorCode, "fetch of an id that does not exist")
	req.Topics[0].TopicID = r.topicID(tp.Topic)
	req.Topics[0].Partitions[0].Partition = 7
	s.code(kerr.UnknownTopicOrPartition, only(s, ask(r.at(13), req)).ErrorCode, "fetch of a partition that does not exist")
}

func fetchByPastID(s *subject) {
	tp := s.ready()
	r := s.raw()
	req := fetchOf(0, tp)
	req.Topics[0].TopicID = r.topicID(tp.Topic)
	s.must(s.DeleteTopics(s.ctx, tp.Topic))
	s.must(s.CreateTopics(s.ctx, kafka.TopicSpec{Name: tp.Topic, Partitions: 1}))
	s.produce(tp, "new")
	if now := r.topicID(tp.Topic); now == req.Topics[0].TopicID {
		s.Error("a new topic has the id of the old one with its name")
	}
	s.code(kerr.UnknownTopicID, only(s, ask(r.at(13), req)).ErrorCode, "fetch of a topic that was replaced")
}

func fetchWholeBatches(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.appends(tp, 0, seal(values("a", "b", "c")))
	r.appends(tp, 3, seal(values("d", "e", "f")))
	for offset, first := range []int64{0, 0, 0, 3, 3, 3} {
		batches := s.batchesIn(r.fetch(tp, int64(offset)).RecordBatches)
		if len(batches) == 0 || batches[0].FirstOffset != first || len(s.recordsIn(batches[0])) != 3 {
			s.Fatalf("from %d: %+v", offset, batches)
		}
		if last := batches[len(batches)-1]; last.FirstOffset != 3 || last.LastOffsetDelta != 2 || last.PartitionLeaderEpoch < 0 {
			s.Errorf("from %d the last batch is %+v", offset, last)
		}
	}
}

// fill writes n batches of slightly more than a kilobyte each.
func (r *raw) fill(tp kafka.TopicPartition, n int) {
	r.s.Helper()
	for i := range n {
		r.appends(tp, int64(i), seal(values(string(make([]byte, 1000)))))
	}
}

func fetchFirstBatch(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.fill(tp, 10)
	for limit, want := range map[int32]int{1: 1, 1500: 1, 2500: 2, 5500: 5, 50_000: 10} {
		req := fetchOf(0, tp)
		req.Topics[0].Partitions[0].PartitionMaxBytes = limit
		got := only(s, ask(r.at(byName), req)).RecordBatches
		if whole := len(s.batchesIn(got)); whole != want {
			s.Errorf("with a limit of %d bytes there are %d batches, want %d", limit, whole, want)
		}
		if len(got) > max(int(limit), 1100) {
			s.Errorf("with a limit of %d bytes there are %d", limit, len(got))
		}
	}
}

func fetchTotalLimit(s *subject) {
	a, b, c := s.ready(), s.ready(), s.ready()
	r := s.raw()
	r.fill(a, 10)
	r.fill(b, 10)
	req := fetchOf(0, c, a, b) // the first is empty
	req.MaxBytes = 1
	got := make(map[string]int)
	for _, topic := range ask(r.at(byName), req).Topics {
		s.code(nil, topic.Partitions[0].ErrorCode, "fetch")
		got[topic.Topic] = len(s.batchesIn(topic.Partitions[0].RecordBatches))
	}
	if got[a.Topic] != 1 || got[b.Topic] != 0 {
		s.Errorf("with a limit of one byte there are %d batches of the first with records, %d of the next", got[a.Topic], got[b.Topic])
	}
	req.MaxBytes = 3300
	size := 0
	for _, topic := range ask(r.at(byName), req).Topics {
		size += len(topic.Partitions[0].RecordBatches)
	}
	if size < 3000 || size > 3300 {
		s.Errorf("with a limit of 3300 bytes there are %d", size)
	}
}

func fetchZeroLimit(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.fill(tp, 2)
	req := fetchOf(0, tp)
	req.Topics[0].Partitions[0].PartitionMaxBytes = 0
	if got := only(s, ask(r.at(byName), req)); got.ErrorCode != 0 || len(s.batchesIn(got.RecordBatches)) > 1 {
		s.Errorf("with a limit of 0 there are %d batches, error %d", len(s.batchesIn(got.RecordBatches)), got.ErrorCode)
	}
}

// aborted returns the first offsets of the aborted transactions in a response.
func aborted(p kmsg.FetchResponseTopicPartition) (first []int64) {
	for _, a := range p.AbortedTransactions {
		first = append(first, a.FirstOffset)
	}
	slices.Sort(first)
	return first
}

func fetchAborted(s *subject) {
	tp := s.ready()
	good, bad := s.transactional(), s.transactional()
	for range 3 { // offsets 0 to 11: bad, good, marker of good, marker of bad
		s.send(bad, tp, "bad")
		s.must(bad.Flush(s.ctx))
		s.send(good, tp, "good")
		s.must(good.Commit(s.ctx))
		s.must(bad.Abort(s.ctx))
		s.settled(tp)
	}
	s.send(good, tp, "open")
	s.must(good.Flush(s.ctx))
	r := s.raw()
	for offset, want := range map[int64][]int64{0: {0, 4, 8}, 1: {0, 4, 8}, 4: {4, 8}, 9: {8}, 12: nil} {
		got := r.fetchCommitted(tp, offset)
		if !slices.Equal(aborted(got), want) || got.LastStableOffset != 12 || got.HighWatermark != 13 {
			s.Errorf("from %d: aborted %v, want %v; last stable offset %d", offset, aborted(got), want, got.LastStableOffset)
		}
		if n := len(s.batchesIn(got.RecordBatches)); n != 12-int(offset) {
			s.Errorf("from %d there are %d batches, want all up to the last stable offset", offset, n)
		}
	}
	all := r.fetch(tp, 0)
	if len(all.AbortedTransactions) != 0 || len(s.batchesIn(all.RecordBatches)) != 13 {
		s.Errorf("uncommitted: %d batches, aborted %v", len(s.batchesIn(all.RecordBatches)), all.AbortedTransactions)
	}
}

func fetchMarks(s *subject) {
	tp := s.ready()
	p := s.transactional()
	for _, end := range []func() error{func() error { return p.Commit(s.ctx) }, func() error { return p.Abort(s.ctx) }} {
		s.send(p, tp, "x")
		s.must(p.Flush(s.ctx))
		s.must(end())
	}
	s.settled(tp)
	batches := s.batchesIn(s.raw().fetch(tp, 0).RecordBatches)
	if len(batches) != 4 {
		s.Fatalf("%d batches", len(batches))
	}
	for i, want := range []string{"", "\x00\x00\x00\x01", "", "\x00\x00\x00\x00"} { // version and type: 1 for a commit
		b := batches[i]
		if b.Attributes&transactionalBit == 0 || (b.Attributes&controlBit != 0) != (want != "") || b.ProducerID != batches[0].ProducerID {
			s.Errorf("batch %d has attributes %b, producer %d", i, b.Attributes, b.ProducerID)
		}
		records := s.recordsIn(b)
		if len(records) != 1 || string(records[0].Key) != want || want != "" && len(records[0].Value) < 6 {
			s.Errorf("batch %d contains %+v; want a key %q", i, records, want)
		}
		if want != "" && b.FirstSequence != -1 {
			s.Errorf("the marker at %d has sequence number %d", i, b.FirstSequence)
		}
	}
}

func fetchEpochToCome(s *subject) {
	tp := s.ready()
	req := fetchOf(0, tp)
	req.Topics[0].Partitions[0].CurrentLeaderEpoch = 1000
	s.code(kerr.UnknownLeaderEpoch, only(s, ask(s.raw().at(byName), req)).ErrorCode, "fetch in an epoch of the leader to come")
}

func fetchAfterDelete(s *subject) {
	tp := s.ready()
	r := s.raw()
	r.appends(tp, 0, seal(values("a", "b", "c")))
	r.appends(tp, 3, seal(values("d")))
	s.must(s.DeleteRecords(s.ctx, map[kafka.TopicPartition]int64{tp: 2}))
	s.code(kerr.OffsetOutOfRange, r.fetch(tp, 1).ErrorCode, "fetch of a deleted record")
	got := r.fetch(tp, 2) // the whole batch, including deleted records, which a consumer skips
	if values := s.valuesIn(got.RecordBatches); !slices.Equal(values, []string{"a", "b", "c", "d"}) || got.LogStartOffset != 2 {
		s.Errorf("read %q, log start %d", values, got.LogStartOffset)
	}
	s.must(s.DeleteRecords(s.ctx, map[kafka.TopicPartition]int64{tp: 4}))
	if got := r.fetch(tp, 4); got.ErrorCode != 0 || got.LogStartOffset != 4 || got.HighWatermark != 4 || len(got.RecordBatches) != 0 {
		s.Errorf("after all records were deleted: %+v", got)
	}
}

func fetchErrors(s *subject) {
	tp := s.ready()
	s.produce(tp, "a", "b")
	r := s.raw()
	for offset, want := range map[int64]error{-1: kerr.OffsetOutOfRange, 2: nil, 3: kerr.OffsetOutOfRange} {
		got := r.fetch(tp, offset)
		s.code(want, got.ErrorCode, "fetch")
		if len(got.RecordBatches) != 0 {
			s.Errorf("from %d: %d bytes", offset, len(got.RecordBatches))
		}
	}
	tp.Partition = 5
	s.code(kerr.UnknownTopicOrPartition, r.fetch(tp, 0).ErrorCode, "fetch of a partition that does not exist")
}
