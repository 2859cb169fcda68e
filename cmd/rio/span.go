package main

import (
	"context"

	"github.com/rio-streams/rio/kafka"
)

// span returns the offsets at which each partition of a topic begins, from a position on, and at which its committed records end.
func span(ctx context.Context, client *kafka.Client, name string, from kafka.At) (starts, ends map[kafka.TopicPartition]int64, err error) {
	topic, err := findTopic(ctx, client, name)
	if err != nil {
		return nil, nil, err
	}
	tps := partitionsOf(topic)
	if starts, err = client.Offsets(ctx, tps, from); err != nil {
		return nil, nil, err
	}
	ends, err = client.Offsets(ctx, tps, kafka.LatestStable)
	return starts, ends, err
}

// readSpan reads the records of each partition between two offsets.
func readSpan(ctx context.Context, client *kafka.Client, starts, ends map[kafka.TopicPartition]int64, visit func(kafka.TopicPartition, kafka.Record) error) error {
	fetcher := client.NewFetcher(kafka.FetcherConfig{})
	defer fetcher.Close()
	left := map[kafka.TopicPartition]bool{}
	for tp, start := range starts {
		if start < ends[tp] {
			left[tp] = true
			fetcher.Add(tp, start)
		}
	}
	for len(left) > 0 {
		fetched, err := fetcher.Poll(ctx)
		if err != nil {
			return err
		}
		for _, f := range fetched {
			tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
			if f.Err != nil {
				return f.Err
			}
			for _, r := range f.Records {
				if r.Offset >= ends[tp] {
					break
				}
				if err := visit(tp, r); err != nil {
					return err
				}
			}
			if f.Next >= ends[tp] && left[tp] {
				delete(left, tp)
				fetcher.Remove(tp)
			}
		}
	}
	return nil
}
