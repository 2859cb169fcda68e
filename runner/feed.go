package runner

import (
	"context"
	"sync"

	"github.com/rio-streams/rio/kafka"
)

// feed polls a fetcher in its own goroutine and sends the records to a channel, so that a worker can select on them.
type feed struct {
	fetcher *kafka.Fetcher
	fetched chan []kafka.Fetched
	cancel  context.CancelFunc
	polling sync.WaitGroup
}

func newFeed(c *kafka.Client, m memory) *feed {
	ctx, cancel := context.WithCancel(context.Background())
	maxBytes, partitionMaxBytes := m.answers(1)
	cfg := kafka.FetcherConfig{MaxBytes: maxBytes, PartitionMaxBytes: partitionMaxBytes}
	f := &feed{fetcher: c.NewFetcher(cfg), fetched: make(chan []kafka.Fetched), cancel: cancel}
	f.polling.Go(func() {
		for {
			fetched, err := f.fetcher.Poll(ctx)
			if err != nil {
				return // closed; errors of partitions come with their records
			}
			select {
			case f.fetched <- fetched:
			case <-ctx.Done():
				return
			}
		}
	})
	return f
}

func (f *feed) close() {
	f.cancel()
	f.polling.Wait()
	f.fetcher.Close()
}
