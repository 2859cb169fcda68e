package kafka

import (
	"context"
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Proves: all-or-nothing-commit
func TestTransactions(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: unique("txn")})
	ctx := testContext(t)

	send(t, p, tp, "committed")
	must(t, p.Commit(ctx))
	send(t, p, tp, "aborted")
	must(t, p.Flush(ctx))
	must(t, p.Abort(ctx))
	must(t, p.Commit(ctx)) // empty
	send(t, p, tp, "committed too")
	must(t, p.Commit(ctx))
	send(t, p, tp, "open")
	must(t, p.Flush(ctx))

	values, next := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0)
	if !slices.Equal(values, []string{"committed", "committed too"}) || next != 6 {
		t.Errorf("read %q up to %d, want the committed values up to 6", values, next)
	}
	values, next = readToEnd(t, newFetcher(t, c, FetcherConfig{ReadUncommitted: true}), tp, 0)
	if !slices.Equal(values, []string{"committed", "aborted", "committed too", "open"}) || next != 7 {
		t.Errorf("uncommitted: read %q up to %d, want all up to 7", values, next)
	}
}

func TestAbortDropsWhatWasNotSent(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: unique("txn")})
	send(t, p, tp, "dropped")
	must(t, p.Abort(testContext(t)))
	send(t, p, tp, "sent")
	must(t, p.Commit(testContext(t)))
	if values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{ReadUncommitted: true}), tp, 0); !slices.Equal(values, []string{"sent"}) {
		t.Errorf("read %q", values)
	}
}

func TestEmptyTransactionCostsNoRequest(t *testing.T) {
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	requests := cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.EndTxn, kmsg.AddPartitionsToTxn}, Observe: true, Count: -1})
	must(t, p.Commit(testContext(t)))
	must(t, p.Abort(testContext(t)))
	must(t, p.SendOffsets(testContext(t), GroupRef{Group: "g"}, nil))
	must(t, p.Commit(testContext(t)))
	if n := requests.Hits(); n != 0 {
		t.Errorf("%d requests", n)
	}
}

// Proves: zombie-changes-nothing
func TestSecondProducerFencesTheFirst(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	id := unique("txn")
	zombie := newProducer(t, c, ProducerConfig{TransactionalID: id})
	send(t, zombie, tp, "zombie")
	must(t, zombie.Flush(testContext(t)))

	p := newProducer(t, c, ProducerConfig{TransactionalID: id})
	send(t, p, tp, "new")
	must(t, p.Commit(testContext(t)))
	if err := zombie.Commit(testContext(t)); !errors.Is(err, ErrFenced) {
		t.Errorf("the zombie's Commit: %v, want ErrFenced", err)
	}
	if err := zombie.Abort(testContext(t)); !errors.Is(err, ErrFenced) {
		t.Errorf("the zombie's Abort: %v, want ErrFenced", err)
	}
	values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0)
	if !slices.Equal(values, []string{"new"}) {
		t.Errorf("read %q, want only what the new producer wrote", values)
	}
}

// Proves: all-or-nothing-commit
func TestOffsetsInTransactions(t *testing.T) {
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	group := GroupRef{Group: unique("group"), Generation: -1}
	p := newProducer(t, c, ProducerConfig{TransactionalID: unique("txn")})
	ctx := testContext(t)

	must(t, p.SendOffsets(ctx, group, map[TopicPartition]CommittedOffset{tp: {Offset: 3}}))
	must(t, p.Commit(ctx))
	must(t, p.SendOffsets(ctx, group, map[TopicPartition]CommittedOffset{tp: {Offset: 7, Metadata: "note"}}))
	brief, cancel := context.WithTimeout(ctx, 30*time.Millisecond)
	defer cancel()
	if got, err := c.CommittedOffsets(brief, group.Group, []TopicPartition{tp}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("while the transaction is open: %v, %v; want that the call waits", got, err)
	}
	must(t, p.Commit(ctx))
	for _, tps := range [][]TopicPartition{nil, {tp}, {tp, {"another", 1}}} {
		got, err := c.CommittedOffsets(ctx, group.Group, tps)
		if err != nil || len(got) != 1 || got[tp] != (CommittedOffset{7, "note"}) {
			t.Errorf("after Commit, offset of %v: %v, %v", tps, got, err)
		}
	}

	must(t, p.SendOffsets(ctx, group, map[TopicPartition]CommittedOffset{tp: {Offset: 9}}))
	must(t, p.Abort(ctx))
	if got, err := c.CommittedOffsets(ctx, group.Group, nil); err != nil || got[tp].Offset != 7 {
		t.Errorf("after Abort: %v, %v; want 7 as before", got, err)
	}
}

