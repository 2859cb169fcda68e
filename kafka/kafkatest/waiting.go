package kafkatest

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// A fetch at the end waits for records. Its maximum wait is longer than the test's timeout, so the test fails if the fetch is
// not woken.
var waiting = theme{"waiting fetches", []testCase{
	{"until its time is over", waitsItsTime},
	{"what is there is not waited for", waitsNotForWhatIsThere},
	{"until something is appended", waitsForAppend},
	{"until there are enough bytes", waitsForBytes},
	{"until a transaction is committed", waitsForCommit},
	{"until a transaction is aborted", waitsForAbort},
	{"until the topic is deleted", waitsForDelete},
	{"an error is not waited for", waitsNotForErrors},
	{"in a session", waitsInSession},
	{"others do not wait with it", waitsAlone},
	{"answers come in order", answersInOrder},
}}

// fetched returns the result of a fetch request that was started.
func fetched(s *subject, answer func() kmsg.Response) kmsg.FetchResponseTopicPartition {
	s.Helper()
	return only(s, answer().(*kmsg.FetchResponse))
}

func waitsItsTime(s *subject) {
	tp := s.ready()
	req := fetchOf(0, tp)
	req.MaxWaitMillis = 300
	begin := time.Now()
	got := only(s, ask(s.raw().at(byName), req))
	if took := time.Since(begin); took < 290*time.Millisecond || len(got.RecordBatches) != 0 {
		s.Errorf("%d bytes after %v", len(got.RecordBatches), took)
	}
}

func waitsNotForWhatIsThere(s *subject) {
	tp, empty := s.ready(), s.ready()
	s.produce(tp, "x")
	res := ask(s.raw().at(byName), longFetchOf(0, empty, tp))
	s.wantsFetched(res, map[kafka.TopicPartition][]string{empty: nil, tp: {"x"}})
	nothing := longFetchOf(0, empty)
	nothing.MinBytes = 0 // satisfied without records
	only(s, ask(s.raw().at(byName), nothing))
}

func waitsForAppend(s *subject) {
	tp, other := s.ready(), s.ready()
	answer := s.raw().at(byName).start(longFetchOf(0, other, tp))
	s.produce(tp, "x")
	s.wantsFetched(answer().(*kmsg.FetchResponse), map[kafka.TopicPartition][]string{other: nil, tp: {"x"}})
}

func waitsForBytes(s *subject) {
	a, b := s.ready(), s.ready()
	req := longFetchOf(0, a, b)
	req.MinBytes = 20_000
	answer := s.raw().at(byName).start(req)
	for _, tp := range []kafka.TopicPartition{a, b, a} { // together they reach MinBytes
		s.must(s.write(tp, kafka.ProducerConfig{}, kafka.Record{Timestamp: 1, Value: noise(8_000)}))
	}
	size := 0
	for _, topic := range answer().(*kmsg.FetchResponse).Topics {
		size += len(topic.Partitions[0].RecordBatches)
	}
	if size < int(req.MinBytes) {
		s.Errorf("a response with %d bytes", size)
	}
}

// waitsForEnd checks that a reader of committed records waits for the end of a transaction.
func waitsForEnd(s *subject, end func(p *kafka.Producer) error) kmsg.FetchResponseTopicPartition {
	s.Helper()
	tp := s.ready()
	p := s.transactional()
	s.send(p, tp, "x")
	s.must(p.Flush(s.ctx))
	req := longFetchOf(0, tp)
	req.IsolationLevel = 1
	answer := s.raw().at(byName).start(req)
	s.must(end(p))
	return fetched(s, answer)
}

func waitsForCommit(s *subject) {
	got := waitsForEnd(s, func(p *kafka.Producer) error { return p.Commit(s.ctx) })
	if values := s.valuesIn(got.RecordBatches); !slices.Equal(values, []string{"x"}) || len(got.AbortedTransactions) != 0 {
		s.Errorf("read %q, aborted %v", values, got.AbortedTransactions)
	}
}

func waitsForAbort(s *subject) {
	got := waitsForEnd(s, func(p *kafka.Producer) error { return p.Abort(s.ctx) })
	if len(got.AbortedTransactions) != 1 || got.LastStableOffset != 2 {
		s.Errorf("aborted %v, last stable offset %d", got.AbortedTransactions, got.LastStableOffset)
	}
}

func waitsForDelete(s *subject) {
	tp := s.ready()
	answer := s.raw().at(byName).start(longFetchOf(0, tp))
	s.must(s.DeleteTopics(s.ctx, tp.Topic))
	code := kerr.ErrorForCode(fetched(s, answer).ErrorCode)
	if code != kerr.UnknownTopicOrPartition && code != kerr.NotLeaderForPartition {
		s.Errorf("a fetch of a topic that is deleted meanwhile: %v", code)
	}
}

func waitsNotForErrors(s *subject) {
	tp := s.ready()
	r := s.raw().at(byName)
	s.code(kerr.OffsetOutOfRange, only(s, ask(r, longFetchOf(5, tp))).ErrorCode, "fetch of an offset that does not exist")
	never := kafka.TopicPartition{Topic: s.unique()}
	s.code(kerr.UnknownTopicOrPartition, only(s, ask(r, longFetchOf(0, never))).ErrorCode, "fetch of a topic that does not exist")
}

func waitsInSession(s *subject) {
	a, b := s.ready(), s.ready()
	c := s.session()
	c.fetch(fetchOf(0, a, b))
	next := longFetchOf(0)
	next.SessionID, next.SessionEpoch = c.id, c.epoch
	answer := c.r.start(next)
	s.produce(b, "x")
	s.wantsFetched(answer().(*kmsg.FetchResponse), map[kafka.TopicPartition][]string{b: {"x"}})
}

func waitsAlone(s *subject) {
	tp := s.ready()
	var answers []func() kmsg.Response
	for range 20 { // more than a broker has request threads
		answers = append(answers, s.raw().at(byName).start(longFetchOf(0, tp)))
	}
	ask(s.raw(), kmsg.NewPtrMetadataRequest())
	s.produce(tp, "x")
	for _, answer := range answers {
		s.wantsFetched(answer().(*kmsg.FetchResponse), map[kafka.TopicPartition][]string{tp: {"x"}})
	}
}

func answersInOrder(s *subject) {
	tp := s.ready()
	r := s.raw()
	req := fetchOf(0, tp)
	req.MaxWaitMillis = 100
	first := r.at(byName).start(req)
	second := r.start(kmsg.NewPtrMetadataRequest())
	third := r.at(byName).start(req)
	fetched(s, first)
	second()
	fetched(s, third)
}
