package kafkatest

import (
	"slices"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

var transactionStates = theme{"transaction states", []testCase{
	{"described", txnDescribed},
	{"described without being there", txnNotDescribed},
	{"listed", txnListed},
	{"listed by state and producer", txnListedBy},
	{"producers of a partition", producersDescribed},
	{"producers of no partition", producersOfNone},
}}

func (a *rawProducer) describe() kmsg.DescribeTransactionsResponseTransactionState {
	a.s.Helper()
	req := kmsg.NewPtrDescribeTransactionsRequest()
	req.TransactionalIDs = []string{a.transactionalID}
	return ask(a.raw, req).TransactionStates[0]
}

// is waits until the transaction has a state: its end may be completed slightly after the response.
func (a *rawProducer) is(state string) {
	a.s.Helper()
	eventually(a.s, "the transaction is "+state, func() bool { return a.describe().State == state })
}

func txnDescribed(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	a.is("Empty")
	before := time.Now().UnixMilli()
	a.mustWrite(tp, "x")
	got := a.describe()
	s.code(nil, got.ErrorCode, "describe a transaction")
	if got.State != "Ongoing" || got.ProducerID != a.id || got.ProducerEpoch != a.epoch || got.TimeoutMillis != int32(waitTimeout/time.Millisecond) {
		s.Errorf("described %+v", got)
	}
	if got.StartTimestamp < before || got.StartTimestamp > time.Now().UnixMilli() {
		s.Errorf("start time %d is before %d or in the future", got.StartTimestamp, before)
	}
	if len(got.Topics) != 1 || got.Topics[0].Topic != tp.Topic || !slices.Equal(got.Topics[0].Partitions, []int32{0}) {
		s.Errorf("partitions %+v", got.Topics)
	}
	a.must(a.end(true))
	a.is("CompleteCommit")
	if got := a.describe(); len(got.Topics) != 0 {
		s.Errorf("partitions after the commit: %+v", got.Topics)
	}
	a.mustWrite(tp, "y")
	a.is("Ongoing")
	a.must(a.end(false))
	a.is("CompleteAbort")
}

func txnNotDescribed(s *subject) {
	a := s.unregisteredProducer()
	s.code(kerr.TransactionalIDNotFound, a.describe().ErrorCode, "describe an unknown transactional id")
	a.transactionalID = ""
	s.code(kerr.InvalidRequest, a.describe().ErrorCode, "describe an empty transactional id")
}

// listedTransactions returns the states of the transactions that match, by transactional id.
func (r *raw) listedTransactions(change func(req *kmsg.ListTransactionsRequest)) map[string]string {
	r.s.Helper()
	req := kmsg.NewPtrListTransactionsRequest()
	change(req)
	res := ask(r, req)
	r.s.code(nil, res.ErrorCode, "list transactions")
	found := make(map[string]string)
	for _, t := range res.TransactionStates {
		found[t.TransactionalID] = t.TransactionState
	}
	return found
}

func txnListed(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	all := func(*kmsg.ListTransactionsRequest) {}
	if got := a.listedTransactions(all)[a.transactionalID]; got != "Empty" {
		s.Errorf("listed as %q", got)
	}
	a.mustWrite(tp, "x")
	if got := a.listedTransactions(all)[a.transactionalID]; got != "Ongoing" {
		s.Errorf("listed as %q", got)
	}
	a.must(a.end(true))
	eventually(s, "it is listed as committed", func() bool { return a.listedTransactions(all)[a.transactionalID] == "CompleteCommit" })
}

func txnListedBy(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	s.rawProducer() // another
	a.mustWrite(tp, "x")
	for want, change := range map[string]func(req *kmsg.ListTransactionsRequest){
		"Ongoing": func(req *kmsg.ListTransactionsRequest) { req.StateFilters = []string{"Ongoing", "Empty"} },
		"":        func(req *kmsg.ListTransactionsRequest) { req.StateFilters = []string{"Empty"} },
	} {
		if got := a.listedTransactions(change)[a.transactionalID]; got != want {
			s.Errorf("listed as %q, want %q", got, want)
		}
	}
	byProducer := a.listedTransactions(func(req *kmsg.ListTransactionsRequest) { req.ProducerIDFilters = []int64{a.id} })
	if len(byProducer) != 1 || byProducer[a.transactionalID] != "Ongoing" {
		s.Errorf("transactions of producer %d: %v", a.id, byProducer)
	}
	if a.newest[int16(kmsg.ListTransactions)] >= 1 { // DurationFilterMillis
		long := a.listedTransactions(func(req *kmsg.ListTransactionsRequest) { req.DurationFilterMillis = time.Hour.Milliseconds() })
		if state, ok := long[a.transactionalID]; ok {
			s.Errorf("the transaction is listed among those longer than an hour: %s", state)
		}
	}
	req := kmsg.NewPtrListTransactionsRequest()
	req.StateFilters = []string{"Nonsense", "Ongoing"}
	if res := ask(a.raw, req); res.ErrorCode != 0 || !slices.Equal(res.UnknownStateFilters, []string{"Nonsense"}) {
		s.Errorf("with an unknown state in the filter: %+v", res)
	}
}

// producers returns the broker's state of the producers that write to tp.
func (r *raw) producers(tp kafka.TopicPartition) kmsg.DescribeProducersResponseTopicPartition {
	r.s.Helper()
	topic := kmsg.NewDescribeProducersRequestTopic()
	topic.Topic, topic.Partitions = tp.Topic, []int32{tp.Partition}
	req := kmsg.NewPtrDescribeProducersRequest()
	req.Topics = append(req.Topics, topic)
	return ask(r, req).Topics[0].Partitions[0]
}

func producersDescribed(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	if got := a.producers(tp); got.ErrorCode != 0 || len(got.ActiveProducers) != 0 {
		s.Errorf("producers of an empty partition: %+v", got)
	}
	a.mustWrite(tp, "x", "y")
	b := values("z", "z", "z")
	b.ProducerID, b.ProducerEpoch, b.FirstSequence = a.id+1_000_000, 4, 0 // another, without a transaction
	a.appends(tp, 2, seal(b))
	for _, p := range a.producers(tp).ActiveProducers {
		switch p.ProducerID {
		case a.id:
			if p.ProducerEpoch != int32(a.epoch) || p.LastSequence != 1 || p.CurrentTxnStartOffset != 0 {
				s.Errorf("the transactional producer: %+v", p)
			}
		case b.ProducerID:
			if p.ProducerEpoch != 4 || p.LastSequence != 2 || p.CurrentTxnStartOffset != -1 {
				s.Errorf("the idempotent producer: %+v", p)
			}
		default:
			s.Errorf("unexpected producer: %+v", p)
		}
		if p.LastTimestamp != morning.UnixMilli() {
			s.Errorf("last timestamp %d", p.LastTimestamp)
		}
	}
	a.must(a.end(true))
	s.settled(tp)
	for _, p := range a.producers(tp).ActiveProducers {
		if p.CurrentTxnStartOffset != -1 || p.ProducerID == a.id && p.CoordinatorEpoch < 0 {
			s.Errorf("after the commit: %+v", p)
		}
	}
	if n := len(a.producers(tp).ActiveProducers); n != 2 {
		s.Errorf("%d producers", n)
	}
}

func producersOfNone(s *subject) {
	tp, r := s.ready(), s.raw()
	tp.Partition = 7
	s.code(kerr.UnknownTopicOrPartition, r.producers(tp).ErrorCode, "describe the producers of a partition that does not exist")
}
