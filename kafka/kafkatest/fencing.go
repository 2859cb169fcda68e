package kafkatest

import (
	"time"

	"github.com/rio-streams/rio/kafka"
)

var fencing = theme{"fencing", []testCase{
	{"a newer producer fences the older", newerFencesOlder},
	{"a newer producer aborts what the older left open", newerAbortsOlder},
	{"a past generation commits nothing", pastGeneration},
	{"a member that left commits nothing", leftMember},
	{"a past generation commits nothing outside of transactions", pastGenerationOutside},
	{"a member commits while others are awaited", commitsWhileAwaiting},
}}

func newerFencesOlder(s *subject) {
	tp := s.partition()
	cfg := kafka.ProducerConfig{TransactionalID: s.unique()}
	older := s.producer(cfg)
	s.send(older, tp, "first")
	s.must(older.Commit(s.ctx))

	s.send(older, tp, "open")
	s.must(older.Flush(s.ctx))
	newer := s.producer(cfg)
	s.wants(kafka.ErrFenced, older.Commit(s.ctx), "commit of a producer that was replaced")
	s.send(newer, tp, "second")
	s.must(newer.Commit(s.ctx))

	third := s.producer(cfg)
	s.send(newer, tp, "zombie")
	s.wants(kafka.ErrFenced, newer.Flush(s.ctx), "write of a producer that was replaced")
	s.send(third, tp, "third")
	s.must(third.Commit(s.ctx))
	s.holds(tp, "first", "second", "third")
}

func newerAbortsOlder(s *subject) {
	tp, in, group := s.partition(), s.partition(), s.unique()
	cfg := kafka.ProducerConfig{TransactionalID: s.unique()}
	older := s.producer(cfg)
	s.send(older, tp, "open")
	s.must(older.SendOffsets(s.ctx, kafka.GroupRef{Group: group}, at(in, 5)))
	s.must(older.Flush(s.ctx))
	s.must(older.Close()) // as after a crash
	s.isAt(tp, kafka.LatestStable, 0)

	newer := s.producer(cfg) // must not wait for the transaction timeout
	s.settled(tp)
	s.isAt(tp, kafka.LatestStable, 2)
	if got, ok := s.committed(group, in); ok {
		s.Errorf("the group has committed %+v in an aborted transaction", got)
	}
	s.send(newer, tp, "next")
	s.must(newer.Commit(s.ctx))
	s.holds(tp, "next")
}

func pastGeneration(s *subject) {
	in, out := s.partition(), s.partition()
	group := s.unique()
	ana := s.join(group, in.Topic)
	ana.until(1)
	past := ana.Ref()
	p := s.transactional()
	s.send(p, out, "in time")
	s.must(p.SendOffsets(s.ctx, past, at(in, 1)))
	s.must(p.Commit(s.ctx))
	s.hasCommitted(group, in, 1)

	ana.Rejoin()
	ana.afterGeneration(past.Generation)
	s.send(p, out, "zombie")
	s.wants(kafka.ErrIllegalGeneration, p.SendOffsets(s.ctx, past, at(in, 2)), "offsets of a generation that is over")
	s.must(p.Abort(s.ctx))
	s.send(p, out, "again")
	s.must(p.SendOffsets(s.ctx, ana.Ref(), at(in, 2)))
	s.must(p.Commit(s.ctx))
	s.hasCommitted(group, in, 2)
	s.holds(out, "in time", "again")
}

func leftMember(s *subject) {
	in, out := s.partition(), s.partition()
	group := s.unique()
	ana, bea := s.join(group, in.Topic), s.join(group, in.Topic)
	eventually(s, "both are members", func() bool { return bea.Ref().Generation > 0 && bea.Ref().Generation == ana.Ref().Generation }, ana, bea)
	gone := bea.Ref()
	bea.leave()
	ana.until(1)

	p := s.transactional()
	s.send(p, out, "zombie")
	s.wants(kafka.ErrUnknownMember, p.SendOffsets(s.ctx, gone, at(in, 1)), "offsets of a member that left")
	s.must(p.Abort(s.ctx))
	s.wants(kafka.ErrUnknownMember, s.CommitOffsets(s.ctx, gone, at(in, 1)), "the same without a transaction")
	s.holds(out)
}

func pastGenerationOutside(s *subject) {
	in := s.partition()
	group := s.unique()
	ana := s.join(group, in.Topic)
	ana.until(1)
	past := ana.Ref()
	ana.Rejoin()
	ana.afterGeneration(past.Generation)
	s.wants(kafka.ErrIllegalGeneration, s.CommitOffsets(s.ctx, past, at(in, 1)), "offsets of a generation that is over")
	s.wants(kafka.ErrUnknownMember, s.CommitOffsets(s.ctx, kafka.GroupRef{Group: group}, at(in, 1)), "an administrator's commit while there are members")
	s.must(s.CommitOffsets(s.ctx, ana.Ref(), at(in, 3)))
	s.hasCommitted(group, in, 3)
}

// While the group waits for a dead member, another continues in the current generation.
func commitsWhileAwaiting(s *subject) {
	in, out := s.partition(), s.partition()
	group := s.unique()
	client, err := kafka.Dial(s.ctx, s.cfg)
	s.must(err)
	defer client.Close()
	ana := s.join(group, in.Topic)
	gone := client.Join(kafka.GroupConfig{Group: group, Topics: []string{in.Topic}, Assignors: []kafka.Assignor{kafka.NewStickyAssignor()}, SessionTimeout: 3 * time.Second})
	defer gone.Leave(s.ctx)
	eventually(s, "both are members", func() bool {
		d, err := s.DescribeGroup(s.ctx, group)
		return err == nil && d.State == "Stable" && len(d.Members) == 2
	}, ana)
	client.Close() // without leaving
	ana.Rejoin()
	eventually(s, "the group waits", func() bool {
		d, err := s.DescribeGroup(s.ctx, group)
		return err == nil && d.State == "PreparingRebalance"
	}, ana)

	p := s.transactional()
	s.send(p, out, "on time")
	s.must(p.SendOffsets(s.ctx, ana.Ref(), at(in, 1)))
	s.must(p.Commit(s.ctx))
	s.must(s.CommitOffsets(s.ctx, ana.Ref(), at(in, 2)))
	s.hasCommitted(group, in, 2)
	s.holds(out, "on time")
	ana.until(1)
}
