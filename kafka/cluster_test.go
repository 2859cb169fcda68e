package kafka

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"

	"github.com/rio-streams/rio/internal/paralleltest"
)

func TestMain(m *testing.M) {
	paralleltest.Raise(16)
	goleak.VerifyTestMain(m)
}

// testTimeout bounds how long a test waits.
const testTimeout = 30 * time.Second

// testContext ends with the test, or after testTimeout.
func testContext(t testing.TB) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), testTimeout)
	t.Cleanup(cancel)
	return ctx
}

// fakeCluster starts a cluster inside the test process, which a test can make fail.
func fakeCluster(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	cluster, err := kfake.NewCluster(append([]kfake.Opt{kfake.NumBrokers(1)}, opts...)...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(cluster.Close)
	return cluster
}

// testBrokers returns the addresses to test against: those of a real cluster in the environment variable RIO_KAFKA, or
// those of a fake cluster.
func testBrokers(t testing.TB) []string {
	t.Helper()
	if addr := os.Getenv("RIO_KAFKA"); addr != "" {
		return []string{addr}
	}
	return fakeCluster(t).ListenAddrs()
}

func dial(t testing.TB, brokers []string) *Client {
	t.Helper()
	c, err := Dial(testContext(t), Config{Brokers: brokers})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// unique returns a name that no earlier run against the same cluster has used.
func unique(prefix string) string { return fmt.Sprintf("%s-%d", prefix, time.Now().UnixNano()) }

func makeTopic(t testing.TB, c *Client, partitions int32) string {
	t.Helper()
	name := unique("topic")
	if err := c.CreateTopics(testContext(t), TopicSpec{Name: name, Partitions: partitions}); err != nil {
		t.Fatal(err)
	}
	return name
}

func newProducer(t testing.TB, c *Client, cfg ProducerConfig) *Producer {
	t.Helper()
	p, err := c.NewProducer(testContext(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close() })
	return p
}

func newFetcher(t testing.TB, c *Client, cfg FetcherConfig) *Fetcher {
	t.Helper()
	f := c.NewFetcher(cfg)
	t.Cleanup(func() { f.Close() })
	return f
}

// send sends values to one partition.
func send(t testing.TB, p *Producer, tp TopicPartition, values ...string) {
	t.Helper()
	for _, v := range values {
		if err := p.Send(tp.Topic, tp.Partition, Record{Timestamp: 1, Key: []byte("k"), Value: []byte(v)}); err != nil {
			t.Fatal(err)
		}
	}
}

// readToEnd reads a partition from offset until it has been fetched to its end, and returns the values and the end.
func readToEnd(t testing.TB, f *Fetcher, tp TopicPartition, offset int64) (values []string, next int64) {
	t.Helper()
	f.Add(tp, offset)
	defer f.Remove(tp)
	for {
		got, err := f.Poll(testContext(t))
		if err != nil {
			t.Fatalf("after %d values: %v", len(values), err)
		}
		for _, p := range got {
			if p.Err != nil {
				t.Fatal(p.Err)
			}
			for _, r := range p.Records {
				values = append(values, string(r.Value))
			}
			end := p.LastStable
			if f.cfg.ReadUncommitted {
				end = p.HighWatermark
			}
			if p.Next >= end {
				return values, p.Next
			}
		}
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
