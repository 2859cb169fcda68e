package runner_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// service stands for the outside. It can be called from several goroutines.
type service struct {
	mu      sync.Mutex
	calls   map[string]int // by id
	running int
	most    int // calls at once
	do      func(ctx context.Context, v string, attempt int) error
}

func (s *service) call(ctx context.Context, v string) (string, error) {
	id := processor.CallID(ctx)
	s.mu.Lock()
	if s.calls == nil {
		s.calls = map[string]int{}
	}
	s.calls[id]++
	attempt := s.calls[id]
	s.running++
	s.most = max(s.most, s.running)
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.running--
		s.mu.Unlock()
	}()
	if s.do != nil {
		if err := s.do(ctx, v, attempt); err != nil {
			return "", err
		}
	}
	return v + "!", nil
}

func (s *service) counted() (ids, most int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.calls), s.most
}

// calling counts the lines and calls a service for each.
func (c *cluster) calling(s *service, limits topology.Calls, policy processor.Policy) *topology.Topology {
	c.t.Helper()
	b := topology.NewBuilder(c.app)
	in := topology.From(b, c.lines)
	topology.Count(in, "counts").To(c.counts)
	topology.MapAsync(in, "call", s.call, limits).OnError(policy).To(c.out())
	return c.build(b)
}

// TestCallsToTheOutside: calls overlap, failed ones are retried and then dead-lettered, results are in the order of the
// records, and nothing is lost or doubled over a restart.
//
// Proves: calls-are-not-lost
func TestCallsToTheOutside(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	c.create(c.app+".out", 1)
	meet := make(chan struct{}) // the first two calls wait for each other
	s := &service{do: func(ctx context.Context, v string, attempt int) error {
		switch {
		case v == "0" && attempt == 1:
			meet <- struct{}{}
		case v == "1" && attempt == 1:
			<-meet
		case v == "7":
			return errors.New("refused")
		case v == "8" && attempt == 1:
			return errors.New("busy")
		case v == "9" && attempt == 1:
			<-ctx.Done() // the timeout
			return ctx.Err()
		}
		return nil
	}}
	cfg := c.config()
	cfg.Policies.DeadLetters = c.app + ".letters"
	limits := topology.Calls{InFlight: 4, Timeout: 200 * time.Millisecond}
	policy := processor.Policy{Action: processor.DeadLetter, Retries: 1, Backoff: time.Millisecond}
	var want []string
	for _, v := range numbers(40) {
		if v != "7" {
			want = append(want, v+"!")
		}
	}
	for _, batch := range [][]string{numbers(40)[:20], numbers(40)[20:]} {
		c.send(c.lines.Name(), 1, batch...)
		if err := runner.Run(t.Context(), c.calling(s, limits, policy), cfg); err != nil {
			t.Fatal(err)
		}
	}
	if got := values(c.read(c.app + ".out")); got != strings.Join(want, " ") {
		t.Errorf("results are %v, want %v", got, want)
	}
	if got := values(c.read(cfg.Policies.DeadLetters)); got != "7" {
		t.Errorf("dead letters are %v", got)
	}
	if ids, most := s.counted(); ids != 40 || most < 2 || most > limits.InFlight {
		t.Errorf("%d records were called for, at most %d at once", ids, most)
	}
}

// TestStopCancelsCalls: a call that waits for its context is cancelled by a stop. Its record is processed again, and counts
// once.
//
// Proves: calls-are-not-lost
func TestStopCancelsCalls(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	called := make(chan struct{}, 10)
	s := &service{do: func(ctx context.Context, v string, attempt int) error {
		if v == "slow" && attempt == 1 {
			called <- struct{}{}
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	}}
	top := c.calling(s, topology.Calls{Timeout: 4 * time.Second}, processor.Policy{Action: processor.Skip})
	done, stop := c.start(t.Context(), top, c.forever())
	c.sendKey(c.lines.Name(), "slow")
	<-called
	stop()
	endsWell(t, done)
	if got := values(c.read(c.app + ".out")); len(got) > 0 {
		t.Errorf("the cancelled call has results: %v", got)
	}
	if err := runner.Run(t.Context(), top, c.config()); err != nil {
		t.Fatal(err)
	}
	if got := values(c.read(c.app + ".out")); got != "slow!" {
		t.Errorf("results are %v", got)
	}
	if ids, _ := s.counted(); ids != 1 {
		t.Errorf("the repeated call has another id: %v", s.calls)
	}
	if _, records := c.final(); records["0"] != 1 {
		t.Errorf("counts of %v records", records)
	}
}

// Calls that may take longer than a transaction are refused at the start.
func TestCallsFitIntoATransaction(t *testing.T) {
	c := &cluster{t: t, names: named("calls")}
	cfg := runner.Config{TransactionTimeout: 10 * time.Second}
	top := c.calling(&service{}, topology.Calls{}, processor.Policy{Retries: 2})
	_, err := runner.Start(t.Context(), top, cfg)
	if err == nil || !strings.Contains(err.Error(), "map-async call (calls_test.go:") || !strings.Contains(err.Error(), "a call may take 6.3s") {
		t.Errorf("Start returns %v", err)
	}
}
