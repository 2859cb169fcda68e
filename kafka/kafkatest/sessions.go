package kafkatest

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// In a fetch session a consumer sends its partitions once, and responses only contain changed partitions (KIP-227).
var sessions = theme{"fetch sessions", []testCase{
	{"hears only of what changed", sessionChanges},
	{"a partition is added, another forgotten", sessionForgets},
	{"a wrong epoch", sessionWrongEpoch},
	{"an unknown session", sessionUnknown},
	{"none was asked for", sessionNone},
	{"the end", sessionEnd},
	{"begun anew", sessionAnew},
	{"an error is returned each time", sessionError},
	{"the last stable offset is a change", sessionLastStable},
}}

// session is a consumer with a fetch session.
type session struct {
	r     *raw
	id    int32
	epoch int32
}

func (s *subject) session() *session { return &session{r: s.raw().at(byName)} }

// fetch sends req as the next request of the session. The first request opens the session.
func (c *session) fetch(req *kmsg.FetchRequest) *kmsg.FetchResponse {
	c.r.s.Helper()
	req.SessionID, req.SessionEpoch = c.id, c.epoch
	res := ask(c.r, req)
	c.r.s.code(nil, res.ErrorCode, "fetch in a session")
	if c.id = res.SessionID; c.id == 0 {
		c.r.s.Fatal("the broker opened no session")
	}
	c.epoch++
	return res
}

// expect checks that the response to req contains exactly these partitions, with these values.
func (c *session) expect(req *kmsg.FetchRequest, want map[kafka.TopicPartition][]string) {
	c.r.s.Helper()
	c.r.s.wantsFetched(c.fetch(req), want)
}

func (s *subject) wantsFetched(res *kmsg.FetchResponse, want map[kafka.TopicPartition][]string) {
	s.Helper()
	got := 0
	for _, topic := range res.Topics {
		for _, p := range topic.Partitions {
			got++
			s.code(nil, p.ErrorCode, "fetch of "+topic.Topic)
			values, ok := want[kafka.TopicPartition{Topic: topic.Topic, Partition: p.Partition}]
			if read := s.valuesIn(p.RecordBatches); !ok || !slices.Equal(read, values) {
				s.Errorf("%s/%d in the response with %q; want %q (%t)", topic.Topic, p.Partition, read, values, ok)
			}
		}
	}
	if got != len(want) {
		s.Errorf("%d partitions in the response, want %d", got, len(want))
	}
}

func sessionChanges(s *subject) {
	a, b := s.ready(), s.ready()
	c := s.session()
	c.expect(fetchOf(0, a, b), map[kafka.TopicPartition][]string{a: nil, b: nil}) // the first response contains all partitions
	c.expect(fetchOf(0), nil)
	s.produce(b, "x", "y")
	c.expect(fetchOf(0), map[kafka.TopicPartition][]string{b: {"x", "y"}})
	c.expect(fetchOf(0), map[kafka.TopicPartition][]string{b: {"x", "y"}}) // its position has not moved
	c.expect(fetchOf(2, b), nil)
	s.produce(a, "z")
	s.produce(b, "z")
	c.expect(fetchOf(0), map[kafka.TopicPartition][]string{a: {"z"}, b: {"z"}})
}

func sessionForgets(s *subject) {
	a, b := s.ready(), s.ready()
	c := s.session()
	c.fetch(fetchOf(0, a))
	c.expect(fetchOf(0, b), map[kafka.TopicPartition][]string{b: nil})
	s.produce(a, "x")
	s.produce(b, "x")
	forget := fetchOf(0)
	forgotten := kmsg.NewFetchRequestForgottenTopic()
	forgotten.Topic, forgotten.Partitions = a.Topic, []int32{0}
	forget.ForgottenTopics = append(forget.ForgottenTopics, forgotten)
	c.expect(forget, map[kafka.TopicPartition][]string{b: {"x"}})
	c.expect(fetchOf(1, b), nil)
}

// refused checks that the session's next fetch fails as a whole.
func (c *session) refused(want error, doing string) {
	c.r.s.Helper()
	req := fetchOf(0)
	req.SessionID, req.SessionEpoch = c.id, c.epoch
	res := ask(c.r, req)
	c.r.s.code(want, res.ErrorCode, doing)
	if len(res.Topics) != 0 {
		c.r.s.Errorf("%s: %d topics in the response", doing, len(res.Topics))
	}
}

