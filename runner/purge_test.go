package runner

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

// Only windows that have expired by event time, which may be long ago, are purged from a changelog.
func TestPurgeGoesByEventTime(t *testing.T) {
	t.Parallel()
	b, err := broker.Start(broker.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	build := topology.NewBuilder("app")
	in := topology.NewTopic("in", codec.String, codec.String)
	topology.Count(topology.Window(topology.From(build, in), topology.Tumbling(time.Hour).Grace(time.Hour)), "n")
	top, err := build.Build()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	r, err := newRunner(top, Config{
		Brokers: []string{b.Addr()}, Dir: t.TempDir(), CreateTopics: true, Partitions: 1, StopAtEnd: true, Logger: slog.New(slog.DiscardHandler),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.close)
	if err := r.connect(ctx); err != nil {
		t.Fatal(err)
	}
	if err := r.client.CreateTopics(ctx, kafka.TopicSpec{Name: "in", Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	changelog := []kafka.TopicPartition{{Topic: "app-n-changelog"}}
	start := func() int64 {
		offsets, err := r.client.Offsets(ctx, changelog, kafka.Earliest)
		if err != nil {
			t.Fatal(err)
		}
		return offsets[changelog[0]]
	}
	winter := time.Date(2020, 1, 20, 0, 0, 0, 0, time.UTC)
	var last int64
	for hour, purged := range []bool{false, false, true, true} { // two hours are kept
		send(ctx, t, r.client, winter.Add(time.Duration(30+61*hour)*time.Minute))
		if err := Run(ctx, top, r.cfg); err != nil {
			t.Fatal(err)
		}
		if r.counts == nil {
			if err := r.prepareTopics(ctx); err != nil {
				t.Fatal(err)
			}
		}
		sub := r.plan.Subtopologies[0]
		if err := r.purgeTopics(ctx, []*assignment{{sub: sub, inputs: r.inputs(sub, 0)}}); err != nil {
			t.Fatal(err)
		}
		if now := start(); (now > last) != purged {
			t.Errorf("after hour %d the changelog begins at %d, before that at %d; want it purged: %v", hour, now, last, purged)
		} else {
			last = now
		}
	}
}

func send(ctx context.Context, t *testing.T, client *kafka.Client, at time.Time) {
	t.Helper()
	p, err := client.NewProducer(ctx, kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	if err := p.Send("in", 0, kafka.Record{Timestamp: at.UnixMilli(), Key: []byte("k"), Value: []byte("v")}); err != nil {
		t.Fatal(err)
	}
	if err := p.Flush(ctx); err != nil {
		t.Fatal(err)
	}
}
