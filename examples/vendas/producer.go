package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// fiveSales are what the producer sends.
var fiveSales = []Sale{
	{ID: "50001", Seller: "ana.silva", Amount: 120_50, Payment: "PIX"},
	{ID: "50002", Seller: "joao.souza", Amount: 80_00, Payment: "Crédito"},
	{ID: "50003", Seller: "maria.lima", Amount: 230_90, Payment: "Débito"},
	{ID: "50004", Seller: "carlos.pereira", Amount: 45_75, Payment: "Dinheiro"},
	{ID: "50005", Seller: "lucas.almeida", Amount: 150_00, Payment: "PIX"},
}

// produce sends sales to the topic, each to the partition of its seller, and waits until the broker has them.
func produce(ctx context.Context, client *kafka.Client, sales []Sale, out io.Writer) error {
	partitions, err := prepareTopic(ctx, client)
	if err != nil {
		return err
	}
	producer, err := client.NewProducer(ctx, kafka.ProducerConfig{})
	if err != nil {
		return err
	}
	defer producer.Close()

	now := time.Now().UnixMilli()
	for _, sale := range sales {
		value, err := json.Marshal(sale)
		if err != nil {
			return err
		}
		record := kafka.Record{Key: []byte(sale.Seller), Value: value, Timestamp: now}
		if err := producer.Send(Sales.Name(), kafka.Partition(record.Key, partitions), record); err != nil {
			return err
		}
	}
	if err := producer.Flush(ctx); err != nil {
		return err
	}
	fmt.Fprintf(out, "sent %d sales to %s\n", len(sales), Sales.Name())
	return nil
}

// prepareTopic creates the topic of sales if it does not exist, and returns its number of partitions.
func prepareTopic(ctx context.Context, client *kafka.Client) (int32, error) {
	err := client.CreateTopics(ctx, kafka.TopicSpec{Name: Sales.Name(), Partitions: 1})
	if err != nil && !errors.Is(err, kafka.ErrTopicExists) {
		return 0, err
	}
	topics, err := client.DescribeTopics(ctx, Sales.Name())
	if err != nil {
		return 0, err
	}
	if len(topics) == 0 {
		return 0, fmt.Errorf("topic %s was deleted", Sales.Name())
	}
	return int32(len(topics[0].Partitions)), nil
}
