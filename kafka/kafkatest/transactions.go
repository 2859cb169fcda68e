package kafkatest

import (
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/kafka"
)

var transactions = theme{"transactions", []testCase{
	{"commit is visible", commitIsVisible},
	{"abort is invisible", abortIsInvisible},
	{"open is invisible", openIsInvisible},
	{"all partitions or none", allPartitionsOrNone},
	{"marks are passed", marksArePassed},
	{"aborted among committed", abortedAmongCommitted},
	{"aborted behind the beginning of an open one", abortedBehindOpen},
	{"without anything", withoutAnything},
	{"offsets are part of it", offsetsArePartOfIt},
	{"only offsets", onlyOffsets},
	{"abandoned is aborted after its time", abandonedIsAborted},
	{"many in a row", manyTransactions},
}}

func commitIsVisible(s *subject) {
	tp := s.partition()
	p := s.transactional()
	s.send(p, tp, "a", "b")
	s.must(p.Commit(s.ctx))
	s.holds(tp, "a", "b")
	s.send(p, tp, "c")
	s.must(p.Commit(s.ctx))
	s.holds(tp, "a", "b", "c")
}

func abortIsInvisible(s *subject) {
	tp := s.partition()
	p := s.transactional()
	s.send(p, tp, "lost", "too")
	s.must(p.Flush(s.ctx))
	s.must(p.Abort(s.ctx))
	s.holds(tp)
	s.holdsUncommitted(tp, "lost", "too")
	s.send(p, tp, "kept")
	s.must(p.Commit(s.ctx))
	s.holds(tp, "kept")
}

func openIsInvisible(s *subject) {
	tp := s.partition()
	s.produce(tp, "before")
	p := s.transactional()
	s.send(p, tp, "open")
	s.must(p.Flush(s.ctx))
	s.produce(tp, "after") // not visible before the open transaction ends
	s.holdsSoFar(tp, "before")
	s.holdsUncommitted(tp, "before", "open", "after")
	s.isAt(tp, kafka.LatestStable, 1)
	s.isAt(tp, kafka.Latest, 3)

	s.must(p.Commit(s.ctx))
	s.holds(tp, "before", "open", "after")
	s.isAt(tp, kafka.LatestStable, 4)
}

func allPartitionsOrNone(s *subject) {
	const n = 8
	topic := s.topic(n)
	p := s.transactional()
	for _, end := range []func() error{
		func() error { return p.Commit(s.ctx) },
		func() error { return p.Abort(s.ctx) },
	} {
		for i := range int32(n) {
			s.send(p, kafka.TopicPartition{Topic: topic, Partition: i}, fmt.Sprint(i))
		}
		s.must(p.Flush(s.ctx))
		s.must(end())
		for i := range int32(n) {
			s.holds(kafka.TopicPartition{Topic: topic, Partition: i}, fmt.Sprint(i))
		}
	}
}

func marksArePassed(s *subject) {
	tp := s.partition()
	p := s.transactional()
	s.send(p, tp, "a")
	s.must(p.Commit(s.ctx))
	s.settled(tp)
	records, next := s.read(tp, 0, kafka.FetcherConfig{})
	if len(records) != 1 || next != 2 {
		s.Errorf("read %d records up to %d, want a position after the marker at 1", len(records), next)
	}
	s.send(p, tp, "lost")
	s.must(p.Flush(s.ctx))
	s.must(p.Abort(s.ctx))
	s.settled(tp)
	records, next = s.read(tp, 2, kafka.FetcherConfig{})
	if len(records) != 0 || next != 4 {
		s.Errorf("read %d records up to %d, want a position after the aborted record at 2 and the marker at 3", len(records), next)
	}
	s.isAt(tp, kafka.Latest, 4)
}

