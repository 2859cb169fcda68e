package main

import (
	"context"
	"encoding/binary"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// latencies are the times of single records: from the client's call to the acknowledgement, and to the consumer.
type latencies struct {
	acknowledged, delivered []time.Duration
}

// single sends single records, rate per second, for a while, and consumes them at the same time. A record does not wait
// for the acknowledgement of the previous one. The records go to the partitions in turn, so each is a batch of its own.
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
	// The first record of each partition waits for metadata and for the consumer's offset lookup.
	if _, err := s.run(ctx, partitions, rate); err != nil {
		return latencies{}, err
	}
	return s.run(ctx, int(duration.Seconds()*float64(rate)), rate)
}

// stopwatch sends records whose keys contain their send times.
type stopwatch struct {
	client *kgo.Client
	zero   time.Time // the zero of the times in the keys, which are in nanoseconds
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
	took := make([]time.Duration, n) // an element is set when its record is acknowledged
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
