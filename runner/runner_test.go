package runner_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
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

// cluster is a broker, a client of it, and names that are unique to this test, because several tests can share an Apache
// Kafka.
type cluster struct {
	names
	t      *testing.T
	addr   string
	client *kafka.Client
}

// names are the names of an application and its topics.
type names struct {
	app    string
	lines  topology.Topic[string, string]
	counts topology.Topic[string, int64]
}

func named(app string) names {
	return names{
		app:    app,
		lines:  topology.NewTopic(app+".lines", codec.String, codec.String),
		counts: topology.NewTopic(app+".counts", codec.String, codec.Int64),
	}
}

// newCluster starts a broker, or connects to the Apache Kafka at the address RIO_KAFKA. With -short, the broker keeps all
// data in memory.
func newCluster(t *testing.T) *cluster {
	t.Helper()
	addr := os.Getenv("RIO_KAFKA")
	if addr == "" {
		var cfg broker.Config
		if !testing.Short() {
			cfg.DataDir = t.TempDir()
		}
		b, err := broker.Start(cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := b.Close(); err != nil {
				t.Error(err)
			}
		})
		addr = b.Addr()
	}
	return joinCluster(t, addr, anyName())
}

func anyName() string { return "word-count-" + strings.ToLower(rand.Text()[:8]) }

// in is a cluster on the same broker for a subtest, with names of its own.
func (c *cluster) in(t *testing.T) *cluster {
	t.Helper()
	return joinCluster(t, c.addr, anyName())
}

