package broker_test

import (
	"context"
	"fmt"
	"log"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/rio-streams/rio/broker"
)

// Any Kafka client can talk to the broker; this one is franz-go.
func ExampleStart() {
	b, err := broker.Start(broker.Config{AutoCreateTopics: true})
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()

	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.AllowAutoTopicCreation(), kgo.ConsumeTopics("greetings"))
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()

	ctx := context.Background()
	if err := client.ProduceSync(ctx, &kgo.Record{Topic: "greetings", Value: []byte("olá")}).FirstErr(); err != nil {
		log.Fatal(err)
	}
	for _, r := range client.PollFetches(ctx).Records() {
		fmt.Printf("%s/%d at %d: %s\n", r.Topic, r.Partition, r.Offset, r.Value)
	}
	// Output: greetings/0 at 0: olá
}
