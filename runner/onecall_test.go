package runner_test

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rio-streams/rio/processor"
)

// TestATaskMakesOneCallAtATime: tasks run concurrently in several workers, but the calls of one task's handler and timers
// never overlap.
//
// Proves: one-call-at-a-time
func TestATaskMakesOneCallAtATime(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 4)
	c.send(c.lines.Name(), 4, numbers(2000)...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var calls, overlaps, ticks atomic.Int32
	finished := make(chan struct{})
	cfg := c.forever()
	cfg.Workers = 4
	done, stop := c.start(ctx, c.handled(func(p *textContext) textHandler {
		var inside atomic.Bool // of this task
		call := func() (leave func()) {
			if inside.Swap(true) {
				overlaps.Add(1)
			}
			runtime.Gosched() // lets other goroutines run
			return func() { inside.Store(false) }
		}
		p.Schedule(time.Millisecond, processor.WallClock, func(time.Time) error {
			defer call()()
			ticks.Add(1)
			return nil
		})
		return func(textRecord) error {
			defer call()()
			if calls.Add(1) == 2000 {
				close(finished)
			}
			return nil
		}
	}), cfg)
	select {
	case <-finished:
	case <-ctx.Done():
		t.Fatal("the records were not handled in time")
	}
	c.await(ctx, func() bool { return ticks.Load() > 0 })
	stop()
	endsWell(t, done)
	if n := overlaps.Load(); n > 0 {
		t.Errorf("%d calls began while another of the same task had not returned", n)
	}
}
