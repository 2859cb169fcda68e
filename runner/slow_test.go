package runner_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// Tests of slow handlers: commits, stops, timers and rebalances happen between two records, however many have been fetched.

type (
	textContext = processor.Context[string, string]
	textHandler = processor.Handler[string, string]
	textRecord  = processor.Record[string, string]
)

// takeTime blocks for d.
func takeTime(d time.Duration) { <-time.After(d) }

// handled builds a topology with one step that reads lines.
func (c *cluster) handled(start func(*textContext) textHandler) *topology.Topology {
	c.t.Helper()
	b := topology.NewBuilder(c.app)
	topology.Process(topology.From(b, c.lines), "slow", start).To(c.out())
	return c.build(b)
}

func (c *cluster) out() topology.Topic[string, string] {
	return topology.NewTopic(c.app+".out", codec.String, codec.String)
}

// numbers returns the numbers below n as texts.
func numbers(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprint(i))
	}
	return all
}

// start runs a topology until stop is called.
func (c *cluster) start(ctx context.Context, top *topology.Topology, cfg runner.Config) (done chan error, stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done = make(chan error, 1)
	go func() { done <- runner.Run(ctx, top, cfg) }()
	return done, cancel
}

func (c *cluster) forever() runner.Config {
	cfg := c.config()
	cfg.StopAtEnd = false
	cfg.Workers = 1
	return cfg
}

func endsWell(t *testing.T, done chan error) {
	t.Helper()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// Results are committed while fetched records are queued. The transaction of a slow task does not last longer than a commit
// interval or, if the interval is long, than the transaction timeout.
//
// Proves: slow-handlers-hold-up-nobody
func TestSlowHandlersCommitOnTheWay(t *testing.T) {
	long(t)
	configs := map[string]func(*runner.Config){
		"exactly once":   func(*runner.Config) {},
		"at least once":  func(cfg *runner.Config) { cfg.AtLeastOnce = true },
		"large interval": func(cfg *runner.Config) { cfg.CommitInterval, cfg.TransactionTimeout = time.Second, time.Second },
	}
	for name, change := range configs {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.create(c.lines.Name(), 1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cfg := c.forever()
			cfg.CommitInterval = 20 * time.Millisecond
			change(&cfg)
			visible := make(chan struct{})
			done, stop := c.start(ctx, c.handled(func(p *textContext) textHandler {
				return func(r textRecord) error {
					takeTime(10 * time.Millisecond)
					if r.Value == "99" {
						<-visible // the test hangs here if results are not committed early
					}
					return p.Emit(r.Key, r.Value+strings.Repeat(" ", 8<<10)) // some fill a batch before the commit
				}
			}), cfg)
			c.send(c.lines.Name(), 1, numbers(100)...)
			c.await(ctx, func() bool { return len(c.read(c.out().Name())) > 0 })
			close(visible)
			c.await(ctx, func() bool { return len(c.read(c.out().Name())) == 100 })
			stop()
			endsWell(t, done)
			if n := len(c.read(c.out().Name())); n != 100 {
				t.Errorf("%d results, want 100", n)
			}
		})
	}
}

