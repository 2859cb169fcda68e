package runner_test

import (
	"context"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

var (
	lines  = topology.NewTopic("lines", codec.String, codec.String)
	counts = topology.NewTopic("counts", codec.String, codec.Int64)
)

func wordCount(t *testing.T) *topology.Topology {
	t.Helper()
	b := topology.NewBuilder("word-count")
	words := topology.FlatMap(topology.From(b, lines), strings.Fields)
	byWord := topology.KeyBy(words, "by-word", func(word string) string { return word })
	topology.Count(byWord, "counts").To(counts)
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// cluster is a broker and a client of it.
type cluster struct {
	t      *testing.T
	addr   string
	client *kafka.Client
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	b, err := broker.Start(broker.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{b.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
		if err := b.Close(); err != nil {
			t.Error(err)
		}
	})
	return &cluster{t, b.Addr(), client}
}

func (c *cluster) create(topic string, partitions int32) {
	c.t.Helper()
	if err := c.client.CreateTopics(c.t.Context(), kafka.TopicSpec{Name: topic, Partitions: partitions}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) send(topic string, partitions int32, values ...string) {
	c.t.Helper()
	p, err := c.client.NewProducer(c.t.Context(), kafka.ProducerConfig{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer p.Close()
	for i, value := range values {
		if err := p.Send(topic, int32(i)%partitions, kafka.Record{Timestamp: int64(i), Key: []byte(fmt.Sprint(i)), Value: []byte(value)}); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := p.Flush(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// read returns the committed records of a topic, partition by partition.
func (c *cluster) read(topic string) []kafka.Record {
	c.t.Helper()
	topics, err := c.client.DescribeTopics(c.t.Context(), topic)
	if err != nil {
		c.t.Fatal(err)
	}
	var tps []kafka.TopicPartition
	for p := range topics[0].Partitions {
		tps = append(tps, kafka.TopicPartition{Topic: topic, Partition: int32(p)})
	}
	ends, err := c.client.Offsets(c.t.Context(), tps, kafka.LatestStable)
	if err != nil {
		c.t.Fatal(err)
	}
	f := c.client.NewFetcher(kafka.FetcherConfig{})
	defer f.Close()
	for _, tp := range tps {
		f.Add(tp, 0)
	}
	byPartition := map[int32][]kafka.Record{}
	for len(ends) > 0 {
		fetched, err := f.Poll(c.t.Context())
		if err != nil {
			c.t.Fatal(err)
		}
		for _, x := range fetched {
			byPartition[x.Partition] = append(byPartition[x.Partition], x.Records...)
			tp := kafka.TopicPartition{Topic: x.Topic, Partition: x.Partition}
			if end, ok := ends[tp]; ok && x.Next >= end {
				delete(ends, tp)
			}
		}
	}
	var all []kafka.Record
	for _, p := range slices.Sorted(maps.Keys(byPartition)) {
		all = append(all, byPartition[p]...)
	}
	return all
}

// final returns the last value of each word's count, and how many records there are of it.
func (c *cluster) final() (counts map[string]int64, records map[string]int64) {
	c.t.Helper()
	counts, records = map[string]int64{}, map[string]int64{}
	for _, r := range c.read("counts") {
		n, err := codec.Int64.Decode(r.Value)
		if err != nil {
			c.t.Fatal(err)
		}
		counts[string(r.Key)] = n
		records[string(r.Key)]++
	}
	return counts, records
}

func (c *cluster) config() runner.Config {
	return runner.Config{
		Brokers: []string{c.addr}, Dir: c.t.TempDir(), CreateTopics: true, StopAtEnd: true, Workers: 2,
		Logger: slog.New(slog.NewTextHandler(c.t.Output(), nil)),
	}
}

func TestRunsToTheEndAndGoesOn(t *testing.T) {
	c := newCluster(t)
	c.create("lines", 3)
	cfg := c.config()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	for run := int64(1); run <= 3; run++ {
		c.send("lines", 3, "rio mar", "rio", "mar rio", "lago")
		if err := runner.Run(ctx, wordCount(t), cfg); err != nil {
			t.Fatal(err)
		}
		counts, records := c.final()
		for word, each := range map[string]int64{"rio": 3, "mar": 2, "lago": 1} {
			if counts[word] != each*run || records[word] != each*run {
				t.Errorf("run %d: %s is counted %d in %d records, want %d", run, word, counts[word], records[word], each*run)
			}
		}
	}
}