// joinCluster is like newCluster, but uses a running broker.
func joinCluster(t *testing.T, addr, app string) *cluster {
	t.Helper()
	client, err := kafka.Dial(t.Context(), kafka.Config{Brokers: []string{addr}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return &cluster{names: named(app), t: t, addr: addr, client: client}
}

// wordCount is the topology of most tests.
func (n names) wordCount() (*topology.Topology, error) {
	b := topology.NewBuilder(n.app)
	words := topology.FlatMap(topology.From(b, n.lines), strings.Fields)
	byWord := topology.KeyBy(words, "by-word", func(word string) string { return word })
	topology.Count(byWord, "counts").To(n.counts)
	return b.Build()
}

func (c *cluster) wordCount() *topology.Topology {
	c.t.Helper()
	top, err := c.names.wordCount()
	if err != nil {
		c.t.Fatal(err)
	}
	return top
}

func (c *cluster) build(b *topology.Builder) *topology.Topology {
	c.t.Helper()
	top, err := b.Build()
	if err != nil {
		c.t.Fatal(err)
	}
	return top
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
	if len(topics) == 0 {
		return nil // nobody has created it yet
	}
	var tps []kafka.TopicPartition
	for p := range topics[0].Partitions {
		tps = append(tps, kafka.TopicPartition{Topic: topic, Partition: int32(p)})
	}
	// Read to the high watermark: a commit in Kafka returns before the markers are in all partitions, and this waits for them.
	ends, err := c.client.Offsets(c.t.Context(), tps, kafka.Latest)
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
	for _, r := range c.read(c.counts.Name()) {
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

// Proves: state-survives-restart
func TestRunsToTheEndAndGoesOn(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 3)
	cfg := c.config()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	for run := int64(1); run <= 3; run++ {
		c.send(c.lines.Name(), 3, "rio mar", "rio", "mar rio", "lago")
		if err := runner.Run(ctx, c.wordCount(), cfg); err != nil {
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

// Proves: replay-gives-the-same
func TestResetReplaysHistory(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 3)
	cfg := c.config()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.send(c.lines.Name(), 3, "rio mar", "rio", "mar rio")

	if err := runner.Run(ctx, c.wordCount(), cfg); err != nil {
		t.Fatal(err)
	}
	if err := runner.Reset(ctx, c.wordCount(), cfg, kafka.Earliest); err != nil {
		t.Fatal(err)
	}
	if err := runner.Run(ctx, c.wordCount(), cfg); err != nil {
		t.Fatal(err)
	}
	counts, records := c.final()
	if counts["rio"] != 3 || records["rio"] != 6 {
		t.Errorf("after a replay rio is counted %d in %d records, want 3 in 6", counts["rio"], records["rio"])
	}
}

// Proves: mistakes-are-told-at-once
func TestMistakesAreToldBeforeTheFirstRecord(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	missing := c.config()
	missing.CreateTopics = false
	tests := []struct {
		name string
		cfg  runner.Config
		want []string
	}{
		{"missing topic", missing, []string{"no such topic", c.counts.Name(), "rio topics create"}},
		{"nobody at the address", runner.Config{Brokers: []string{"127.0.0.1:1"}}, []string{"127.0.0.1:1"}},
		{"several wrong settings", runner.Config{Workers: -1, CommitInterval: -1}, []string{"Workers is -1", "CommitInterval is -1ns"}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			test.cfg.Dir = t.TempDir()
			err := runner.Run(ctx, c.wordCount(), test.cfg)
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

// Proves: directory-has-one-owner
func TestOneProcessToADirectory(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := broker.Start(broker.Config{DataDir: dir + "/log"})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	c := joinCluster(t, b.Addr(), "word-count")
	err = runner.Run(t.Context(), c.wordCount(), runner.Config{Dir: dir})
	if err == nil || !strings.Contains(err.Error(), dir) {
		t.Errorf("a second broker on %s: %v", dir, err)
	}
}

// Proves: store-format-is-checked
func TestAStoreOfAnotherTypeIsRefused(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	cfg := c.config()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.send(c.lines.Name(), 1, "rio")
	if err := runner.Run(ctx, c.wordCount(), cfg); err != nil {
		t.Fatal(err)
	}

	b := topology.NewBuilder(c.app)
	words := topology.FlatMap(topology.From(b, c.lines), strings.Fields)
	byWord := topology.KeyBy(words, "by-word", func(word string) string { return word })
	topology.Reduce(byWord, "counts", func(a, b string) string { return a + b })
	err := runner.Run(ctx, c.build(b), cfg)
	for _, want := range []string{`"counts"`, "int64", "reset"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("error %v does not say %s", err, want)
		}
	}
}

// If there is state but no committed offsets, records would be counted twice, so the run ends with an error. Records of an
// aborted transaction in a changelog do not count as state.
func TestStateWithoutOffsetsIsRefused(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	changelog := c.app + "-counts-changelog"
	if err := c.client.CreateTopics(t.Context(), kafka.TopicSpec{Name: changelog, Partitions: 1}); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.leave(changelog, (*kafka.Producer).Abort)
	c.send(c.lines.Name(), 1, "rio")
	if err := runner.Run(ctx, c.wordCount(), c.config()); err != nil {
		t.Fatal(err)
	}

	if err := c.client.DeleteGroup(ctx, c.app); err != nil {
		t.Fatal(err)
	}
	err := runner.Run(ctx, c.wordCount(), c.config())
	if err == nil || !strings.Contains(err.Error(), "has no committed offsets") || !strings.Contains(err.Error(), "reset") {
		t.Errorf("the run ends with %v", err)
	}
}

// leave writes a record in a transaction and ends the transaction with end.
func (c *cluster) leave(topic string, end func(*kafka.Producer, context.Context) error) {
	c.t.Helper()
	p, err := c.client.NewProducer(c.t.Context(), kafka.ProducerConfig{TransactionalID: topic})
	if err != nil {
		c.t.Fatal(err)
	}
	defer p.Close()
	if err := p.Send(topic, 0, kafka.Record{Key: []byte("rio"), Value: make([]byte, 8)}); err != nil {
		c.t.Fatal(err)
	}
	if err := errors.Join(p.Flush(c.t.Context()), end(p, c.t.Context())); err != nil {
		c.t.Fatal(err)
	}
}

func TestATopicThatIsDeletedEndsTheRun(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	forever := c.config()
	forever.StopAtEnd = false
	done, _ := c.background(ctx, forever)
	c.send(c.lines.Name(), 2, "rio")
	c.await(ctx, func() bool { counts, _ := c.final(); return counts["rio"] == 1 })

	if err := c.client.DeleteTopics(ctx, c.lines.Name()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, runner.ErrTopicsChanged) || !strings.Contains(err.Error(), "input topic "+c.lines.Name()+" was deleted") {
		t.Errorf("the run ends with %v", err)
	}
}

// Proves: processes-share-the-work
func TestTwoProcessesShareAndTakeOver(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 4)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	forever := c.config()
	forever.StopAtEnd = false
	first, stopFirst := c.background(ctx, forever)
	forever.Dir = t.TempDir()
	second, stopSecond := c.background(ctx, forever)
	c.awaitMembers(ctx, 2)

	want := map[string]int64{}
	for round := range 20 {
		c.send(c.lines.Name(), 4, "rio mar", "rio", "mar rio", "lago")
		want["rio"] += 3
		want["mar"] += 2
		want["lago"]++
		if round == 10 { // the second process takes over while records are being processed
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
	top := c.wordCount()
	go func() { done <- runner.Run(ctx, top, cfg) }()
	return done, cancel
}

// await polls until ok returns true.
func (c *cluster) await(ctx context.Context, ok func() bool) {
	c.t.Helper()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-ctx.Done():
			c.t.Fatal("timed out waiting for a condition")
		}
	}
}

func (c *cluster) awaitMembers(ctx context.Context, n int) {
	c.t.Helper()
	c.await(ctx, func() bool {
		g, err := c.client.DescribeGroup(ctx, c.app)
		return err == nil && len(g.Members) == n
	})
}

// Proves: bad-record-stops-with-its-place, bad-record-follows-policy
func TestPoliciesForBrokenRecords(t *testing.T) {
	long(t)
	type sale struct{ Amount int }
	for _, action := range []processor.Action{processor.Fail, processor.Skip, processor.DeadLetter} {
		t.Run(action.String(), func(t *testing.T) {
			c := newCluster(t)
			sales := topology.NewTopic(c.app+".sales", codec.String, codec.JSON[sale]())
			b := topology.NewBuilder(c.app)
			topology.Aggregate(topology.From(b, sales), "totals", func(sum int64, s sale) int64 { return sum + int64(s.Amount) }).To(c.counts)
			c.create(sales.Name(), 1)
			c.send(sales.Name(), 1, `{"Amount":1}`, `{"Amount":`, `{"Amount":2}`)
			cfg := c.config()
			cfg.Policies.Decode.Action = action
			if action == processor.DeadLetter {
				cfg.Policies.DeadLetters = c.app + ".broken"
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			err := runner.Run(ctx, c.build(b), cfg)

			if action == processor.Fail {
				if err == nil || !strings.Contains(err.Error(), "decode "+sales.Name()+"/0 at 1") {
					t.Fatalf("error %v does not say where", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if n := len(c.read(c.counts.Name())); n != 2 {
				t.Errorf("%d totals, want 2", n)
			}
			if action == processor.DeadLetter {
				letters := c.read(c.app + ".broken")
				if len(letters) != 1 || string(letters[0].Value) != `{"Amount":` {
					t.Errorf("dead letters %v", letters)
				}
			}
		})
	}
}

// When everything is committed, the positions of a process's stores are the ends of their changelogs.
func TestPositionsOfStoresAreThoseOfTheirChangelogs(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	c.send(c.lines.Name(), 2, "a b a", "b a", "c")
	cfg := c.config()
	if err := runner.Run(t.Context(), c.wordCount(), cfg); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(filepath.Join(cfg.Dir, "state", c.app, "cluster-"+c.client.ClusterID(), "0", "positions"))
	if err != nil {
		t.Fatal(err)
	}
	changelog := c.app + "-counts-changelog"
	tps := []kafka.TopicPartition{{Topic: changelog, Partition: 0}, {Topic: changelog, Partition: 1}}
	ends, err := c.client.Offsets(t.Context(), tps, kafka.Latest)
	if err != nil {
		t.Fatal(err)
	}
	// The last record is followed by the marker of its transaction, and Kafka may write it after the commit has returned.
	for partition, tp := range tps {
		var next int64
		for line := range strings.Lines(string(text)) {
			_, _ = fmt.Sscanf(line, fmt.Sprintf("counts %d %%d", partition), &next)
		}
		if ends[tp] > 0 && next != ends[tp]-1 && next != ends[tp] {
			t.Errorf("partition %d ends at %d, the positions are\n%s", partition, ends[tp], text)
		}
	}
}
