package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"text/tabwriter"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

// report prints the current totals from the topics.
func report(ctx context.Context, client *kafka.Client, out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	itself := func(key string) string { return key }
	hour := func(key codec.WindowKey[string]) string {
		return fmt.Sprintf("%s %s", key.Start.Format("2006-01-02 15:04 UTC"), key.Key)
	}
	if err := printTotals(ctx, client, w, BySeller, itself); err != nil {
		return err
	}
	if err := printTotals(ctx, client, w, ByPayment, itself); err != nil {
		return err
	}
	if err := printTotals(ctx, client, w, ByHour, hour); err != nil {
		return err
	}
	return w.Flush()
}

// printTotals prints the last total of each key of a topic, sorted.
func printTotals[K comparable](ctx context.Context, client *kafka.Client, w io.Writer, topic topology.Topic[K, Total], name func(K) string) error {
	totals, err := latest(ctx, client, topic)
	if err != nil {
		return err
	}
	fmt.Fprintf(w, "\n%s\n", topic.Name())
	for _, key := range slices.SortedFunc(maps.Keys(totals), func(a, b K) int { return cmp.Compare(name(a), name(b)) }) {
		fmt.Fprintf(w, "  %s\t%d\t%9s\n", name(key), totals[key].Sales, totals[key].Amount)
	}
	return nil
}

// latest reads a topic from its beginning to its end and returns the last value of each key.
func latest[K comparable](ctx context.Context, client *kafka.Client, topic topology.Topic[K, Total]) (map[K]Total, error) {
	described, err := client.DescribeTopics(ctx, topic.Name())
	if err != nil {
		return nil, err
	}
	fetcher := client.NewFetcher(kafka.FetcherConfig{})
	defer fetcher.Close()
	unread := map[int32]bool{}
	for _, t := range described {
		for _, p := range t.Partitions {
			fetcher.Add(kafka.TopicPartition{Topic: t.Name, Partition: p.Partition}, 0)
			unread[p.Partition] = true
		}
	}
	values := map[K]Total{}
	for len(unread) > 0 {
		parts, err := fetcher.Poll(ctx)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			if part.Err != nil {
				return nil, fmt.Errorf("fetch %s/%d: %w", part.Topic, part.Partition, part.Err)
			}
			for _, record := range part.Records {
				key, err := topic.KeyCodec().Decode(record.Key)
				if err != nil {
					return nil, err
				}
				if values[key], err = topic.ValueCodec().Decode(record.Value); err != nil {
					return nil, err
				}
			}
			if part.Next >= part.LastStable {
				delete(unread, part.Partition)
			}
		}
	}
	return values, nil
}
