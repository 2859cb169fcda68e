package main

import (
	"context"

	"github.com/rio-streams/rio/kafka"
)

// fill creates a topic and writes n positions to it. It returns the mean size of a value.
func fill(ctx context.Context, c *kafka.Client, topic string, partitions int32, f fleet, n int) (valueSize int, err error) {
	if err := c.CreateTopics(ctx, kafka.TopicSpec{Name: topic, Partitions: partitions}); err != nil {
		return 0, err
	}
	p, err := c.NewProducer(ctx, kafka.ProducerConfig{})
	if err != nil {
		return 0, err
	}
	defer p.Close()
	size := 0
	for i := range n {
		key := f.key(i)
		value, err := f.value(i)
		if err != nil {
			return 0, err
		}
		size += len(value)
		r := kafka.Record{Timestamp: f.time(i), Key: key, Value: value}
		if err := p.Send(topic, kafka.Partition(key, partitions), r); err != nil {
			return 0, err
		}
	}
	return size / max(n, 1), p.Flush(ctx)
}

// partitionsOf returns the partitions of a topic.
func partitionsOf(ctx context.Context, c *kafka.Client, topic string) ([]kafka.TopicPartition, error) {
	n, err := c.Partitions(ctx, topic)
	if err != nil {
		return nil, err
	}
	tps := make([]kafka.TopicPartition, n)
	for p := range n {
		tps[p] = kafka.TopicPartition{Topic: topic, Partition: p}
	}
	return tps, nil
}

// latest reads a topic to its end and returns the last value of each key.
func latest(ctx context.Context, c *kafka.Client, topic string) (map[string][]byte, error) {
	tps, err := partitionsOf(ctx, c, topic)
	if err != nil {
		return nil, err
	}
	ends, err := c.Offsets(ctx, tps, kafka.LatestStable)
	if err != nil {
		return nil, err
	}
	f := c.NewFetcher(kafka.FetcherConfig{})
	defer f.Close()
	for tp, end := range ends {
		if end == 0 {
			delete(ends, tp)
			continue
		}
		f.Add(tp, 0)
	}
	rows := map[string][]byte{}
	for len(ends) > 0 {
		fetched, err := f.Poll(ctx)
		if err != nil {
			return nil, err
		}
		for _, got := range fetched {
			if got.Err != nil {
				return nil, got.Err
			}
			for _, r := range got.Records {
				rows[string(r.Key)] = r.Value
			}
			tp := kafka.TopicPartition{Topic: got.Topic, Partition: got.Partition}
			if end, ok := ends[tp]; ok && got.Next >= end {
				delete(ends, tp)
			}
		}
	}
	return rows, nil
}
