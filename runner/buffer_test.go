package runner_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// One input of a task is ahead of the other, so its fetched records must wait. The memory for them is bounded, whatever
// their size, and both inputs are read to their ends.
func TestFetchedRecordsAreBoundedByBytes(t *testing.T) {
	long(t)
	const memory = 16 << 20 // 2 MiB of it for fetched records
	for name, test := range map[string]struct {
		size, count int
		compression string
	}{
		"small records":           {50, 20_000, "none"},
		"large records":           {30_000, 300, "none"},
		"compressed records":      {30_000, 300, "zstd"},
		"larger than their share": {3 << 20, 4, "none"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			ahead := topology.NewTopic(c.app+".ahead", codec.String, codec.String)
			for _, topic := range []string{c.lines.Name(), ahead.Name()} {
				c.createWith(topic, map[string]string{"max.message.bytes": "10000000"})
			}
			c.fill(c.lines.Name(), 0, 100, 10, "none")
			c.fill(ahead.Name(), 1000, test.count, test.size, test.compression)
			b := topology.NewBuilder(c.app)
			sizes := topology.Map(topology.From(b, c.lines).Merge(topology.From(b, ahead)), func(s string) string {
				if len(s) == 10 {
					takeTime(2 * time.Millisecond)
				}
				return s[:1]
			})
			sizes.To(c.out())
			cfg := c.config()
			cfg.Workers, cfg.Memory, cfg.CommitInterval = 1, memory, 5*time.Millisecond
			cfg.Partitions = 1
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			app, err := runner.Start(ctx, c.build(b), cfg)
			if err != nil {
				t.Fatal(err)
			}
			most := 0
			for running := true; running; {
				select {
				case <-app.Done():
					running = false
				case <-time.After(time.Millisecond):
				}
				for _, task := range app.Snapshot().Tasks {
					sum := 0
					for _, in := range task.Inputs {
						sum += in.BufferedBytes
					}
					most = max(most, sum)
				}
			}
			if err := app.Wait(); err != nil {
				t.Fatal(err)
			}
			if bound := max(memory/8, test.size*2); most > bound || most == 0 {
				t.Errorf("up to %d bytes were buffered, want at most %d", most, bound)
			}
			if n := len(c.read(c.out().Name())); n != 100+test.count {
				t.Errorf("%d results, want %d", n, 100+test.count)
			}
		})
	}
}

// fill writes count records of size bytes to partition 0, one millisecond apart.
func (c *cluster) fill(topic string, from int64, count, size int, compression string) {
	c.t.Helper()
	p, err := c.client.NewProducer(c.t.Context(), kafka.ProducerConfig{Compression: compression})
	if err != nil {
		c.t.Fatal(err)
	}
	defer p.Close()
	random := rand.NewChaCha8([32]byte{})
	for i := range int64(count) {
		block := make([]byte, size/8+1) // so the value compresses to an eighth
		_, _ = random.Read(block)
		value := bytes.Repeat(block, 8)[:size]
		if err := p.Send(topic, 0, kafka.Record{Timestamp: from + i, Key: fmt.Append(nil, i), Value: value}); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := p.Flush(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}
