package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

const (
	transactionRecords    = 10
	transactionPartitions = 3
)

// transactions are how long some took, each as a whole and its commit: what comes after the records were acknowledged. The
// whole may be much longer, for Kafka answers a commit before its markers are written; whoever begins the next transaction
// earlier waits until it looks again, add.partitions.to.txn.retry.backoff.ms (20) later.
type transactions struct {
	whole, commits []time.Duration
	took           effort // all together
}

// transact commits one small transaction after the other for a while.
func (b target) transact(ctx context.Context, topic string, duration time.Duration) (transactions, error) {
	client, err := b.dial(kgo.DefaultProduceTopic(topic), kgo.TransactionalID("brokers-"+topic), kgo.ProducerLinger(0),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return transactions{}, err
	}
	defer client.Close()
	value := values(smallValue)[0]
	if _, err := transaction(ctx, client, value); err != nil { // finds its coordinator and gets its producer id
		return transactions{}, err
	}
	var done transactions
	done.took, err = b.measure(func() error {
		for started := time.Now(); time.Since(started) < duration; {
			began := time.Now()
			commit, err := transaction(ctx, client, value)
			if err != nil {
				return err
			}
			done.whole = append(done.whole, time.Since(began))
			done.commits = append(done.commits, commit)
		}
		return nil
	})
	return done, err
}

func transaction(ctx context.Context, client *kgo.Client, value []byte) (commit time.Duration, err error) {
	if err := client.BeginTransaction(); err != nil {
		return 0, err
	}
	var refused firstError
	for i := range transactionRecords {
		r := &kgo.Record{Partition: int32(i % transactionPartitions), Value: value}
		client.Produce(ctx, r, func(_ *kgo.Record, err error) { refused.add(err) })
	}
	if err := client.Flush(ctx); err != nil {
		return 0, err
	}
	if err := refused.get(); err != nil {
		return 0, err
	}
	flushed := time.Now()
	err = client.EndTransaction(ctx, kgo.TryCommit)
	return time.Since(flushed), err
}
