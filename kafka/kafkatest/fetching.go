package kafkatest

import (
	"fmt"

	"github.com/rio-streams/rio/kafka"
)

var fetching = theme{"fetching", []testCase{
	{"empty partition", fetchEmpty},
	{"from the middle", fetchFromTheMiddle},
	{"offset out of range", fetchOutOfRange},
	{"unknown topic", fetchUnknownTopic},
	{"waits for records", fetchWaits},
	{"many partitions", fetchManyPartitions},
	{"deleted topic", fetchDeletedTopic},
}}

func fetchEmpty(s *subject) {
	tp := s.partition()
	f := s.fetcher(kafka.FetcherConfig{})
	f.Add(tp, 0)
	if got := s.poll(f); got.Err != nil || len(got.Records) != 0 || got.Next != 0 || got.HighWatermark != 0 || got.LastStable != 0 || got.LogStart != 0 {
		s.Errorf("an empty partition gives %+v", got)
	}
}

func fetchFromTheMiddle(s *subject) {
	tp := s.partition()
	s.produce(tp, "a", "b", "c", "d") // one batch
	records, next := s.read(tp, 2, kafka.FetcherConfig{})
	s.sameValues(records, []string{"c", "d"})
	if next != 4 || len(records) > 0 && records[0].Offset != 2 {
		s.Errorf("read up to %d: %+v", next, records)
	}
}

func fetchOutOfRange(s *subject) {
	tp := s.partition()
	s.produce(tp, "a")
	f := s.fetcher(kafka.FetcherConfig{})
	f.Add(tp, 100)
	s.wants(kafka.ErrOffsetOutOfRange, s.poll(f).Err, "fetch far behind the end")
	f.Add(tp, 0)
	s.sameValues(s.poll(f).Records, []string{"a"})
}

func fetchUnknownTopic(s *subject) {
	f := s.impatient().fetcher(kafka.FetcherConfig{})
	unknown := []kafka.TopicPartition{{Topic: s.unique()}, {Topic: s.topic(1), Partition: 7}}
	failed := map[kafka.TopicPartition]error{} // one poll may return both
	for _, tp := range unknown {
		f.Add(tp, 0)
	}
	for len(failed) < len(unknown) {
		fetched, err := f.Poll(s.ctx)
		s.must(err)
		for _, got := range fetched {
			failed[kafka.TopicPartition{Topic: got.Topic, Partition: got.Partition}] = got.Err
		}
	}
	for _, tp := range unknown {
		s.wants(kafka.ErrUnknownTopic, failed[tp], fmt.Sprintf("fetch %v, which does not exist", tp))
	}
}

func fetchWaits(s *subject) {
	tp := s.partition()
	f := s.fetcher(kafka.FetcherConfig{MaxWait: waitTimeout / 2})
	f.Add(tp, 0)
	s.poll(f) // at the end: from now on the broker delays its response
	s.produce(tp, "late")
	var records []kafka.Record
	for len(records) == 0 {
		records = s.poll(f).Records
	}
	s.sameValues(records, []string{"late"})
}

func fetchManyPartitions(s *subject) {
	const n = 30
	topic := s.topic(n)
	p := s.producer(kafka.ProducerConfig{})
	f := s.fetcher(kafka.FetcherConfig{})
	for i := range int32(n) {
		tp := kafka.TopicPartition{Topic: topic, Partition: i}
		s.send(p, tp, fmt.Sprint(i, " a"), fmt.Sprint(i, " b"))
		f.Add(tp, 0)
	}
	s.must(p.Flush(s.ctx))
	got := make(map[int32][]kafka.Record)
	for records := 0; records < 2*n; {
		fetched, err := f.Poll(s.ctx)
		s.must(err)
		for _, part := range fetched {
			s.must(part.Err)
			got[part.Partition] = append(got[part.Partition], part.Records...)
			records += len(part.Records)
		}
	}
	for i := range int32(n) {
		s.sameValues(got[i], []string{fmt.Sprint(i, " a"), fmt.Sprint(i, " b")})
	}
}

func fetchDeletedTopic(s *subject) {
	tp := s.partition()
	s.produce(tp, "old")
	f := s.impatient().fetcher(kafka.FetcherConfig{})
	f.Add(tp, 0)
	s.sameValues(s.poll(f).Records, []string{"old"})
	s.must(s.DeleteTopics(s.ctx, tp.Topic))
	got := s.poll(f)
	for got.Err == nil {
		got = s.poll(f)
	}
	s.wants(kafka.ErrUnknownTopic, got.Err, "fetch a topic that was deleted meanwhile")
}
