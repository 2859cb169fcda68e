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

// transactions contains the durations of transactions and of their commits, from the acknowledgement of the records on.
// The next transaction may have to wait longer: Kafka acknowledges a commit before it writes the markers. A client that
// begins the next transaction before that retries after add.partitions.to.txn.retry.backoff.ms (20).
type transactions struct {
	whole, commits []time.Duration
	took           effort // sum of all
}

// transact runs small transactions one after the other for a while.
func (b target) transact(ctx context.Context, topic string, duration time.Duration) (transactions, error) {
	client, err := b.dial(kgo.DefaultProduceTopic(topic), kgo.TransactionalID("brokers-"+topic), kgo.ProducerLinger(0),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))
	if err != nil {
		return transactions{}, err
	}
	defer client.Close()
	value := values(smallValue)[0]
	if _, err := transaction(ctx, client, value); err != nil { // so that the client finds its coordinator and gets its producer id
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
