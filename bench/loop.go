package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"
)

// runLoop is the program one would write by hand, and write well: whole batches through sarama's protocol layer, one
// request for all partitions, encoding/json, and a Go map. It keeps no state beyond the process and commits nothing,
// so a crash means to begin again.
func runLoop(ctx context.Context, j job) (map[string]Vehicle, error) {
	metrics.UseNilMetrics = true
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V3_7_0_0
	client, err := sarama.NewClient(j.Brokers, cfg)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	positions, err := positionsOf(client, j.Topic)
	if err != nil {
		return nil, err
	}
	broker, err := client.Leader(j.Topic, 0) // the benchmark's cluster has one broker
	if err != nil {
		return nil, err
	}
	vehicles := map[string]Vehicle{}
	for len(positions) > 0 {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if err := fetchOnce(broker, j.Topic, positions, vehicles); err != nil {
			return nil, err
		}
	}
	return vehicles, nil
}

// position is how far the loop is in a partition, and where the partition ended at the start.
type position struct{ next, end int64 }

func positionsOf(client sarama.Client, topic string) (map[int32]*position, error) {
	partitions, err := client.Partitions(topic)
	if err != nil {
		return nil, err
	}
	positions := map[int32]*position{}
	for _, p := range partitions {
		end, err := client.GetOffset(topic, p, sarama.OffsetNewest)
		if err != nil {
			return nil, err
		}
		if end > 0 {
			positions[p] = &position{end: end}
		}
	}
	return positions, nil
}

// fetchOnce asks for what comes next of all partitions and updates the vehicles. Partitions at their end are removed.
func fetchOnce(broker *sarama.Broker, topic string, positions map[int32]*position, vehicles map[string]Vehicle) error {
	req := &sarama.FetchRequest{Version: 11, MaxWaitTime: 250, MinBytes: 1, MaxBytes: 8 << 20, SessionEpoch: -1}
	for p, at := range positions {
		req.AddBlock(topic, p, at.next, 1<<20, -1)
	}
	res, err := broker.Fetch(req)
	if err != nil {
		return err
	}
	for p, at := range positions {
		block := res.GetBlock(topic, p)
		if block == nil || block.Err != sarama.ErrNoError {
			return fmt.Errorf("fetch %s/%d at %d: %v", topic, p, at.next, block)
		}
		for _, set := range block.RecordsSet {
			if err := update(set.RecordBatch, at, vehicles); err != nil {
				return err
			}
		}
		if at.next >= at.end {
			delete(positions, p)
		}
	}
	return nil
}

func update(batch *sarama.RecordBatch, at *position, vehicles map[string]Vehicle) error {
	for _, r := range batch.Records {
		if batch.FirstOffset+r.OffsetDelta < at.next {
			continue
		}
		var p Position
		if err := json.Unmarshal(r.Value, &p); err != nil {
			return err
		}
		key := string(r.Key)
		vehicles[key] = vehicles[key].Add(p)
	}
	if !batch.PartialTrailingRecord {
		at.next = batch.LastOffset() + 1
	}
	return nil
}
