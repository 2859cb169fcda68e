package kafka_test

import (
	"context"
	"fmt"
	"log"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
)

// A member gets its partitions by rebalances, and releases revoked ones.
func ExampleClient_Join() {
	b, err := broker.Start(broker.Config{})
	if err != nil {
		log.Fatal(err)
	}
	defer b.Close()
	ctx := context.Background()
	client, err := kafka.Dial(ctx, kafka.Config{Brokers: []string{b.Addr()}})
	if err != nil {
		log.Fatal(err)
	}
	defer client.Close()
	if err := client.CreateTopics(ctx, kafka.TopicSpec{Name: "orders", Partitions: 2}); err != nil {
		log.Fatal(err)
	}

	member := client.Join(kafka.GroupConfig{Group: "billing", Topics: []string{"orders"}, Assignors: []kafka.Assignor{kafka.NewStickyAssignor()}})
	defer member.Leave(ctx)
	change := <-member.Rebalances() // and so on, until there is an Err or the member leaves
	if change.Err != nil {
		log.Fatal(change.Err)
	}
	// Here an owner would commit and close revoked partitions, unless they are lost, and open added ones.
	fmt.Println("revoked", change.Revoked, "added", change.Added)
	member.Ack()
	// Output: revoked [] added [orders/0 orders/1]
}

func ExampleNewStickyAssignor() {
	members := []kafka.GroupMember{
		{ID: "ana", Topics: []string{"orders"}, Owned: []kafka.TopicPartition{{Topic: "orders", Partition: 1}}},
		{ID: "bea", Topics: []string{"orders"}},
	}
	shares := kafka.NewStickyAssignor().Assign(members, map[string]int32{"orders": 2})
	fmt.Println(shares["ana"].Partitions, shares["bea"].Partitions)
	// Output: [orders/1] [orders/0]
}