func TestOffsetsOfAFormerGeneration(t *testing.T) {
	for _, test := range []struct {
		err  *kerr.Error
		want error
	}{
		{kerr.IllegalGeneration, ErrIllegalGeneration},
		{kerr.UnknownMemberID, ErrUnknownMember},
		{kerr.FencedInstanceID, ErrFencedInstance},
	} {
		cluster := fakeCluster(t)
		c := dial(t, cluster.ListenAddrs())
		tp := TopicPartition{makeTopic(t, c, 1), 0}
		p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: test.err})
		ref := GroupRef{Group: "g", MemberID: "m", Generation: 3}
		send(t, p, tp, "a")
		if err := p.SendOffsets(testContext(t), ref, map[TopicPartition]CommittedOffset{tp: {Offset: 1}}); !errors.Is(err, test.want) {
			t.Errorf("SendOffsets: %v, want %v", err, test.want)
		}
		// The records must not be committed without the offsets.
		if err := p.Commit(testContext(t)); !errors.Is(err, test.want) {
			t.Errorf("Commit: %v, want %v", err, test.want)
		}
		must(t, p.Abort(testContext(t)))
	}
}

// TestOffsetsInTheNextGeneration: offsets that were rejected because of a rebalance can be committed with the next
// reference, in the same transaction.
func TestOffsetsInTheNextGeneration(t *testing.T) {
	for _, refusal := range []*kerr.Error{kerr.IllegalGeneration, kerr.RebalanceInProgress} {
		cluster := fakeCluster(t)
		c := dial(t, cluster.ListenAddrs())
		tp := TopicPartition{makeTopic(t, c, 1), 0}
		p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
		send(t, p, tp, "a")
		cluster.Fault(kfake.Fault{Keys: []kmsg.Key{kmsg.TxnOffsetCommit}, Err: refusal, Count: 2})
		offsets := map[TopicPartition]CommittedOffset{tp: {Offset: 1}}
		ref := GroupRef{Group: "g"}
		for range 2 {
			if err := p.SendOffsets(testContext(t), ref, offsets); !errors.Is(err, refusal) && !betweenGenerations(err) {
				t.Fatalf("SendOffsets: %v, want %v", err, refusal)
			}
		}
		must(t, p.SendOffsets(testContext(t), ref, offsets))
		must(t, p.Commit(testContext(t)))
		got, err := c.CommittedOffsets(testContext(t), ref.Group, nil)
		if err != nil || got[tp].Offset != 1 {
			t.Errorf("committed %v, %v", got, err)
		}
	}
}

func TestLostAnswersOfTheCoordinator(t *testing.T) {
	t.Parallel()
	for _, key := range []kmsg.Key{kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.TxnOffsetCommit, kmsg.EndTxn, kmsg.FindCoordinator, kmsg.InitProducerID} {
		t.Run(key.Name(), func(t *testing.T) {
			cluster, w := wiredCluster(t)
			c := dial(t, cluster.ListenAddrs())
			tp := TopicPartition{makeTopic(t, c, 1), 0}
			w.loseAnswers(key, 2)
			p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
			for _, v := range []string{"a", "b"} {
				send(t, p, tp, v)
				must(t, p.SendOffsets(testContext(t), GroupRef{Group: "g"}, map[TopicPartition]CommittedOffset{tp: {Offset: 5}}))
				must(t, p.Commit(testContext(t)))
			}
			if w.lost != 2 {
				t.Fatalf("%d responses were lost, want 2", w.lost)
			}
			if values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0); !slices.Equal(values, []string{"a", "b"}) {
				t.Errorf("read %q", values)
			}
		})
	}
}