// Every task of a worker gets its turn, and timers fire, while records of all tasks are queued.
//
// Proves: slow-handlers-hold-up-nobody
func TestSlowHandlersShareTheirWorker(t *testing.T) {
	c := newCluster(t)
	c.create(c.lines.Name(), 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.send(c.lines.Name(), 3, numbers(90)...)
	var order []int32 // partitions in the order of the worker's calls
	ticks := 0
	finished := make(chan struct{})
	done, stop := c.start(ctx, c.handled(func(p *textContext) textHandler {
		p.Schedule(10*time.Millisecond, processor.WallClock, func(time.Time) error { ticks++; return nil })
		return func(textRecord) error {
			takeTime(5 * time.Millisecond)
			if order = append(order, p.Origin().Partition); len(order) == 90 {
				close(finished)
			}
			return nil
		}
	}), c.forever())
	<-finished
	stop()
	endsWell(t, done)
	for p := range int32(3) {
		if first := slices.Index(order, p); first < 0 || first > 60 {
			t.Errorf("the first record of partition %d was the %dth: %v", p, first, order)
		}
	}
	if ticks < 10 { // of about 3 x 45
		t.Errorf("timers fired %d times", ticks)
	}
}

// Records that a timer emits are committed even if no record comes in and no store changes.
func TestTimersCommitWhatTheyEmit(t *testing.T) {
	t.Parallel()
	for _, atLeastOnce := range []bool{false, true} {
		t.Run(fmt.Sprintf("AtLeastOnce=%v", atLeastOnce), func(t *testing.T) {
			c := newCluster(t)
			c.create(c.lines.Name(), 1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cfg := c.forever()
			cfg.AtLeastOnce = atLeastOnce
			done, stop := c.start(ctx, c.handled(func(p *textContext) textHandler {
				p.Schedule(10*time.Millisecond, processor.WallClock, func(time.Time) error { return p.Emit("k", "tick") })
				return func(textRecord) error { return nil }
			}), cfg)
			c.await(ctx, func() bool { return len(c.read(c.out().Name())) > 3 })
			stop()
			endsWell(t, done)
		})
	}
}

// A stop waits for the current record only. After a grace period the context of the call ends. If the call fails because of
// that, no policy applies: the record is processed again at the next start.
//
// Proves: slow-handlers-hold-up-nobody, stop-in-time
func TestAStopWaitsForOneRecord(t *testing.T) {
	long(t)
	for _, obeys := range []bool{true, false} {
		t.Run(fmt.Sprintf("obeys=%v", obeys), func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.create(c.lines.Name(), 1)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			c.send(c.lines.Name(), 1, numbers(300)...)
			cfg := c.forever()
			cfg.Policies.Process.Action = processor.Skip
			var calls atomic.Int32
			called := make(chan struct{})
			done, stop := c.start(ctx, c.handled(func(p *textContext) textHandler {
				return func(r textRecord) error {
					calls.Add(1)
					if r.Value == "7" {
						close(called)
						<-p.Context().Done()
						if obeys {
							return p.Context().Err()
						}
					}
					return p.Emit(r.Key, r.Value)
				}
			}), cfg)
			<-called
			stop()
			endsWell(t, done)
			if n := calls.Load(); n != 8 {
				t.Errorf("%d records were handled, want 8", n)
			}
			want := 8
			if obeys {
				want = 7
			}
			if n := len(c.read(c.out().Name())); n != want {
				t.Errorf("%d results before the restart, want %d", n, want)
			}

			cfg.StopAtEnd = true
			err := runner.Run(ctx, c.handled(func(p *textContext) textHandler {
				return func(r textRecord) error { return p.Emit(r.Key, r.Value) }
			}), cfg)
			if err != nil {
				t.Fatal(err)
			}
			var values []string
			for _, r := range c.read(c.out().Name()) {
				values = append(values, string(r.Value))
			}
			want300 := numbers(300)
			slices.Sort(values)
			slices.Sort(want300)
			if !slices.Equal(values, want300) {
				t.Errorf("results %v, want each number once", values)
			}
		})
	}
}

// A second process gets its share of the tasks while the first has more records than it can process in a session timeout.
//
// Proves: slow-handlers-hold-up-nobody, processes-share-the-work
func TestSlowHandlersGiveTheirShareAway(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 4)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c.send(c.lines.Name(), 4, numbers(4000)...)
	topologyOf := func(calls chan<- struct{}) *topology.Topology {
		return c.handled(func(p *textContext) textHandler {
			return func(r textRecord) error {
				select {
				case calls <- struct{}{}:
				default:
				}
				takeTime(10 * time.Millisecond)
				return p.Emit(r.Key, r.Value)
			}
		})
	}
	first, second := make(chan struct{}), make(chan struct{})
	cfg := c.forever()
	cfg.SessionTimeout = 6 * time.Second
	doneFirst, stopFirst := c.start(ctx, topologyOf(first), cfg)
	<-first
	cfg.Dir = t.TempDir()
	doneSecond, stopSecond := c.start(ctx, topologyOf(second), cfg)
	select {
	case <-second:
	case <-time.After(cfg.SessionTimeout):
		t.Error("the second process got no task within a session timeout")
	}
	stopFirst()
	stopSecond()
	endsWell(t, doneFirst)
	endsWell(t, doneSecond)
}
