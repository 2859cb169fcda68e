package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"maps"
	"os"
	"sync/atomic"

	"github.com/IBM/sarama"
	"github.com/lovoo/goka"
	"github.com/lovoo/goka/codec"
	"github.com/lovoo/goka/storage"
)

// counting is a goka application that counts the messages of each key.
type counting struct {
	brokers []string
	stream  goka.Stream
	group   goka.Group
	topics  goka.TopicManagerBuilder
}

var quiet = log.New(io.Discard, "", 0)

func gokaProcessor(c *checks, address, prefix string) {
	cfg := goka.DefaultConfig()
	cfg.Consumer.Offsets.Initial = sarama.OffsetOldest
	goka.ReplaceGlobalConfig(cfg)
	topics := goka.NewTopicManagerConfig()
	topics.Table.Replication = 1
	a := &counting{
		brokers: []string{address},
		stream:  goka.Stream(prefix + "-stream"),
		group:   goka.Group(prefix + "-count"),
		topics:  goka.TopicManagerBuilderWithConfig(cfg, topics),
	}
	c.run("topic", a.createStream)
	c.run("processor", func(ctx context.Context) error {
		return a.emitAndCount(ctx, map[string]int64{"a": 10, "b": 10, "c": 10})
	})
	c.run("view", func(ctx context.Context) error { return a.view(ctx, map[string]int64{"a": 10, "b": 10, "c": 10}) })
	c.run("recovery", func(ctx context.Context) error {
		return a.emitAndCount(ctx, map[string]int64{"a": 20, "b": 20, "c": 20})
	})
}

func (a *counting) createStream(context.Context) error {
	topics, err := a.topics(a.brokers)
	if err != nil {
		return err
	}
	defer topics.Close()
	return topics.EnsureTopicExists(string(a.stream), partitions, 1, nil)
}

// emitAndCount emits ten messages for each key and runs the processor until it has counted them. It starts with empty
// storage each time, so earlier counts must come from the table's topic.
func (a *counting) emitAndCount(ctx context.Context, want map[string]int64) error {
	if err := a.emit(want); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "rio-goka")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ctx, end := context.WithCancel(ctx)
	defer end()
	var left atomic.Int64
	left.Store(int64(10 * len(want)))
	count := func(ctx goka.Context, _ any) {
		n, _ := ctx.Value().(int64)
		ctx.SetValue(n + 1)
		if left.Add(-1) == 0 {
			end()
		}
	}
	graph := goka.DefineGroup(a.group, goka.Input(a.stream, new(codec.String), count), goka.Persist(new(codec.Int64)))
	p, err := goka.NewProcessor(a.brokers, graph, goka.WithLogger(quiet), goka.WithTopicManagerBuilder(a.topics),
		goka.WithStorageBuilder(storage.DefaultBuilder(dir)))
	if err != nil {
		return err
	}
	if err := p.Run(ctx); err != nil {
		return err
	}
	if n := left.Load(); n != 0 {
		return fmt.Errorf("%d messages were not counted", n)
	}
	return a.view(context.WithoutCancel(ctx), want)
}

func (a *counting) emit(keys map[string]int64) error {
	emitter, err := goka.NewEmitter(a.brokers, a.stream, new(codec.String), goka.WithEmitterLogger(quiet),
		goka.WithEmitterTopicManagerBuilder(a.topics))
	if err != nil {
		return err
	}
	for range 10 {
		for key := range keys {
			_, err1 := emitter.Emit(key, "message")
			err = errors.Join(err, err1)
		}
	}
	return errors.Join(err, emitter.Finish())
}

// view reads the table as another program would.
func (a *counting) view(ctx context.Context, want map[string]int64) error {
	v, err := goka.NewView(a.brokers, goka.GroupTable(a.group), new(codec.Int64), goka.WithViewLogger(quiet),
		goka.WithViewTopicManagerBuilder(a.topics), goka.WithViewStorageBuilder(storage.MemoryBuilder()))
	if err != nil {
		return err
	}
	ctx, end := context.WithCancel(ctx)
	ran := make(chan error, 1)
	go func() { ran <- v.Run(ctx) }()
	got := map[string]int64{}
	err = eventually(fmt.Sprintf("the table is not %v", want), func() bool {
		for key := range want {
			value, err := v.Get(key)
			got[key], _ = value.(int64)
			if err != nil {
				return false
			}
		}
		return maps.Equal(got, want)
	})
	end()
	return errors.Join(err, <-ran)
}
