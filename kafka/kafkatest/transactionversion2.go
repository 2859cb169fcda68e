package kafkatest

import (
	"slices"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/kafka"
)

// With transaction.version=2 each transaction has its own epoch, and writing to a partition adds it to the transaction
// (KIP-890).
var transactionVersion2 = theme{"transactions, version 2", []testCase{
	{"the broker says so", txn2Feature},
	{"each in an epoch of its own", txn2Epochs},
	{"what comes late is refused", txn2Late},
	{"the answer to an end was lost", txn2EndAgain},
	{"ended with nothing in it", txn2Empty},
	{"offsets make a group part of it", txn2Offsets},
	{"a newer producer fences", txn2Fencing},
	{"together with the older version", txn2Mixed},
}}

// second returns a producer that uses version 2, if the broker supports it.
func (s *subject) second() *rawProducer {
	s.Helper()
	r := s.raw()
	if level := r.transactionVersion(); level < 2 {
		s.Skipf("the broker is at transaction.version=%d", level)
	}
	a := s.rawProducer()
	a.second = true
	return a
}

// transactionVersion returns the finalized level of the feature transaction.version.
func (r *raw) transactionVersion() int16 {
	r.s.Helper()
	req := kmsg.NewPtrApiVersionsRequest()
	req.ClientSoftwareName, req.ClientSoftwareVersion = "kafkatest", "1"
	res := ask(r.at(3), req)
	i := slices.IndexFunc(res.FinalizedFeatures, func(f kmsg.ApiVersionsResponseFinalizedFeature) bool { return f.Name == "transaction.version" })
	if i < 0 {
		return 0
	}
	return res.FinalizedFeatures[i].MaxVersionLevel
}

func txn2Feature(s *subject) {
	a := s.second()
	for key, version := range map[kmsg.Key]int16{kmsg.Produce: 12, kmsg.EndTxn: 5, kmsg.TxnOffsetCommit: 5} {
		if got := a.newest[int16(key)]; got < version {
			s.Errorf("%s is supported up to version %d, want %d", key.Name(), got, version)
		}
	}
}

func txn2Epochs(s *subject) {
	tp, other := s.ready(), s.ready()
	a := s.second()
	id, epoch := a.id, a.epoch
	for i, commit := range []bool{true, false, true} {
		a.mustWrite(tp, "a", "b")
		a.mustWrite(other, "c")
		a.must(a.end(commit))
		if a.id != id || a.epoch != epoch+int16(i)+1 {
			s.Errorf("after %d transactions: producer %d in epoch %d", i+1, a.id, a.epoch)
		}
	}
	s.holds(tp, "a", "b", "a", "b")
	s.holds(other, "c", "c")
}

// A delayed batch of an earlier transaction is not appended to the next one.
func txn2Late(s *subject) {
	tp := s.ready()
	a := s.second()
	a.mustWrite(tp, "a")
	late := a.copy()
	a.must(a.end(true))
	s.settled(tp)
	s.wants(kerr.InvalidProducerEpoch, late.write(tp, "late"), "write in the epoch of the transaction before")
	a.mustWrite(tp, "b")
	s.wants(kerr.InvalidProducerEpoch, late.write(tp, "late"), "the same while the next is open")
	a.must(a.end(true))
	s.holds(tp, "a", "b")
}

func txn2EndAgain(s *subject) {
	tp := s.ready()
	a := s.second()
	a.mustWrite(tp, "a")
	again, changed := a.copy(), a.copy()
	a.must(a.end(true))
	again.must(again.end(true))
	if again.id != a.id || again.epoch != a.epoch {
		s.Errorf("got epoch %d first, then %d", a.epoch, again.epoch)
	}
	s.wants(kerr.InvalidTxnState, changed.end(false), "abort what is committed")
	a.mustWrite(tp, "b")
	a.must(a.end(true))
	late := again.copy()
	late.epoch--
	s.wants(kerr.ProducerFenced, late.end(true), "commit a transaction long past")
	s.holds(tp, "a", "b")
}

func txn2Empty(s *subject) {
	a := s.second()
	s.wants(kerr.InvalidTxnState, a.end(true), "commit when nothing has begun")
	epoch := a.epoch
	a.must(a.end(false)) // a client that does not know whether a transaction has begun may abort
	if a.epoch != epoch+1 {
		s.Errorf("epoch %d after %d", a.epoch, epoch)
	}
	tp := s.ready()
	a.mustWrite(tp, "a")
	a.must(a.end(true))
	a.must(a.end(false)) // in the new epoch no transaction has begun
	s.holds(tp, "a")
}

func txn2Offsets(s *subject) {
	tp, group := s.ready(), s.unique()
	a := s.second()
	a.coordinated(0, group)
	a.must(a.commitOffset(a.commitRequest(group, tp, 5)))
	_, err := a.committedStable(group, tp)
	s.wants(kerr.UnstableOffsetCommit, err, "fetch a stable offset while another is pending")
	a.must(a.end(true))
	s.stable(group, tp)
	s.hasCommitted(group, tp, 5)
	a.must(a.commitOffset(a.commitRequest(group, tp, 7)))
	a.must(a.end(false))
	s.stable(group, tp)
	s.hasCommitted(group, tp, 5)
}

func txn2Fencing(s *subject) {
	tp := s.ready()
	a := s.second()
	a.mustWrite(tp, "open")
	past := a.copy()
	a.must(a.init())
	s.wants(kerr.InvalidProducerEpoch, past.write(tp, "zombie"), "write of a producer that was replaced")
	s.wants(kerr.ProducerFenced, past.end(true), "commit of a producer that was replaced")
	a.mustWrite(tp, "next")
	a.must(a.end(true))
	s.holds(tp, "next")
}

// A client with version 1 and one with version 2 use the same transactional id in turn.
func txn2Mixed(s *subject) {
	tp := s.ready()
	a := s.second()
	for i, second := range []bool{false, true, false, false, true, true} {
		a.second = second
		a.must(a.init())
		a.mustWrite(tp, "kept")
		a.must(a.end(true))
		a.mustWrite(tp, "lost")
		a.must(a.end(false))
		s.settled(tp)
		s.isAt(tp, kafka.Latest, int64(4*(i+1)))
	}
	s.holds(tp, "kept", "kept", "kept", "kept", "kept", "kept")
}
