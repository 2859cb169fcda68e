package main

import (
	"context"
	"runtime"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// target is the broker under test.
type target struct {
	addr string
	cpu  func() (time.Duration, error) // CPU time of the broker's process so far
}

// dial makes a client with franz-go's defaults, except for the given options.
func (b target) dial(opts ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append([]kgo.Opt{
		kgo.SeedBrokers(b.addr),
		kgo.RequiredAcks(kgo.AllISRAcks()),
		kgo.ProducerBatchCompression(kgo.NoCompression()),
	}, opts...)...)
}

// createTopics creates topics with the same number of partitions.
func (b target) createTopics(ctx context.Context, partitions int, names ...string) error {
	client, err := b.dial()
	if err != nil {
		return err
	}
	defer client.Close()
	request := kmsg.NewPtrCreateTopicsRequest()
	request.TimeoutMillis = 60_000
	for _, name := range names {
		topic := kmsg.NewCreateTopicsRequestTopic()
		topic.Topic, topic.NumPartitions, topic.ReplicationFactor = name, int32(partitions), 1
		request.Topics = append(request.Topics, topic)
	}
	response, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	for _, topic := range response.Topics {
		if err := kerr.ErrorForCode(topic.ErrorCode); err != nil {
			return err
		}
	}
	return nil
}

// effort is the cost of an operation.
type effort struct {
	wall   time.Duration
	broker time.Duration // CPU time of the broker's process
	client time.Duration // CPU time of this process
	others time.Duration // CPU time of all other processes of the machine meanwhile
}

// measure runs an operation and returns its cost.
func (b target) measure(work func() error) (effort, error) {
	runtime.GC() // so that garbage of earlier operations is not counted here
	before, err := b.used()
	if err != nil {
		return effort{}, err
	}
	started := time.Now()
	if err := work(); err != nil {
		return effort{}, err
	}
	wall := time.Since(started)
	after, err := b.used()
	return effort{
		wall:   wall,
		broker: after.broker - before.broker,
		client: after.client - before.client,
		others: max(0, after.others-before.others), // the result may be slightly negative, because the clocks have different resolutions
	}, err
}

// used returns the CPU time that all have used so far.
func (b target) used() (effort, error) {
	broker, err := b.cpu()
	if err != nil {
		return effort{}, err
	}
	client, err := ownCPU()
	if err != nil {
		return effort{}, err
	}
	all, err := machineCPU()
	return effort{broker: broker, client: client, others: all - broker - client}, err
}
