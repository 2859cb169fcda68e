package runner_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// Tests of handlers that do not return.

// hang blocks the first call of here until release, and no later call.
type hang struct {
	once     sync.Once
	began    chan struct{}
	released chan struct{}
}

func newHang(t *testing.T) *hang {
	h := &hang{began: make(chan struct{}), released: make(chan struct{})}
	t.Cleanup(h.release)
	return h
}

func (h *hang) here() {
	h.once.Do(func() {
		close(h.began)
		<-h.released
	})
}

func (h *hang) release() {
	select {
	case <-h.released:
	default:
		close(h.released)
	}
}

// hanging counts equal values in a store, and blocks at the value "hang".
func (c *cluster) hanging(h *hang) *topology.Topology {
	c.t.Helper()
	seen := state.NewKeyValue("seen", codec.String, codec.Int64)
	b := topology.NewBuilder(c.app)
	topology.Process(topology.From(b, c.lines), "call", func(p *textContext) textHandler {
		counts := seen.In(p)
		return func(r textRecord) error {
			n, _, err := counts.Get(r.Value)
			if err != nil {
				return err
			}
			if r.Value == "hang" {
				h.here()
			}
			if err := counts.Put(r.Value, n+1, r.Timestamp); err != nil {
				return err
			}
			return p.Emit(r.Key, r.Value)
		}
	}, seen).To(c.out())
	return c.build(b)
}

// sortedResults returns the values of the results, sorted.
func (c *cluster) sortedResults() string {
	c.t.Helper()
	var values []string
	for _, r := range c.read(c.out().Name()) {
		values = append(values, string(r.Value))
	}
	slices.Sort(values)
	return strings.Join(values, " ")
}

func (c *cluster) awaitResults(ctx context.Context, want string) {
	c.t.Helper()
	c.await(ctx, func() bool { return c.sortedResults() == want })
}

// A call that takes longer than MaxProcessing is logged with its record and its stack. The other tasks of its worker
// continue without it. Its own task continues when the call has returned. No record is lost or counted twice.
//
// Proves: hung-handler-is-named
func TestAHungHandlerHoldsUpNoOtherTask(t *testing.T) {
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var log logs
	cfg := c.forever()
	cfg.MaxProcessing = 100 * time.Millisecond
	log.record(&cfg)
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(log.all())
		}
	})
	h := newHang(t)
	c.send(c.lines.Name(), 2, "a", "b", "hang", "c", "d", "e") // "hang" is at offset 1 of partition 0
	done, stop := c.start(ctx, c.hanging(h), cfg)

	withoutA := func(want string) { // "a" was committed before the call, or is in the transaction that the call blocks
		c.await(ctx, func() bool { return strings.TrimPrefix(c.sortedResults(), "a ") == want })
	}
	withoutA("b c e")
	c.send(c.lines.Name(), 2, "f", "g")
	withoutA("b c e g")
	c.await(ctx, func() bool {
		return log.has("handler has not returned", "task=0_0", "call", "hang_test.go", c.lines.Name()+"/0 at 1", "(*hang).here")
	})

	h.release()
	c.awaitResults(ctx, "a b c d e f g hang")
	stop()
	endsWell(t, done)
	if got := c.sortedResults(); got != "a b c d e f g hang" {
		t.Errorf("results %s", got)
	}
}

// A stop ends within StopTimeout, whether or not the call was abandoned before, and the error names the handler.
//
// Proves: stop-in-time
func TestAStopDoesNotWaitForAHungHandler(t *testing.T) {
	for name, maxProcessing := range map[string]time.Duration{"not abandoned before": time.Minute, "abandoned before": 50 * time.Millisecond} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCluster(t)
			c.create(c.lines.Name(), 2)
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			var log logs
			cfg := c.forever()
			cfg.MaxProcessing, cfg.StopTimeout = maxProcessing, 500*time.Millisecond
			log.record(&cfg)
			h := newHang(t)
			c.send(c.lines.Name(), 2, "hang", "b")
			done, stop := c.start(ctx, c.hanging(h), cfg)
			<-h.began
			if maxProcessing < time.Second {
				c.awaitResults(ctx, "b")
			}
			stop()
			err := <-done
			var hung *runner.HungError
			if !errors.As(err, &hung) || !strings.Contains(err.Error(), c.lines.Name()+"/0 at 0") || !strings.Contains(hung.Step, "call") ||
				!strings.Contains(hung.Stack, "(*hang).here") {
				t.Errorf("error %v does not name the handler and its record", err)
			}

			h.release()
			cfg.StopAtEnd = true
			if err := runner.Run(ctx, c.hanging(h), cfg); err != nil {
				t.Fatal(err)
			}
			if got := c.sortedResults(); got != "b hang" {
				t.Errorf("results %s", got)
			}
		})
	}
}

// While a handler hangs, the partitions of its worker, including that of the handler, can move to another process, which
// processes them.
//
// Proves: hung-handler-is-named
func TestPartitionsLeaveAHungWorker(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 3)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := c.forever()
	cfg.MaxProcessing = 2 * time.Second // the second process joins before it expires
	h := newHang(t)
	c.send(c.lines.Name(), 3, "hang", "b", "c")
	first, stopFirst := c.start(ctx, c.hanging(h), cfg)
	<-h.began
	cfg.Dir = t.TempDir()
	second, stopSecond := c.start(ctx, c.hanging(h), cfg)
	c.awaitMembers(ctx, 2)
	c.send(c.lines.Name(), 3, "d", "e", "f")
	c.await(ctx, func() bool {
		got := c.sortedResults()
		return got == "b c e f" || got == "b c d e f hang" // the hung task stays, or moves
	})
	stopFirst()
	stopSecond()
	h.release()
	<-first // an error if the task stayed
	endsWell(t, second)
}
