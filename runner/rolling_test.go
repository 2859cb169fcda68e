package runner_test

import (
	"context"
	"flag"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

var (
	rolls = flag.Int("rolls", 1, "how many restarts TestRollingRestart does")
	noise = flag.Duration("noise", 600*time.Millisecond, "how much later than two commit intervals TestRollingRestart lets a result be")
)

// arrival is a result: which process wrote it, and when it was read.
type arrival struct {
	process string
	at      time.Time
}

// arrivals reads the results until ctx ends, and returns them by input partition. The key "input" has the records of one
// input partition: gaps in them show when the machine, not the application, stood still.
func (c *cluster) arrivals(ctx context.Context, partitions int32) map[string][]arrival {
	f := c.client.NewFetcher(kafka.FetcherConfig{MaxWait: 20 * time.Millisecond})
	defer f.Close()
	for p := range partitions {
		f.Add(kafka.TopicPartition{Topic: c.out().Name(), Partition: p}, 0)
	}
	f.Add(kafka.TopicPartition{Topic: c.lines.Name(), Partition: 0}, 0)
	all := map[string][]arrival{}
	for {
		fetched, err := f.Poll(ctx)
		if err != nil {
			return all
		}
		now := time.Now()
		for _, x := range fetched {
			for _, r := range x.Records {
				if x.Topic == c.lines.Name() {
					r.Key, r.Value = []byte("input"), nil
				}
				all[string(r.Key)] = append(all[string(r.Key)], arrival{string(r.Value), now})
			}
		}
	}
}

// standstill returns the longest gap between arrivals that overlaps a period.
func standstill(arrivals []arrival, from, to time.Time) time.Duration {
	longest := time.Duration(0)
	for i := 1; i < len(arrivals); i++ {
		if arrivals[i].at.After(from) && arrivals[i-1].at.Before(to) {
			longest = max(longest, arrivals[i].at.Sub(arrivals[i-1].at))
		}
	}
	return longest
}

// namedResults writes, for each record, the input partition and the name of the process.
func (c *cluster) namedResults(process string) *topology.Topology {
	return c.handled(func(p *textContext) textHandler {
		return func(textRecord) error { return p.Emit(fmt.Sprint(p.Origin().Partition), process) }
	})
}

// Three processes are restarted one after the other under load. Partitions that stay with their process have no gap in their
// results longer than two commit intervals.
//
// Proves: rebalance-disturbs-only-what-moves
func TestRollingRestart(t *testing.T) {
	long(t)
	const partitions, interval = 12, 10 * time.Millisecond // a commit is almost always in progress
	c := newCluster(t)
	c.create(c.lines.Name(), partitions)
	c.create(c.out().Name(), partitions)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()

	reading, stopReading := context.WithCancel(ctx)
	var results map[string][]arrival
	var background sync.WaitGroup
	background.Go(func() { results = c.arrivals(reading, partitions) })
	sending, stopSending := context.WithCancel(ctx)
	background.Go(func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				c.send(c.lines.Name(), partitions, numbers(partitions)...)
			case <-sending.Done():
				return
			}
		}
	})

	var log logs
	type process struct {
		done chan error
		stop func()
		dir  string
	}
	start := func(dir string, incarnation int) process {
		cfg := c.forever()
		cfg.Dir, cfg.CommitInterval, cfg.SessionTimeout = dir, interval, 6*time.Second
		log.record(&cfg)
		done, stop := c.start(ctx, c.namedResults(fmt.Sprintf("%s#%d", dir, incarnation)), cfg)
		return process{done, stop, dir}
	}
	// settle waits until the group has n members and all partitions are assigned.
	settle := func(n int) {
		c.await(ctx, func() bool {
			g, err := c.client.DescribeGroup(ctx, c.app)
			if err != nil || len(g.Members) != n || g.State != "Stable" {
				return false
			}
			assigned := 0
			for _, m := range g.Members {
				assigned += len(m.Partitions)
			}
			return assigned == partitions
		})
	}
	var processes []process
	for range 3 {
		processes = append(processes, start(t.TempDir(), 0))
		settle(len(processes))
	}
	began := time.Now()
	for i := range *rolls {
		p := &processes[i%3]
		p.stop()
		endsWell(t, p.done)
		settle(2)
		*p = start(p.dir, i+1)
		settle(3)
	}
	ended := time.Now()
	stopSending()
	for _, p := range processes {
		p.stop()
		endsWell(t, p.done)
	}
	stopReading()
	background.Wait()

	stayed, longest := 0, time.Duration(0)
	input := results["input"]
	delete(results, "input")
	for partition, arrivals := range results {
		for i := 1; i < len(arrivals); i++ {
			before, after := arrivals[i-1], arrivals[i]
			if before.at.Before(began) || after.at.After(ended) || before.process != after.process {
				continue
			}
			stayed++
			gap := after.at.Sub(before.at)
			longest = max(longest, gap)
			if stood := standstill(input, before.at, after.at); gap > 2*interval+*noise+2*stood {
				t.Errorf("partition %s of %s had a gap of %v", partition, after.process, gap)
			}
		}
	}
	t.Logf("longest gap of partitions that stay: %v, of %d", longest, stayed)
	if n := log.count("closing all tasks of a worker after a failure"); n > 0 {
		t.Errorf("workers closed all their tasks %d times:\n%s", n, log.all())
	}
	if stayed == 0 {
		t.Error("no partition stayed")
	}
}
