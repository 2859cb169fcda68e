package main

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// latencies are how long single records took: from the call of the client to the broker's answer, and to the consumer.
type latencies struct {
	acknowledged, delivered []time.Duration
}

// single sends one record at a time, rate in a second, for a while, and reads them at the same time. The next record does
// not wait for the answer to the last. The records pass through the partitions in turn, so each is a batch of its own.
func (b target) single(ctx context.Context, topic string, rate int, duration time.Duration) (latencies, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	client, err := b.dial(kgo.DefaultProduceTopic(topic), kgo.ProducerLinger(0), kgo.RecordPartitioner(kgo.ManualPartitioner()),
		kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
	if err != nil {
		return latencies{}, err
	}
	defer client.Close()
	s := &stopwatch{client: client, zero: time.Now(), value: values(smallValue)[0]}
	// The first record of each partition waits for metadata and for the consumer to find its place.
	if _, err := s.run(ctx, partitions, rate); err != nil {
		return latencies{}, err
	}
	return s.run(ctx, int(duration.Seconds()*float64(rate)), rate)
}

// stopwatch sends records whose keys say when they were sent.
type stopwatch struct {
	client *kgo.Client
	zero   time.Time // what the keys count from, in nanoseconds
	value  []byte
}

// run sends n records and returns when all were acknowledged and delivered.
func (s *stopwatch) run(ctx context.Context, n, rate int) (latencies, error) {
	var l latencies
	delivered := make(chan error, 1)
	go func() {
		var err error
		l.delivered, err = s.receive(ctx, n)
		delivered <- err
	}()
	var err error
	if l.acknowledged, err = s.send(ctx, n, rate); err != nil {
		return l, err
	}
	return l, <-delivered
}

func (s *stopwatch) send(ctx context.Context, n, rate int) ([]time.Duration, error) {
	took := make([]time.Duration, n) // an element is written when its record is acknowledged
	ticker := time.NewTicker(time.Second / time.Duration(rate))
	defer ticker.Stop()
	var refused firstError
	for i := range n {
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-ticker.C:
		}
		sent := time.Since(s.zero)
		r := &kgo.Record{Partition: int32(i % partitions), Key: binary.BigEndian.AppendUint64(nil, uint64(sent)), Value: s.value}
		s.client.Produce(ctx, r, func(_ *kgo.Record, err error) {
			took[i] = time.Since(s.zero) - sent
			refused.add(err)
		})
	}
	if err := s.client.Flush(ctx); err != nil {
		return nil, err
	}
	return took, refused.get()
}

func (s *stopwatch) receive(ctx context.Context, n int) ([]time.Duration, error) {
	var took []time.Duration
	for len(took) < n {
		fetched, err := poll(ctx, s.client)
		if err != nil {
			return nil, err
		}
		now := time.Since(s.zero)
		fetched.EachRecord(func(r *kgo.Record) {
			took = append(took, now-time.Duration(binary.BigEndian.Uint64(r.Key)))
		})
	}
	return took, nil
}
