package kafkatest

import (
	"slices"
	"time"

	"github.com/rio-streams/rio/kafka"
)

var appendTime = theme{"append time", []testCase{
	{"the broker says the time", brokerSaysTime},
	{"also of compressed records", brokerSaysTimeCompressed},
	{"the producer says the time unless told otherwise", producerSaysTime},
	{"a topic changes its mind", topicChangesTime},
	{"search by time", searchAppendTime},
}}

var byBroker = map[string]string{"message.timestamp.type": "LogAppendTime"}

func brokerSaysTime(s *subject) {
	tp := s.ready(byBroker)
	r := s.raw()
	before := time.Now().UnixMilli()
	res := r.append(tp, seal(batchOf(stamped(100, 5_000_000_000_000, 300)...)))
	after := time.Now().UnixMilli()
	s.code(nil, res.ErrorCode, "append")
	if res.LogAppendTime < before || res.LogAppendTime > after {
		s.Errorf("the producer got timestamp %d, which is not between %d and %d", res.LogAppendTime, before, after)
	}
	b := s.batchesIn(r.fetch(tp, 0).RecordBatches)[0]
	if b.Attributes&logAppendTimeBit == 0 || b.MaxTimestamp != res.LogAppendTime {
		s.Errorf("attributes %b, newest time %d; want %d", b.Attributes, b.MaxTimestamp, res.LogAppendTime)
	}
	s.allAt(tp, res.LogAppendTime, 3)
}

// allAt checks that tp contains n records with the same timestamp.
func (s *subject) allAt(tp kafka.TopicPartition, millis int64, n int) {
	s.Helper()
	records, _ := s.read(tp, 0, kafka.FetcherConfig{})
	if len(records) != n || slices.ContainsFunc(records, func(r kafka.Record) bool { return r.Timestamp != millis }) {
		s.Errorf("read %+v; want %d of time %d", records, n, millis)
	}
}

func brokerSaysTimeCompressed(s *subject) {
	for _, compression := range allTypes[1:] {
		tp := s.ready(byBroker)
		before := time.Now().UnixMilli()
		s.must(s.write(tp, kafka.ProducerConfig{Compression: compression}, stamped(100, 200, 300)...))
		records, _ := s.read(tp, 0, kafka.FetcherConfig{})
		if len(records) != 3 || records[0].Timestamp < before {
			s.Fatalf("%s: read %+v", compression, records)
		}
		s.allAt(tp, records[0].Timestamp, 3)
	}
}

func producerSaysTime(s *subject) {
	tp := s.ready()
	r := s.raw()
	if res := r.append(tp, seal(batchOf(stamped(100)...))); res.LogAppendTime != -1 {
		s.Errorf("the producer got append time %d", res.LogAppendTime)
	}
	s.allAt(tp, 100, 1)
}

func topicChangesTime(s *subject) {
	tp := s.ready()
	s.must(s.write(tp, kafka.ProducerConfig{}, stamped(100)...))
	s.must(s.AlterTopicConfig(s.ctx, tp.Topic, byBroker))
	now := time.Now().UnixMilli()
	eventually(s, "the broker sets the timestamps", func() bool { // the change may take effect a moment later
		s.must(s.write(tp, kafka.ProducerConfig{}, stamped(200)...))
		records, _ := s.read(tp, 0, kafka.FetcherConfig{})
		if records[0].Timestamp != 100 {
			s.Errorf("the existing record now has timestamp %d", records[0].Timestamp)
		}
		return records[len(records)-1].Timestamp >= now
	})
}

func searchAppendTime(s *subject) {
	tp := s.ready(byBroker)
	r := s.raw()
	first := r.append(tp, seal(batchOf(stamped(100, 200)...))).LogAppendTime
	second := first
	for second == first { // repeat while both are in the same millisecond
		second = r.append(tp, seal(batchOf(stamped(100)...))).LogAppendTime
	}
	r.isListed(tp, 0, 0, first)
	r.isListed(tp, first, 0, first)
	r.isListed(tp, second, s.offset(tp, kafka.Latest)-1, second)
	r.isListed(tp, newestTimestamp, s.offset(tp, kafka.Latest)-1, second)
	r.isListed(tp, second+1, -1, -1)
}