func abortedAmongCommitted(s *subject) {
	tp := s.partition()
	good, bad := s.transactional(), s.transactional()
	var want []string
	for i := range 10 {
		s.send(bad, tp, fmt.Sprint("bad ", i))
		s.must(bad.Flush(s.ctx))
		s.send(good, tp, fmt.Sprint("good ", i))
		s.must(good.Commit(s.ctx))
		s.must(bad.Abort(s.ctx))
		want = append(want, fmt.Sprint("good ", i))
	}
	s.holds(tp, want...)
	// Also from the middle of an aborted transaction.
	records, _ := s.read(tp, 4, kafka.FetcherConfig{})
	s.sameValues(records, want[1:])
}

// The markers of two transactions are after the last stable offset; their records are before it.
func abortedBehindOpen(s *subject) {
	tp := s.partition()
	first, second, open := s.transactional(), s.transactional(), s.transactional()
	for _, p := range []*kafka.Producer{first, second, open} {
		s.send(p, tp, "undecided")
		s.must(p.Flush(s.ctx))
	}
	s.must(first.Abort(s.ctx))
	s.must(second.Abort(s.ctx))
	eventually(s, "two transactions are decided", func() bool { return s.offset(tp, kafka.LatestStable) == 2 })
	s.holdsSoFar(tp)
	s.must(open.Commit(s.ctx))
	s.holds(tp, "undecided")
}

func withoutAnything(s *subject) {
	tp := s.partition()
	p := s.transactional()
	s.must(p.Commit(s.ctx))
	s.must(p.Abort(s.ctx))
	s.send(p, tp, "a")
	s.must(p.Commit(s.ctx))
	s.must(p.Commit(s.ctx))
	s.holds(tp, "a")
}

func offsetsArePartOfIt(s *subject) {
	in, out, group := s.partition(), s.partition(), s.unique()
	s.produce(in, "a", "b", "c")
	ref := kafka.GroupRef{Group: group}
	p := s.transactional()

	s.send(p, out, "A")
	s.must(p.SendOffsets(s.ctx, ref, map[kafka.TopicPartition]kafka.CommittedOffset{in: {Offset: 1, Metadata: "note"}}))
	s.must(p.Commit(s.ctx))
	if got, ok := s.committed(group, in); !ok || got != (kafka.CommittedOffset{Offset: 1, Metadata: "note"}) {
		s.Errorf("committed %+v (%t), want 1 with a note", got, ok)
	}

	s.send(p, out, "B")
	s.must(p.SendOffsets(s.ctx, ref, at(in, 2)))
	s.must(p.Abort(s.ctx))
	s.hasCommitted(group, in, 1)
	s.holds(out, "A")
}

func onlyOffsets(s *subject) {
	in, group := s.partition(), s.unique()
	p := s.transactional()
	for offset := range int64(3) {
		s.must(p.SendOffsets(s.ctx, kafka.GroupRef{Group: group}, at(in, offset)))
		s.must(p.Commit(s.ctx))
		s.hasCommitted(group, in, offset)
	}
}

func abandonedIsAborted(s *subject) {
	tp := s.partition()
	p := s.producer(kafka.ProducerConfig{TransactionalID: s.unique(), TransactionTimeout: 500 * time.Millisecond})
	s.send(p, tp, "abandoned")
	s.must(p.Flush(s.ctx))
	s.produce(tp, "after")
	f := s.fetcher(kafka.FetcherConfig{})
	f.Add(tp, 0)
	var records []kafka.Record
	for len(records) == 0 { // Poll waits until the broker aborts the transaction
		records = s.poll(f).Records
	}
	s.sameValues(records, []string{"after"})
	s.send(p, tp, "too late")
	if err := p.Commit(s.ctx); !errors.Is(err, kafka.ErrFenced) && !errors.Is(err, kafka.ErrProducerState) {
		s.Errorf("commit of a transaction that the broker has aborted: %v; want an error that requires a new producer", err)
	}
	s.holds(tp, "after")
}

func manyTransactions(s *subject) {
	tp := s.partition()
	p := s.transactional()
	var want []string
	for i := range 100 {
		s.send(p, tp, fmt.Sprint(i))
		if i%3 == 1 {
			s.must(p.Abort(s.ctx))
			continue
		}
		s.must(p.Commit(s.ctx))
		want = append(want, fmt.Sprint(i))
	}
	s.holds(tp, want...)
}
