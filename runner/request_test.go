package runner_test

import (
	"context"
	"testing"
	"time"

	"github.com/rio-streams/rio/runner"
)

// TestRequestCommit: a commit that a step requests comes at once, and with it what the step has counted.
func TestRequestCommit(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := c.forever()
	cfg.CommitInterval, cfg.TransactionTimeout = 4*time.Minute, 12*time.Minute // more than the broker allows is refused
	closed := make(chan struct{})
	top := c.handled(func(p *textContext) textHandler {
		seen := p.Counter("seen")
		p.OnClose(func() error { close(closed); return nil })
		return func(r textRecord) error {
			seen.Add(2)
			if r.Value == "commit" {
				p.RequestCommit()
			}
			return p.Emit(r.Key, r.Value)
		}
	})
	app, err := runner.Start(ctx, top, cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.send(c.lines.Name(), 1, "a", "b", "commit")
	c.await(ctx, func() bool { return len(c.read(c.out().Name())) == 3 })
	c.await(ctx, func() bool {
		for _, task := range app.Snapshot().Tasks {
			if len(task.Counters.Events) > 0 {
				event := task.Counters.Events[0]
				return event.Name == "seen" && event.Count == 6
			}
		}
		return false
	})
	app.Stop()
	if err := app.Wait(); err != nil {
		t.Error(err)
	}
	select {
	case <-closed:
	default:
		t.Error("the step was not closed")
	}
}
