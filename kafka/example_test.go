package kafka_test

import (
	"context"
	"fmt"
	"log"
	"strings"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/rio-streams/rio/kafka"
)

// Copy a topic to another one in upper case, each record exactly once.
func Example() {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.SeedTopics(1, "in", "out"))
	if err != nil {
		log.Fatal(err)
	}
	defer cluster.Close()
	ctx := context.Background()
	in, out := kafka.TopicPartition{Topic: "in"}, kafka.TopicPartition{Topic: "out"}

	client, err := kafka.Dial(ctx, kafka.Config{Brokers: cluster.ListenAddrs()})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	fill(ctx, client, in, "minha terra", "tem palmeiras")

	producer, err := client.NewProducer(ctx, kafka.ProducerConfig{TransactionalID: "copier"})
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close()
	committed, err := client.CommittedOffsets(ctx, "copier", nil)
	if err != nil {
		log.Fatal(err)
	}
	fetcher := client.NewFetcher(kafka.FetcherConfig{})
	defer fetcher.Close()
	fetcher.Add(in, committed[in].Offset)

	for atEnd := false; !atEnd; {
		fetched, err := fetcher.Poll(ctx)
		if err != nil {
			log.Fatal(err)
		}
		for _, f := range fetched {
			if f.Err != nil {
				log.Fatal(f.Err)
			}
			for _, r := range f.Records {
				r.Value = []byte(strings.ToUpper(string(r.Value)))
				if err := producer.Send(out.Topic, out.Partition, r); err != nil {
					log.Fatal(err)
				}
			}
			position := map[kafka.TopicPartition]kafka.CommittedOffset{in: {Offset: f.Next}}
			if err := producer.SendOffsets(ctx, kafka.GroupRef{Group: "copier"}, position); err != nil {
				log.Fatal(err)
			}
			if err := producer.Commit(ctx); err != nil {
				log.Fatal(err)
			}
			atEnd = f.Next >= f.LastStable
		}
	}

	fetcher.Remove(in)
	fetcher.Add(out, 0)
	fetched, err := fetcher.Poll(ctx)
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range fetched[0].Records {
		fmt.Println(r.Offset, string(r.Value))
	}
	// Output:
	// 0 MINHA TERRA
	// 1 TEM PALMEIRAS
}

func fill(ctx context.Context, client *kafka.Client, tp kafka.TopicPartition, values ...string) {
	producer, err := client.NewProducer(ctx, kafka.ProducerConfig{})
	if err != nil {
		log.Fatal(err)
	}
	defer producer.Close()
	for _, v := range values {
		if err := producer.Send(tp.Topic, tp.Partition, kafka.Record{Value: []byte(v)}); err != nil {
			log.Fatal(err)
		}
	}
	if err := producer.Flush(ctx); err != nil {
		log.Fatal(err)
	}
}
