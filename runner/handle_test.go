package runner_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// states records the state changes of an application.
type states struct {
	mu   sync.Mutex
	seen []runner.StateChange
}

func (s *states) add(c runner.StateChange) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen = append(s.seen, c)
}

func (s *states) list() []runner.StateChange {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.seen)
}

// has reports whether the application has entered a state for a reason that contains a text.
func (s *states) has(state runner.State, reason string) bool {
	return slices.ContainsFunc(s.list(), func(c runner.StateChange) bool {
		return c.To == state && strings.Contains(c.Reason, reason)
	})
}

// launch starts an application and stops it at the end of the test.
func (c *cluster) launch(ctx context.Context, top *topology.Topology, cfg runner.Config) *runner.App {
	c.t.Helper()
	app, err := runner.Start(ctx, top, cfg)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() {
		app.Stop()
		if err := app.Wait(); err != nil {
			c.t.Error(err)
		}
	})
	return app
}

// get returns the status and the body of a response of the application's HTTP handler.
func get(app *runner.App, path string) (int, string) {
	answer := httptest.NewRecorder()
	app.Handler().ServeHTTP(answer, httptest.NewRequest("GET", path, nil))
	body, _ := io.ReadAll(answer.Body)
	return answer.Code, strings.TrimSpace(string(body))
}

