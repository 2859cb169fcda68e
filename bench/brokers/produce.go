package main

import (
	"context"
	"sync"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// produce writes n records with values of size bytes as fast as they are acknowledged: one idempotent producer, keys hashed
// to the partitions.
func (b target) produce(ctx context.Context, topic string, n, size int) (effort, error) {
	client, err := b.dial(kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return effort{}, err
	}
	defer client.Close()
	keys, values := keys(), values(size)
	return b.measure(func() error {
		var refused firstError
		for i := range n {
			r := &kgo.Record{Key: keys[i%vehicles], Value: values[i%vehicles]}
			client.Produce(ctx, r, func(_ *kgo.Record, err error) { refused.add(err) })
		}
		if err := client.Flush(ctx); err != nil {
			return err
		}
		return refused.get()
	})
}

// produceEach writes n records into each partition of some topics.
func (b target) produceEach(ctx context.Context, topics []string, partitions, n int) error {
	client, err := b.dial(kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.ProducerLinger(5*time.Millisecond))
	if err != nil {
		return err
	}
	defer client.Close()
	value := values(smallValue)[0]
	var refused firstError
	for i := range n * partitions {
		for _, topic := range topics {
			r := &kgo.Record{Topic: topic, Partition: int32(i % partitions), Value: value}
			client.Produce(ctx, r, func(_ *kgo.Record, err error) { refused.add(err) })
		}
	}
	if err := client.Flush(ctx); err != nil {
		return err
	}
	return refused.get()
}

// firstError keeps the first error of many callbacks.
type firstError struct {
	mu  sync.Mutex
	err error
}

func (f *firstError) add(err error) {
	if err == nil {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.err == nil {
		f.err = err
	}
}

func (f *firstError) get() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.err
}
