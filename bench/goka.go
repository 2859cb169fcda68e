package main

import (
	"context"
	"encoding/json"
	"io"
	"log"
	"sync/atomic"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/storage"
)

// runGoka does the work with a goka processor and its group table. It uses goka's defaults, but starts at the oldest
// record and uses the job's directory. When all records are processed, it stops the processor, which then flushes and
// commits.
func runGoka(ctx context.Context, j job) (map[string]Vehicle, error) {
	cfg := goka.DefaultConfig()
	cfg.Consumer.Offsets.Initial = sarama.OffsetOldest
	goka.ReplaceGlobalConfig(cfg)

	ctx, end := context.WithCancel(ctx)
	defer end()
	var processed atomic.Int64
	add := func(ctx goka.Context, message any) {
		var v Vehicle
		if old := ctx.Value(); old != nil {
			v = *old.(*Vehicle)
		}
		v = v.Add(*message.(*Position))
		ctx.SetValue(&v)
		if processed.Add(1) == int64(j.Records) {
			end()
		}
	}
	group := goka.DefineGroup(goka.Group(j.Application),
		goka.Input(goka.Stream(j.Topic), gokaJSON[Position]{}, add),
		goka.Persist(gokaJSON[Vehicle]{}),
	)
	topics := goka.NewTopicManagerConfig()
	topics.Table.Replication = 1
	p, err := goka.NewProcessor(j.Brokers, group,
		goka.WithStorageBuilder(storage.DefaultBuilder(j.Dir)),
		goka.WithTopicManagerBuilder(goka.TopicManagerBuilderWithTopicManagerConfig(topics)),
		goka.WithLogger(log.New(io.Discard, "", 0)),
	)
	if err != nil {
		return nil, err
	}
	return nil, p.Run(ctx)
}

// gokaJSON is a codec as in goka's examples.
type gokaJSON[T any] struct{}

func (gokaJSON[T]) Encode(value any) ([]byte, error) { return json.Marshal(value) }

func (gokaJSON[T]) Decode(data []byte) (any, error) {
	v := new(T)
	return v, json.Unmarshal(data, v)
}

// gokaTable returns the topic of goka's table.
func gokaTable(j job) string { return j.Application + "-table" }
