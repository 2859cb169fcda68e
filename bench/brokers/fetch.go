package main

import (
	"context"
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// fetchLimit is how long a consumer waits for the next record before the trial fails.
const fetchLimit = 30 * time.Second

// fetch reads a topic from its beginning with one consumer, without a group. It fails unless the topic has exactly n
// records.
func (b target) fetch(ctx context.Context, topic string, n int) (effort, error) {
	return b.measure(func() error {
		client, err := b.dial(kgo.ConsumeTopics(topic), kgo.ConsumeStartOffset(kgo.NewOffset().AtStart()))
		if err != nil {
			return err
		}
		defer client.Close()
		read, ends := 0, map[int32]int64{}
		for read < n {
			fetched, err := poll(ctx, client)
			if err != nil {
				return fmt.Errorf("%s, after %d of %d records: %w", topic, read, n, err)
			}
			read += fetched.NumRecords()
			fetched.EachPartition(func(p kgo.FetchTopicPartition) { ends[p.Partition] = p.HighWatermark })
		}
		there := int64(0)
		for _, end := range ends {
			there += end
		}
		if there != int64(n) {
			return fmt.Errorf("%s: %d records by the high watermarks, but %d were acknowledged", topic, there, n)
		}
		return nil
	})
}

// poll waits for records, up to fetchLimit.
func poll(ctx context.Context, client *kgo.Client) (kgo.Fetches, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	fetched := client.PollFetches(ctx)
	for _, e := range fetched.Errors() {
		return nil, e.Err
	}
	return fetched, nil
}