func sessionWrongEpoch(s *subject) {
	tp := s.ready()
	c := s.session()
	c.fetch(fetchOf(0, tp))
	c.epoch += 5
	c.refused(kerr.InvalidFetchSessionEpoch, "fetch in an epoch to come")
	c.epoch -= 5
	s.produce(tp, "x")
	c.expect(fetchOf(0), map[kafka.TopicPartition][]string{tp: {"x"}}) // the session continues
	c.epoch--
	c.refused(kerr.InvalidFetchSessionEpoch, "fetch in a past epoch")
}

func sessionUnknown(s *subject) {
	c := s.session()
	c.id, c.epoch = 12345, 1
	c.refused(kerr.FetchSessionIDNotFound, "fetch in a session that does not exist")
}

func sessionNone(s *subject) {
	tp := s.ready()
	req := fetchOf(0, tp)
	req.SessionID, req.SessionEpoch = 0, -1
	if res := ask(s.raw().at(byName), req); res.SessionID != 0 {
		s.Errorf("session %d, although none was requested", res.SessionID)
	} else {
		only(s, res)
	}
}

func sessionEnd(s *subject) {
	tp := s.ready()
	c := s.session()
	c.fetch(fetchOf(0, tp))
	last := fetchOf(0, tp)
	last.SessionID, last.SessionEpoch = c.id, -1
	if res := ask(c.r, last); res.SessionID != 0 {
		s.Errorf("session %d after its end", res.SessionID)
	} else {
		only(s, res) // the response is the same as without a session
	}
	c.refused(kerr.FetchSessionIDNotFound, "fetch in a session that has ended")
}

func sessionAnew(s *subject) {
	a, b := s.ready(), s.ready()
	c := s.session()
	c.fetch(fetchOf(0, a))
	old := c.id
	c.epoch = 0 // opens a new session in its place
	c.expect(fetchOf(0, b), map[kafka.TopicPartition][]string{b: nil})
	if c.id == old {
		s.Error("the new session has the id of the old")
	}
	c.expect(fetchOf(0), nil)
	c.id = old
	c.refused(kerr.FetchSessionIDNotFound, "fetch in a session that was replaced")
}

func sessionError(s *subject) {
	tp := s.ready()
	never := kafka.TopicPartition{Topic: s.unique()}
	c := s.session()
	c.fetch(fetchOf(0, tp, never))
	for range 2 {
		s.code(kerr.UnknownTopicOrPartition, only(s, c.fetch(fetchOf(0))).ErrorCode, "fetch of a topic that does not exist")
	}
	s.code(kerr.OffsetOutOfRange, find(s, c.fetch(fetchOf(7, tp)), tp).ErrorCode, "fetch of an offset that does not exist")
	s.code(kerr.OffsetOutOfRange, find(s, c.fetch(fetchOf(0)), tp).ErrorCode, "the same again")
	s.code(nil, find(s, c.fetch(fetchOf(0, tp)), tp).ErrorCode, "fetch of an offset that exists") // the end of an error is also a change
}

// find returns the part of a response for tp.
func find(s *subject, res *kmsg.FetchResponse, tp kafka.TopicPartition) kmsg.FetchResponseTopicPartition {
	s.Helper()
	for _, topic := range res.Topics {
		for _, p := range topic.Partitions {
			if topic.Topic == tp.Topic && p.Partition == tp.Partition {
				return p
			}
		}
	}
	s.Fatalf("the response lacks %v: %+v", tp, res)
	panic("unreachable")
}

// This is how a consumer at the end learns that a transaction without visible records has ended.
func sessionLastStable(s *subject) {
	tp := s.ready()
	p := s.transactional()
	s.send(p, tp, "x")
	s.must(p.Flush(s.ctx))
	committed := func(req *kmsg.FetchRequest) *kmsg.FetchRequest { req.IsolationLevel = 1; return req }
	c := s.session()
	if got := only(s, c.fetch(committed(fetchOf(0, tp)))); got.LastStableOffset != 0 || got.HighWatermark != 1 || len(got.RecordBatches) != 0 {
		s.Errorf("while the transaction is open: %+v", got)
	}
	c.expect(committed(fetchOf(0)), nil)
	s.must(p.Commit(s.ctx))
	s.settled(tp)
	c.expect(committed(fetchOf(0)), map[kafka.TopicPartition][]string{tp: {"x"}})
}
