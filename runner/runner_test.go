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
	"github.com/rio-streams/rio/processor"
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

func TestResetReplaysHistory(t *testing.T) {
	c := newCluster(t)
	c.create("lines", 3)
	cfg := c.config()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.send("lines", 3, "rio mar", "rio", "mar rio")

	if err := runner.Run(ctx, wordCount(t), cfg); err != nil {
		t.Fatal(err)
	}
	if err := runner.Reset(ctx, wordCount(t), cfg, kafka.Earliest); err != nil {
		t.Fatal(err)
	}
	if err := runner.Run(ctx, wordCount(t), cfg); err != nil {
		t.Fatal(err)
	}
	counts, records := c.final()
	if counts["rio"] != 3 || records["rio"] != 6 {
		t.Errorf("after a replay rio is counted %d in %d records, want 3 in 6", counts["rio"], records["rio"])
	}
}

func TestMistakesAreToldBeforeTheFirstRecord(t *testing.T) {
	c := newCluster(t)
	c.create("lines", 2)
	missing := c.config()
	missing.CreateTopics = false
	tests := []struct {
		name string
		cfg  runner.Config
		want []string
	}{
		{"missing topic", missing, []string{"no such topic", "counts", "rio topics create"}},
		{"nobody at the address", runner.Config{Brokers: []string{"127.0.0.1:1"}}, []string{"127.0.0.1:1"}},
		{"several wrong settings", runner.Config{Workers: -1, CommitInterval: -1}, []string{"Workers is -1", "CommitInterval is -1ns"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			test.cfg.Dir = t.TempDir()
			err := runner.Run(ctx, wordCount(t), test.cfg)
			if err == nil {
				t.Fatal("it runs")
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("error %q does not say %q", err, want)
				}
			}
		})
	}
}

func TestOneProcessToADirectory(t *testing.T) {
	dir := t.TempDir()
	b, err := broker.Start(broker.Config{DataDir: dir + "/log"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	err = runner.Run(t.Context(), wordCount(t), runner.Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second broker on %s: %v", dir, err)
	}
}

func TestAStoreOfAnotherTypeIsRefused(t *testing.T) {
	c := newCluster(t)
	c.create("lines", 1)
	cfg := c.config()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.send("lines", 1, "rio")
	if err := runner.Run(ctx, wordCount(t), cfg); err != nil {
		t.Fatal(err)
	}

	b := topology.NewBuilder("word-count")
	words := topology.FlatMap(topology.From(b, lines), strings.Fields)
	byWord := topology.KeyBy(words, "by-word", func(word string) string { return word })
	topology.Reduce(byWord, "counts", func(a, b string) string { return a + b })
	changed, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	err = runner.Run(ctx, changed, cfg)
	for _, want := range []string{`"counts"`, "int64", "reset"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %s", err, want)
		}
	}
}

func TestTwoProcessesShareAndTakeOver(t *testing.T) {
	c := newCluster(t)
	c.create("lines", 4)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	forever := c.config()
	forever.StopAtEnd = false
	first, stopFirst := c.background(ctx, forever)
	forever.Dir = t.TempDir()
	second, stopSecond := c.background(ctx, forever)
	c.awaitMembers(ctx, "word-count", 2)

	want := map[string]int64{}
	for round := range 20 {
		c.send("lines", 4, "rio mar", "rio", "mar rio", "lago")
		want["rio"] += 3
		want["mar"] += 2
		want["lago"]++
		if round == 10 { // the second takes over in the middle of the work
			stopFirst()
			if err := <-first; err != nil {
				t.Fatal(err)
			}
		}
	}
	c.await(ctx, func() bool {
		counts, _ := c.final()
		return maps.Equal(counts, want)
	})
	_, records := c.final()
	if !maps.Equal(records, want) {
		t.Errorf("records %v, want %v: something was counted twice", records, want)
	}
	stopSecond()
	if err := <-second; err != nil {
		t.Fatal(err)
	}
}

// background runs the word count until stop is called.
func (c *cluster) background(ctx context.Context, cfg runner.Config) (done chan error, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done = make(chan error, 1)
	top := wordCount(c.t)
	go func() { done <- runner.Run(ctx, top, cfg) }()
	return done, cancel
}

// await looks again and again until ok says yes.
func (c *cluster) await(ctx context.Context, ok func() bool) {
	c.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Fatal("it did not happen in time")
		}
	}
}

func (c *cluster) awaitMembers(ctx context.Context, group string, n int) {
	c.t.Helper()
	c.await(ctx, func() bool {
		g, err := c.client.DescribeGroup(ctx, group)
		return err == nil && len(g.Members) == n
	})
}

func TestPoliciesForBrokenRecords(t *testing.T) {
	type sale struct{ Amount int }
	sales := topology.NewTopic("sales", codec.String, codec.JSON[sale]())
	totals := topology.NewTopic("totals", codec.String, codec.Int64)
	build := func(t *testing.T) *topology.Topology {
		b := topology.NewBuilder("totals")
		topology.Aggregate(topology.From(b, sales), "totals", func(sum int64, s sale) int64 { return sum + int64(s.Amount) }).To(totals)
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		return top
	}
	for _, action := range []processor.Action{processor.Fail, processor.Skip, processor.DeadLetter} {
		t.Run(action.String(), func(t *testing.T) {
			c := newCluster(t)
			c.create("sales", 1)
			c.send("sales", 1, `{"Amount":1}`, `{"Amount":`, `{"Amount":2}`)
			cfg := c.config()
			cfg.Policies.Decode.Action = action
			if action == processor.DeadLetter {
				cfg.Policies.DeadLetters = "broken-sales"
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := runner.Run(ctx, build(t), cfg)

			if action == processor.Fail {
				if err == nil || !strings.Contains(err.Error(), "decode sales/0 at 1") {
					t.Fatalf("error %v does not say where", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := len(c.read("totals")); n != 2 {
				t.Errorf("%d totals, want 2", n)
			}
			if action == processor.DeadLetter {
				letters := c.read("broken-sales")
				if len(letters) != 1 || string(letters[0].Value) != `{"Amount":` {
					t.Errorf("dead letters %v", letters)
				}
			}
		})
	}
}
