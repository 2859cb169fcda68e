package main

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/IBM/sarama"
	"github.com/rcrowley/go-metrics"
)

// runLoop is a good handwritten program: whole batches through sarama's protocol layer, one request for all partitions,
// encoding/json, and a Go map. It keeps no state after the process and commits nothing, so it must start again after a
// crash.
func runLoop(decode func([]byte) (Position, error)) func(context.Context, job) (map[string]Vehicle, error) {
	return func(ctx context.Context, j job) (map[string]Vehicle, error) {
		l := &handmade{decode: decode, topic: j.Topic, vehicles: map[string]Vehicle{}}
		return l.vehicles, l.run(ctx, j.Brokers)
	}
}

// unmarshal decodes with encoding/json.
func unmarshal(data []byte) (Position, error) {
	var p Position
	err := json.Unmarshal(data, &p)
	return p, err
}

// handmade is the loop and its state.
type handmade struct {
	decode    func([]byte) (Position, error)
	topic     string
	broker    *sarama.Broker
	positions map[int32]*position
	vehicles  map[string]Vehicle
}

// position is the loop's position in a partition, and the end of the partition at the start.
type position struct{ next, end int64 }

// run reads up to the ends that the partitions had at the start.
func (l *handmade) run(ctx context.Context, brokers []string) error {
	metrics.UseNilMetrics = true
	cfg := sarama.NewConfig()
	cfg.Version = sarama.V3_7_0_0
	client, err := sarama.NewClient(brokers, cfg)
	if err != nil {
		return err
	}
	defer client.Close()
	if l.positions, err = positionsOf(client, l.topic); err != nil {
		return err
	}
	if l.broker, err = client.Leader(l.topic, 0); err != nil { // the benchmark's cluster has one broker
		return err
	}
	for len(l.positions) > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := l.fetch(); err != nil {
			return err
		}
	}
	return nil
}

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

// fetch fetches records from all partitions and updates the vehicles. It removes partitions that are at their ends.
func (l *handmade) fetch() error {
	req := &sarama.FetchRequest{Version: 11, MaxWaitTime: 250, MinBytes: 1, MaxBytes: 8 << 20, SessionEpoch: -1}
	for p, at := range l.positions {
		req.AddBlock(l.topic, p, at.next, 1<<20, -1)
	}
	res, err := l.broker.Fetch(req)
	if err != nil {
		return err
	}
	for p, at := range l.positions {
		block := res.GetBlock(l.topic, p)
		if block == nil || block.Err != sarama.ErrNoError {
			return fmt.Errorf("fetch %s/%d at %d: %v", l.topic, p, at.next, block)
		}
		for _, set := range block.RecordsSet {
			if err := l.update(set.RecordBatch, at); err != nil {
				return err
			}
		}
		if at.next >= at.end {
			delete(l.positions, p)
		}
	}
	return nil
}

func (l *handmade) update(batch *sarama.RecordBatch, at *position) error {
	for _, r := range batch.Records {
		if batch.FirstOffset+r.OffsetDelta < at.next {
			continue
		}
		p, err := l.decode(r.Value)
		if err != nil {
			return err
		}
		key := string(r.Key)
		l.vehicles[key] = l.vehicles[key].Add(p)
	}
	if !batch.PartialTrailingRecord {
		at.next = batch.LastOffset() + 1
	}
	return nil
}