// TestStateChanges: the listener is called for every state change, in order, and From is always the previous To.
//
// Proves: state-changes-in-order
func TestStateChanges(t *testing.T) {
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	var heard states
	stopped := make(chan struct{})
	cfg := c.forever()
	cfg.OnStateChange = func(change runner.StateChange) {
		heard.add(change)
		if change.To == runner.Stopped {
			close(stopped)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	app := c.launch(ctx, c.wordCount(), cfg)
	c.await(ctx, func() bool { return app.State() == runner.Running })
	app.Stop()
	if err := app.Wait(); err != nil {
		t.Fatal(err)
	}
	<-stopped
	at := runner.Starting
	var order []runner.State
	for _, change := range heard.list() {
		if change.From != at {
			t.Errorf("a change from %v follows a change to %v", change.From, at)
		}
		at = change.To
		order = append(order, at)
	}
	if want := []runner.State{runner.Restoring, runner.Running, runner.Stopping, runner.Stopped}; !slices.Equal(order, want) {
		t.Errorf("states %v, want %v", order, want)
	}
	if !heard.has(runner.Stopping, "Stop was called") {
		t.Errorf("no reason for the stop: %v", heard.list())
	}
}

// TestProbes checks the responses to probes while an application starts, runs, is paused, and has ended.
//
// Proves: ready-means-processing
func TestProbes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	c.send(c.lines.Name(), 2, "rio mar")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	app := c.launch(ctx, c.wordCount(), c.forever())
	want := func(path string, code int, says string) {
		t.Helper()
		if got, body := get(app, path); got != code || !strings.Contains(body, says) {
			t.Errorf("%s returned %d %s, want %d with %q", path, got, body, code, says)
		}
	}
	want("/healthz", 200, "")
	c.await(ctx, func() bool { return app.Snapshot().Counters.Processed == 1+2 })
	want("/healthz", 200, "running")
	want("/readyz", 200, "running")
	want("/debug/pprof/", 404, "")
	want("/metrics", 200, `rio_records_processed_total{application="`+c.app+`",subtopology="0"} 1`)
	want("/metrics", 200, "go_goroutines")
	app.Pause()
	want("/healthz", 200, "running")
	want("/readyz", 503, "is paused")
	app.Resume()
	want("/readyz", 200, "running")

	_, body := get(app, "/snapshot.json")
	var snapshot struct {
		State    string
		Tasks    []struct{ Name, State string }
		Counters struct{ Processed int }
	}
	if err := json.Unmarshal([]byte(body), &snapshot); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	if snapshot.State != "running" || len(snapshot.Tasks) != 4 || snapshot.Tasks[0].State != "processing" || snapshot.Counters.Processed != 3 {
		t.Errorf("snapshot: %s", body)
	}
	app.Stop()
	if err := app.Wait(); err != nil {
		t.Fatal(err)
	}
	want("/healthz", 503, "stopped")
	want("/readyz", 503, "stopped")
}

// TestPause: a paused application processes nothing, and no record is missing afterwards.
//
// Proves: pause-loses-nothing
func TestPause(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	app := c.launch(ctx, c.handled(echo), c.forever())
	c.send(c.lines.Name(), 2, "a", "b")
	c.awaitResults(ctx, "a b")
	app.Pause()
	app.Pause()
	c.send(c.lines.Name(), 2, "c", "d")
	c.await(ctx, func() bool { // records are fetched, but not processed
		buffered := 0
		for _, task := range app.Snapshot().Tasks {
			for _, in := range task.Inputs {
				buffered += in.Buffered
			}
		}
		return buffered == 2
	})
	if got := c.sortedResults(); got != "a b" {
		t.Errorf("results during a pause: %s", got)
	}
	app.Resume()
	c.awaitResults(ctx, "a b c d")
}

// TestNotReady checks a readiness probe while a handler hangs, while a transaction is stuck, and while the lag is large.
//
// Proves: ready-means-processing
func TestNotReady(t *testing.T) {
	long(t)
	notReady := func(c *cluster, ctx context.Context, app *runner.App, says ...string) {
		c.t.Helper()
		c.await(ctx, func() bool {
			code, body := get(app, "/readyz")
			for _, text := range says {
				if !strings.Contains(body, text) {
					return false
				}
			}
			return code == 503
		})
	}
	ready := func(c *cluster, ctx context.Context, app *runner.App) {
		c.t.Helper()
		c.await(ctx, func() bool { code, _ := get(app, "/readyz"); return code == 200 })
	}

	t.Run("hung handler", func(t *testing.T) {
		t.Parallel()
		c := newCluster(t)
		c.create(c.lines.Name(), 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cfg := c.forever()
		cfg.StallTimeout = 300 * time.Millisecond
		goOn := make(chan struct{})
		app := c.launch(ctx, c.handled(func(p *textContext) textHandler {
			return func(r textRecord) error {
				if r.Value == "b" {
					<-goOn
				}
				return p.Emit(r.Key, r.Value)
			}
		}), cfg)
		c.send(c.lines.Name(), 1, "a", "b", "c")
		notReady(c, ctx, app, "degraded", "task 0_0 is stalled", "at offset", "slow", "has not returned", c.lines.Name())
		close(goOn)
		ready(c, ctx, app)
	})

	t.Run("stuck transaction", func(t *testing.T) {
		t.Parallel()
		c := newCluster(t)
		c.create(c.lines.Name(), 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cfg := c.forever()
		cfg.StallTimeout = 300 * time.Millisecond
		app := c.launch(ctx, c.handled(echo), cfg)
		ready(c, ctx, app)
		p, err := c.client.NewProducer(ctx, kafka.ProducerConfig{TransactionalID: c.app + "-stuck"})
		if err != nil {
			t.Fatal(err)
		}
		defer p.Close()
		if err := p.Send(c.lines.Name(), 0, kafka.Record{Value: []byte("a")}); err != nil {
			t.Fatal(err)
		}
		if err := p.Flush(ctx); err != nil {
			t.Fatal(err)
		}
		notReady(c, ctx, app, "degraded", "task 0_0 is stalled", c.app+"-stuck")
		if err := p.Commit(ctx); err != nil {
			t.Fatal(err)
		}
		ready(c, ctx, app)
	})

	t.Run("backlog", func(t *testing.T) {
		t.Parallel()
		c := newCluster(t)
		c.create(c.lines.Name(), 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		c.send(c.lines.Name(), 1, numbers(50)...)
		cfg := c.forever()
		cfg.ReadyLag = 10
		goOn := make(chan struct{})
		app := c.launch(ctx, c.handled(func(*textContext) textHandler {
			return func(r textRecord) error {
				if r.Value == "20" {
					<-goOn
				}
				return nil
			}
		}), cfg)
		notReady(c, ctx, app, "catching up", "offsets behind")
		close(goOn)
		ready(c, ctx, app)
	})
}

// TestLocalStore: other goroutines read the committed rows of tables and declared stores, typed, while records are processed.
//
// Proves: local-store-shows-what-is-committed
func TestLocalStore(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	b := topology.NewBuilder(c.app)
	words := topology.KeyBy(topology.From(b, c.lines), "by-word", func(s string) string { return s })
	counts := topology.Count(words, "counts")
	windows := topology.Count(topology.Window(words, topology.Tumbling(time.Minute)), "per-minute")
	top := c.build(b)
	c.create(c.lines.Name(), 3)
	var lines []string
	want := map[string]int64{}
	for i := range 90 {
		word := fmt.Sprintf("w%d", i%10)
		lines = append(lines, word)
		want[word]++
	}
	c.send(c.lines.Name(), 3, lines...)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	app := c.launch(ctx, top, c.forever())
	store, err := runner.Local(app, counts)
	if err != nil {
		t.Fatal(err)
	}
	all := func() (map[string]int64, error) {
		rows := map[string]int64{}
		for row, err := range store.All() {
			if err != nil {
				return rows, err
			}
			rows[row.Key] = row.Value
		}
		return rows, nil
	}
	c.await(ctx, func() bool {
		rows, err := all()
		if err != nil && !errors.Is(err, runner.ErrUnavailable) {
			t.Fatal(err)
		}
		return err == nil && maps.Equal(rows, want)
	})
	if n, found, err := store.Get("w3"); n != 9 || !found || err != nil {
		t.Errorf("Get: %d, %v, %v", n, found, err)
	}
	if _, found, err := store.Get("nobody"); found || err != nil {
		t.Errorf("Get of a missing key in the only process: %v, %v", found, err)
	}
	perMinute, err := runner.Local(app, windows)
	if err != nil {
		t.Fatal(err)
	}
	if n, found, err := perMinute.Get(codec.WindowKey[string]{Key: "w3", Start: time.UnixMilli(0)}); n != 9 || !found || err != nil {
		t.Errorf("Get of a window: %d, %v, %v", n, found, err)
	}
	if _, err := runner.Local(app, state.NewKeyValue("nothing", codec.String, codec.String)); !errors.Is(err, state.ErrNoStore) {
		t.Errorf("a store that the topology does not have: %v", err)
	}

	// If the application stops during an iteration, the iteration ends with an error and the stop continues.
	var last error
	for _, err := range store.All() {
		app.Stop()
		c.await(ctx, func() bool { return app.State() == runner.Stopping })
		last = err
	}
	if last != nil && !errors.Is(last, runner.ErrUnavailable) {
		t.Errorf("the loop ends with %v", last)
	}
	if err := app.Wait(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := store.Get("w3"); !errors.Is(err, runner.ErrUnavailable) {
		t.Errorf("Get after the end: %v", err)
	}
}

// TestResultsThatGoNowhere: a step whose results are not used is logged when the application starts. Steps that write to a
// topic or a store, and steps with side effects, are not logged.
func TestResultsThatGoNowhere(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	b := topology.NewBuilder(c.app)
	lines := topology.From(b, c.lines)
	lines.Filter(func(s string) bool { return s != "" })
	lines.Peek(func(textRecord) {})
	topology.KeyBy(lines, "forgotten", strings.ToUpper)
	topology.Count(lines, "kept")
	lines.To(c.out())
	c.create(c.lines.Name(), 1)
	var log logs
	cfg := c.config()
	log.record(&cfg)
	if err := runner.Run(t.Context(), c.build(b), cfg); err != nil {
		t.Fatal(err)
	}
	if n := log.count("results are not used"); n != 2 {
		t.Errorf("%d warnings, want 2: of the filter and of the KeyBy", n)
	}
}