// Proves: unknown-outcome-is-said
func TestCommitWhoseAnswerNeverComes(t *testing.T) {
	t.Parallel()
	cluster, w := wiredCluster(t)
	c, err := Dial(testContext(t), Config{Brokers: cluster.ListenAddrs(), RetryTimeout: 50 * time.Millisecond})
	must(t, err)
	defer c.Close()
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	send(t, p, tp, "a")
	w.loseAnswers(kmsg.EndTxn, math.MaxInt)
	if err := p.Commit(testContext(t)); !errors.Is(err, ErrOutcomeUnknown) {
		t.Fatalf("Commit: %v, want ErrOutcomeUnknown", err)
	}
	if err := p.Abort(testContext(t)); !errors.Is(err, ErrOutcomeUnknown) {
		t.Fatalf("Abort: %v, want ErrOutcomeUnknown", err)
	}
	// In fact, it was committed.
	if values, _ := readToEnd(t, newFetcher(t, c, FetcherConfig{}), tp, 0); !slices.Equal(values, []string{"a"}) {
		t.Errorf("read %q", values)
	}
}

// Proves: unknown-outcome-is-said, call-ends-with-its-context
func TestCommitInterruptedByItsContext(t *testing.T) {
	cluster, w := wiredCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
	send(t, p, tp, "a")
	must(t, p.Flush(testContext(t)))
	w.keepSilent(kmsg.EndTxn, true)
	ctx, cancel := context.WithTimeout(context.Background(), 50*time.Millisecond)
	defer cancel()
	if err := p.Commit(ctx); !errors.Is(err, ErrOutcomeUnknown) || !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("Commit: %v, want ErrOutcomeUnknown because of the context", err)
	}
}

func TestConcurrentTransactionsAndLoadingCoordinators(t *testing.T) {
	t.Parallel()
	cluster := fakeCluster(t)
	c := dial(t, cluster.ListenAddrs())
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	for _, e := range []*kerr.Error{kerr.ConcurrentTransactions, kerr.CoordinatorLoadInProgress, kerr.CoordinatorNotAvailable, kerr.NotCoordinator} {
		for _, key := range []kmsg.Key{kmsg.InitProducerID, kmsg.AddPartitionsToTxn, kmsg.AddOffsetsToTxn, kmsg.EndTxn} {
			cluster.Fault(kfake.Fault{Keys: []kmsg.Key{key}, Err: e, Count: 2})
		}
		p := newProducer(t, c, ProducerConfig{TransactionalID: "t"})
		send(t, p, tp, "a")
		must(t, p.SendOffsets(testContext(t), GroupRef{Group: "g"}, map[TopicPartition]CommittedOffset{tp: {Offset: 5}}))
		must(t, p.Commit(testContext(t)))
	}
}

func TestTransactionTimeout(t *testing.T) {
	t.Parallel()
	c := dial(t, testBrokers(t))
	tp := TopicPartition{makeTopic(t, c, 1), 0}
	p := newProducer(t, c, ProducerConfig{TransactionalID: unique("slow"), TransactionTimeout: time.Second})
	send(t, p, tp, "a")
	must(t, p.Flush(testContext(t)))
	// The broker aborts the transaction; then its marker can be read.
	f := newFetcher(t, c, FetcherConfig{})
	f.Add(tp, 0)
	for next := int64(0); next < 2; {
		got, err := f.Poll(testContext(t))
		must(t, err)
		must(t, got[0].Err)
		next = got[0].Next
	}
	send(t, p, tp, "b")
	if err := p.Commit(testContext(t)); !final(err) || errors.Is(err, ErrOutcomeUnknown) {
		t.Errorf("Commit: %v, want ErrFenced or ErrProducerState", err)
	}
}

func TestTransactionCallsWithoutTransactionalID(t *testing.T) {
	c := dial(t, testBrokers(t))
	p := newProducer(t, c, ProducerConfig{})
	if p.Commit(testContext(t)) == nil || p.Abort(testContext(t)) == nil || p.SendOffsets(testContext(t), GroupRef{}, nil) == nil {
		t.Error("Commit or Abort succeeded without a TransactionalID")
	}
}
