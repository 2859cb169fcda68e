package runner_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/metrics"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/runner"
)

// value returns the sum of the samples of a metric whose first labels have the given values.
func value(app *runner.App, m *metrics.Metric, labels ...string) float64 {
	sum := 0.0
	app.Metrics().Collect(func(s metrics.Sample) {
		if s.Metric == m && strings.HasPrefix(strings.Join(s.Labels, " ")+" ", strings.Join(append(labels, ""), " ")) {
			sum += s.Value
		}
	})
	return sum
}

// TestMetricsOfFailedRecords: retries are counted while a record is being retried; afterwards its outcome is counted.
func TestMetricsOfFailedRecords(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		action processor.Action
		metric *metrics.Metric
	}{
		{processor.Skip, metrics.RecordsSkipped},
		{processor.DeadLetter, metrics.RecordsDeadLettered},
	} {
		t.Run(test.metric.Name, func(t *testing.T) {
			c := newCluster(t)
			c.create(c.lines.Name(), 1)
			c.send(c.lines.Name(), 1, "good", "bad", "good")
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			cfg := c.forever()
			cfg.Policies.Process = processor.Policy{Action: test.action, Retries: 2, Backoff: time.Millisecond}
			cfg.Policies.DeadLetters = c.app + ".letters"
			app, err := runner.Start(ctx, c.handled(func(p *textContext) textHandler {
				return func(r textRecord) error {
					if r.Value == "bad" {
						return errors.New("bad record")
					}
					return p.Emit(r.Key, r.Value)
				}
			}), cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer app.Wait()
			defer app.Stop()
			c.await(ctx, func() bool { return value(app, metrics.RecordsProcessed, "0") == 3 })
			for m, want := range map[*metrics.Metric]float64{test.metric: 1, metrics.Retries: 2} {
				if got := value(app, m, "0", "process"); got != want {
					t.Errorf("%s is %v, want %v", m.Name, got, want)
				}
			}
		})
	}
}

// TestMetricsOfHungHandler: a long call is visible while it runs, as hung once it exceeds MaxProcessing, and as the reason of
// the task that waits for it.
func TestMetricsOfHungHandler(t *testing.T) {
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	c.send(c.lines.Name(), 1, "hang")
	h := newHang(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := c.forever()
	cfg.MaxProcessing = 100 * time.Millisecond
	app, err := runner.Start(ctx, c.hanging(h), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer app.Wait()
	defer app.Stop()
	defer h.release()
	c.await(ctx, func() bool { return value(app, metrics.Hung) == 1 })
	if got := value(app, metrics.CallRunning, "0_0"); got < 0.1 {
		t.Errorf("the call has been running for %v s, want at least 0.1", got)
	}
	c.await(ctx, func() bool { return value(app, metrics.Waiting, "0_0", "handler") == 1 })
	if got := value(app, metrics.Rebalances, "assigned"); got < 1 {
		t.Errorf("%v rebalances are counted, but tasks were assigned", got)
	}
	h.release()
	c.await(ctx, func() bool { return value(app, metrics.RecordsProcessed, "0") == 1 })
	if hung, restarts := value(app, metrics.Hung), value(app, metrics.Restarts, "handler"); hung != 0 || restarts != 1 {
		t.Errorf("after the call has returned: %v hung calls, %v restarts", hung, restarts)
	}
}

// TestMetricsOfAbortedTransactions: a transaction that fails because its producer was fenced counts once, and so does the
// task that is opened again.
func TestMetricsOfAbortedTransactions(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := c.forever()
	app := c.launch(ctx, c.handled(echo), cfg)
	c.send(c.lines.Name(), 1, "a")
	c.awaitResults(ctx, "a")
	if got := value(app, metrics.TransactionsAborted); got != 0 {
		t.Errorf("%v aborted transactions before the fault", got)
	}
	for _, id := range c.transactionalIDs(cfg) {
		p, err := c.client.NewProducer(ctx, kafka.ProducerConfig{TransactionalID: id})
		if err != nil {
			t.Fatal(err)
		}
		p.Close()
	}
	c.send(c.lines.Name(), 1, "b")
	c.awaitResults(ctx, "a b")
	if got := value(app, metrics.TransactionsAborted); got != 1 {
		t.Errorf("%v aborted transactions, want 1", got)
	}
	if got := value(app, metrics.Restarts, "transaction"); got != 1 {
		t.Errorf("%v restarts because of a transaction, want 1", got)
	}
}

// TestMetricsOfDrops: drops are counted by step and reason, and the counts stay when the task moves to another process.
func TestMetricsOfDrops(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	p, err := c.client.NewProducer(t.Context(), kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	for partition := range int32(2) {
		if err := errors.Join(p.Send(c.lines.Name(), partition, kafka.Record{Value: []byte("keyless")}), p.Flush(t.Context())); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	start := func() *runner.App {
		cfg := c.forever()
		cfg.Dir = t.TempDir()
		app, err := runner.Start(ctx, c.byKey(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			app.Stop()
			app.Wait()
		})
		return app
	}
	first := start()
	dropped := func() float64 {
		sum := 0.0
		first.Metrics().Collect(func(s metrics.Sample) {
			if s.Metric == metrics.RecordsDropped && strings.Contains(s.Labels[1], "binding_test.go") && s.Labels[2] == "no-key" {
				sum += s.Value
			}
		})
		return sum
	}
	c.await(ctx, func() bool { return dropped() == 2 })
	second := start()
	c.await(ctx, func() bool {
		return value(second, metrics.Tasks, "processing") == 1 && value(first, metrics.Tasks, "processing") == 1
	})
	if got := dropped(); got != 2 {
		t.Errorf("%v drops after a task has moved, want 2", got)
	}
	if got := value(first, metrics.Rebalances, "revoked"); got < 1 {
		t.Errorf("%v rebalances that revoked tasks, want at least 1", got)
	}
}
