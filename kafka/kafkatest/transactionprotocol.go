package kafkatest

import (
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

var transactionProtocol = theme{"transaction protocol", []testCase{
	{"a partition is added before it is written to", txnAddFirst},
	{"all partitions are added or none", txnAddAllOrNone},
	{"an added partition without records", txnAddedOnly},
	{"a batch that is not of the transactional id", txnWithoutID},
	{"a transactional id that is not of the producer", txnOfAnother},
	{"strangers", txnStrangers},
	{"an epoch that is over", txnPastEpoch},
	{"committed twice", txnCommittedTwice},
	{"aborted twice", txnAbortedTwice},
	{"ended with nothing in it", txnEndedEmpty},
	{"epochs count up", txnEpochs},
	{"a successor is named", txnSuccessor},
	{"a successor of nobody", txnSuccessorOfNobody},
	{"a successor aborts what was open", txnSuccessorAborts},
	{"bad transactional ids", txnBadIDs},
	{"bad timeouts", txnBadTimeouts},
	{"abandoned", txnAbandoned},
	{"sequence numbers go on", txnSequences},
	{"a duplicate inside of a transaction", txnDuplicate},
}}

func txnAddFirst(s *subject) {
	tp, other := s.ready(), s.ready()
	a := s.rawProducer()
	s.wants(kerr.TransactionAbortable, a.write(tp, "x"), "write outside of a transaction")
	a.mustWrite(other, "x")
	s.wants(kerr.TransactionAbortable, a.write(tp, "x"), "write to a partition that was not added")
	old := produceRequest(-1, tp, a.batch(tp, "x"))
	old.TransactionID = &a.transactionalID
	s.code(kerr.InvalidTxnState, ask(a.at(10), old).Topics[0].Partitions[0].ErrorCode, "the same in a version that knows not how to say so")
	s.isAt(tp, kafka.Latest, 0)
	a.must(a.end(true))
	s.holds(other, "x")
	s.wants(kerr.TransactionAbortable, a.write(other, "y"), "write to a partition of the transaction before")
}

func txnAddAllOrNone(s *subject) {
	tp := s.ready()
	never := kafka.TopicPartition{Topic: s.unique()}
	a := s.rawProducer()
	errs := a.add(tp, never)
	s.wants(kerr.OperationNotAttempted, errs[0], "add a partition beside one that does not exist")
	s.wants(kerr.UnknownTopicOrPartition, errs[1], "add a partition that does not exist")
	s.wants(kerr.InvalidTxnState, a.end(true), "commit when nothing was added")
	for range 2 { // adding it again is allowed
		a.must(a.add(tp)[0])
	}
	a.must(a.end(true))
}

func txnAddedOnly(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	a.must(a.add(tp)[0])
	a.must(a.end(false))
	s.holds(tp)
	a.mustWrite(tp, "x")
	a.must(a.end(true))
	s.holds(tp, "x")
}

func txnWithoutID(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	a.must(a.add(tp)[0])
	s.code(kerr.TransactionalIDAuthorizationFailed, a.append(tp, a.batch(tp, "x")).ErrorCode, "append without a transactional id")
	s.isAt(tp, kafka.Latest, 0)
}

func txnOfAnother(s *subject) {
	tp, group := s.ready(), s.unique()
	a, other := s.rawProducer(), s.rawProducer()
	a.coordinated(0, group)
	a.must(a.add(tp)[0])
	other.must(other.add(tp)[0])
	a.transactionalID, other.transactionalID = other.transactionalID, a.transactionalID
	s.wants(kerr.InvalidProducerIDMapping, a.write(tp, "x"), "write with another's transactional id")
	s.wants(kerr.InvalidProducerIDMapping, a.commitOffset(a.commitRequest(group, tp, 1)), "commit an offset with another's transactional id")
	s.isAt(tp, kafka.Latest, 0)
}

func txnStrangers(s *subject) {
	tp := s.ready()
	nobody := s.unregisteredProducer()
	nobody.id, nobody.epoch = 12345, 0
	s.wants(kerr.InvalidProducerIDMapping, nobody.add(tp)[0], "add a partition of an unknown transactional id")
	s.wants(kerr.InvalidProducerIDMapping, nobody.addOffsets(s.unique()), "add offsets of an unknown transactional id")
	s.wants(kerr.InvalidProducerIDMapping, nobody.end(true), "commit of an unknown transactional id")
	a := s.rawProducer()
	a.id += 100_000
	s.wants(kerr.InvalidProducerIDMapping, a.add(tp)[0], "add a partition of another producer id")
	s.wants(kerr.InvalidProducerIDMapping, a.addOffsets(s.unique()), "add offsets of another producer id")
	s.wants(kerr.InvalidProducerIDMapping, a.end(true), "commit of another producer id")
}

func txnPastEpoch(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	a.mustWrite(tp, "x")
	past := a.copy()
	a.must(a.init())
	s.wants(kerr.ProducerFenced, past.add(tp)[0], "add a partition in an epoch that is over")
	s.wants(kerr.ProducerFenced, past.addOffsets(s.unique()), "add offsets in an epoch that is over")
	s.wants(kerr.ProducerFenced, past.end(true), "commit in an epoch that is over")
	s.wants(kerr.InvalidProducerEpoch, past.write(tp, "y"), "write in an epoch that is over")
	s.code(kerr.InvalidProducerEpoch, ask(a.at(1), past.endRequest(true)).ErrorCode, "the same in a version that knows of no fencing")
	a.epoch += 5
	s.wants(kerr.ProducerFenced, a.end(true), "commit in an epoch to come")
	s.holds(tp)
}

func txnCommittedTwice(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	a.mustWrite(tp, "x")
	for range 3 {
		a.must(a.end(true))
	}
	s.wants(kerr.InvalidTxnState, a.end(false), "abort what is committed")
	s.holds(tp, "x")
	s.isAt(tp, kafka.Latest, 2) // a single marker
}

func txnAbortedTwice(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	a.mustWrite(tp, "x")
	for range 3 {
		a.must(a.end(false))
	}
	s.wants(kerr.InvalidTxnState, a.end(true), "commit what is aborted")
	s.holds(tp)
	s.isAt(tp, kafka.Latest, 2)
}

func txnEndedEmpty(s *subject) {
	a := s.rawProducer()
	s.wants(kerr.InvalidTxnState, a.end(true), "commit when nothing has begun")
	s.wants(kerr.InvalidTxnState, a.end(false), "abort when nothing has begun")
}

func txnEpochs(s *subject) {
	a := s.rawProducer()
	id := a.id
	for epoch := range int16(5) {
		if a.id != id || a.epoch != epoch {
			s.Errorf("producer %d in epoch %d, want %d in %d", a.id, a.epoch, id, epoch)
		}
		a.must(a.init())
	}
}

func txnSuccessor(s *subject) {
	a := s.rawProducer()
	id, epoch := a.id, a.epoch
	for range 2 { // the second time as if the response had been lost
		if res := a.initAs(id, epoch); res.ErrorCode != 0 || res.ProducerID != id || res.ProducerEpoch != epoch+1 {
			s.Errorf("the successor of %d in epoch %d: %+v", id, epoch, res)
		}
	}
	if res := a.initAs(id, epoch+1); res.ErrorCode != 0 || res.ProducerEpoch != epoch+2 {
		s.Errorf("the successor of %d in epoch %d: %+v", id, epoch+1, res)
	}
	s.code(kerr.ProducerFenced, a.initAs(id, epoch).ErrorCode, "succeed one who has two successors")
}

func txnSuccessorOfNobody(s *subject) {
	a := s.rawProducer()
	s.code(kerr.ProducerFenced, a.initAs(a.id, a.epoch+3).ErrorCode, "succeed an epoch to come")
	s.code(kerr.ProducerFenced, a.initAs(a.id+100_000, a.epoch).ErrorCode, "succeed another producer id")
	for _, half := range []func(*kmsg.InitProducerIDRequest){
		func(req *kmsg.InitProducerIDRequest) { req.ProducerID = a.id },
		func(req *kmsg.InitProducerIDRequest) { req.ProducerEpoch = a.epoch },
	} {
		req := a.initRequest()
		half(req)
		s.code(kerr.InvalidRequest, ask(a.raw, req).ErrorCode, "succeed an id without an epoch, or an epoch without an id")
	}
}

func txnSuccessorAborts(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	a.mustWrite(tp, "open")
	s.code(nil, a.initAs(a.id, a.epoch).ErrorCode, "succeed oneself")
	a.mustWrite(tp, "next")
	a.must(a.end(true))
	s.holds(tp, "next")
}

func txnBadIDs(s *subject) {
	a := s.rawProducer()
	a.transactionalID = ""
	s.code(kerr.InvalidRequest, ask(a.raw, a.initRequest()).ErrorCode, "begin with an empty transactional id")
	s.wants(kerr.InvalidRequest, a.add(s.ready())[0], "add a partition with an empty transactional id")
	s.wants(kerr.InvalidRequest, a.addOffsets(s.unique()), "add offsets with an empty transactional id")
	s.wants(kerr.InvalidRequest, a.end(true), "commit with an empty transactional id")
}

func txnBadTimeouts(s *subject) {
	a := s.unregisteredProducer()
	for _, timeout := range []int32{0, -1, int32(24 * time.Hour / time.Millisecond)} { // the broker allows 15 minutes
		req := a.initRequest()
		req.TransactionTimeoutMillis = timeout
		s.code(kerr.InvalidTransactionTimeout, s.settle(func() int16 { return ask(a.raw, req).ErrorCode }), "begin with a bad timeout")
	}
	a.must(a.init())
}

func txnAbandoned(s *subject) {
	tp := s.ready()
	a := s.unregisteredProducer()
	req := a.initRequest()
	req.TransactionTimeoutMillis = 300
	var res *kmsg.InitProducerIDResponse
	a.s.settle(func() int16 { res = ask(a.raw, req); return res.ErrorCode })
	a.id, a.epoch = res.ProducerID, res.ProducerEpoch
	a.mustWrite(tp, "x")
	s.settled(tp)
	s.isAt(tp, kafka.Latest, 2)
	s.holds(tp)
	s.wants(kerr.InvalidProducerEpoch, a.write(tp, "y"), "write after the timeout")
	s.wants(kerr.ProducerFenced, a.end(true), "commit after the timeout")
	a.must(a.init())
	a.mustWrite(tp, "z")
	a.must(a.end(true))
	s.holds(tp, "z")
}

func txnSequences(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	for _, value := range []string{"a", "b", "c"} {
		a.mustWrite(tp, value)
		a.must(a.end(true))
	}
	a.must(a.add(tp)[0])
	a.next[tp]++
	s.wants(kerr.OutOfOrderSequenceNumber, a.write(tp, "d"), "write with a gap")
	a.must(a.end(false))
	s.holds(tp, "a", "b", "c")
}

func txnDuplicate(s *subject) {
	tp := s.ready()
	a := s.rawProducer()
	a.mustWrite(tp, "a")
	a.next[tp]--
	a.must(a.write(tp, "a"))
	a.must(a.write(tp, "b"))
	a.must(a.end(true))
	s.holds(tp, "a", "b")
	s.isAt(tp, kafka.Latest, 3)
}
