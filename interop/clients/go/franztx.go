package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
)

var readCommitted = kgo.FetchIsolationLevel(kgo.ReadCommitted())

func (f *franz) transactional(name string) (*kgo.Client, error) {
	return f.client(kgo.TransactionalID(f.prefix+"-"+name), kgo.TransactionTimeout(30*time.Second))
}

func (f *franz) transactions(ctx context.Context) error {
	topic, err := f.create(ctx, "transactions", nil)
	if err != nil {
		return err
	}
	client, err := f.transactional("tx")
	if err != nil {
		return err
	}
	defer client.Close()
	for _, value := range []string{"committed", "aborted", "last"} {
		if err := transaction(ctx, client, topic, value, value != "aborted"); err != nil {
			return fmt.Errorf("%s: %w", value, err)
		}
	}
	committed, err1 := f.read(ctx, topic, readCommitted)
	all, err2 := f.read(ctx, topic)
	return errors.Join(err1, err2,
		equal("read committed", committed, slices.Repeat([]string{"committed", "last"}, partitions)),
		equal("read uncommitted", all, slices.Repeat([]string{"committed", "aborted", "last"}, partitions)),
		f.transactionState(ctx, "tx", "CompleteCommit"))
}

// transaction writes value into every partition.
func transaction(ctx context.Context, client *kgo.Client, topic, value string, commit bool) error {
	if err := client.BeginTransaction(); err != nil {
		return err
	}
	for p := range int32(partitions) {
		r := &kgo.Record{Topic: topic, Partition: p, Value: []byte(value)}
		if err := client.ProduceSync(ctx, r).FirstErr(); err != nil {
			return err
		}
	}
	return client.EndTransaction(ctx, kgo.TransactionEndTry(commit))
}

// transactionState waits for a state of the transaction: the coordinator may still be writing markers.
func (f *franz) transactionState(ctx context.Context, name, want string) error {
	id := f.prefix + "-" + name
	return eventually("the transaction is not described as "+want, func() bool {
		described, err := f.admin.DescribeTransactions(ctx, id)
		return err == nil && described[id].State == want
	})
}

// exactlyOnce consumes, transforms and produces; the group's offset and the output are one transaction.
func (f *franz) exactlyOnce(ctx context.Context) error {
	source, err1 := f.create(ctx, "source", nil)
	target, err2 := f.create(ctx, "target", nil)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if err := f.send(ctx, source, 0, "a", "b", "c"); err != nil {
		return err
	}
	for _, end := range []kgo.TransactionEndTry{kgo.TryAbort, kgo.TryCommit} {
		if err := f.transform(ctx, source, target, end); err != nil {
			return fmt.Errorf("transaction ended with %t: %w", end, err)
		}
	}
	values, err := f.read(ctx, target, readCommitted)
	return errors.Join(err, equal("target", values, []string{"A", "B", "C"}))
}

// transform is one run of the transforming program.
func (f *franz) transform(ctx context.Context, source, target string, end kgo.TransactionEndTry) error {
	group := f.prefix + "-transform"
	session, err := kgo.NewGroupTransactSession(
		kgo.SeedBrokers(f.address), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.TransactionalID(group),
		kgo.ConsumerGroup(group), kgo.ConsumeTopics(source), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		readCommitted, kgo.FetchMaxWait(200*time.Millisecond),
	)
	if err != nil {
		return err
	}
	defer session.Close()
	if err := session.Begin(); err != nil {
		return err
	}
	for read := 0; read < 3; {
		fetches := session.PollFetches(ctx)
		if err := fetches.Err(); err != nil {
			return err
		}
		for _, r := range fetches.Records() {
			read++
			session.Produce(ctx, &kgo.Record{Topic: target, Value: []byte(strings.ToUpper(string(r.Value)))}, nil)
		}
	}
	committed, err := session.End(ctx, end)
	if err != nil {
		return err
	}
	want := int64(-1)
	if end == kgo.TryCommit {
		want = 3
	}
	return errors.Join(equal("committed", committed, bool(end)), f.committed(ctx, group, source, want))
}

// committed waits for the offset: the offsets of a transaction appear once its markers are written, which is after the
// answer to its end.
func (f *franz) committed(ctx context.Context, group, topic string, want int64) error {
	return eventually(fmt.Sprint("the committed offset is not ", want), func() bool {
		offsets, err := f.admin.FetchOffsets(ctx, group)
		got, found := offsets.Lookup(topic, 0)
		if !found {
			got.At = -1
		}
		return err == nil && got.At == want
	})
}

func (f *franz) fenced(ctx context.Context) error {
	topic, err := f.create(ctx, "fenced", nil)
	if err != nil {
		return err
	}
	zombie, err1 := f.transactional("fenced")
	heir, err2 := f.transactional("fenced")
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	defer zombie.Close()
	defer heir.Close()
	record := &kgo.Record{Topic: topic, Value: []byte("zombie")}
	if err := zombie.BeginTransaction(); err != nil {
		return err
	}
	if err := zombie.ProduceSync(ctx, record).FirstErr(); err != nil {
		return err
	}
	if err := f.openTransaction(ctx, topic); err != nil {
		return err
	}
	if err := transaction(ctx, heir, topic, "heir", true); err != nil {
		return err
	}
	err = zombie.EndTransaction(ctx, kgo.TryCommit)
	if !errors.Is(err, kerr.ProducerFenced) && !errors.Is(err, kerr.InvalidProducerEpoch) {
		return fmt.Errorf("the fenced producer commits: %w", err)
	}
	values, err := f.read(ctx, topic, readCommitted)
	return errors.Join(err, equal("read committed", values, []string{"heir", "heir", "heir"}))
}

// openTransaction checks how an open transaction is listed.
func (f *franz) openTransaction(ctx context.Context, topic string) error {
	listed, err := f.admin.ListTransactions(ctx, nil, []string{"Ongoing"})
	if err != nil {
		return err
	}
	producers, err := f.admin.DescribeProducers(ctx, kadm.TopicsSet{topic: {0: {}}})
	if err != nil {
		return err
	}
	open := 0
	producers.EachProducer(func(p kadm.DescribedProducer) {
		if p.CurrentTxnStartOffset == 0 {
			open++
		}
	})
	_, found := listed[f.prefix+"-fenced"]
	return errors.Join(equal("an open transaction is listed", found, true), equal("producers with an open transaction", open, 1))
}
