package runner_test

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// TestHandle checks the state, tasks and lag that App reports from the start to the end of an application.
//
// Proves: handle-tells-the-state
func TestHandle(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 2)
	c.send(c.lines.Name(), 2, "rio mar", "rio", "mar rio", "lago")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := c.config()
	cfg.StopAtEnd = false
	app, err := runner.Start(ctx, c.wordCount(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	c.await(ctx, func() bool {
		s := app.Snapshot()
		for _, task := range s.Tasks {
			for _, in := range task.Inputs {
				if in.Lag() != 0 { // control records of transactions must have been read, too
					return false
				}
			}
		}
		return s.Counters.Processed == 4+6 // lines, then words behind the repartition topic
	})
	if err := app.Ready(); err != nil {
		t.Errorf("not ready although it is processing: %v", err)
	}
	s := app.Snapshot()
	if s.State != runner.Running || s.Application != c.app || len(s.Brokers) != 1 || s.Brokers[0] != c.addr {
		t.Errorf("snapshot: application %s, state %s, brokers %v", s.Application, s.State, s.Brokers)
	}
	if len(s.Tasks) != 4 {
		t.Errorf("there are %d tasks, want two of each sub-topology: %+v", len(s.Tasks), s.Tasks)
	}
	for _, task := range s.Tasks {
		if task.State != runner.Processing || task.Reason != "" || task.Committed.IsZero() {
			t.Errorf("task %s is %s (%s), committed at %v", task.Name, task.State, task.Reason, task.Committed)
		}
		for _, in := range task.Inputs {
			if in.Lag() != 0 || in.End < 0 || in.Buffered != 0 {
				t.Errorf("task %s lags %d offsets of %d behind in %s/%d", task.Name, in.Lag(), in.End, in.Topic, in.Partition)
			}
		}
		if stateful := strings.HasPrefix(task.Name, "1_"); stateful != (len(task.Stores) == 1) {
			t.Errorf("task %s has the stores %v", task.Name, task.Stores)
		}
	}
	app.Stop()
	if err := app.Wait(); err != nil {
		t.Errorf("Wait returned %v after a stop", err)
	}
	if state := app.State(); state != runner.Stopped {
		t.Errorf("state %s after Wait", state)
	}
	if err := app.Ready(); err == nil || !strings.Contains(err.Error(), "stopped") {
		t.Errorf("Ready returned %v after Wait", err)
	}
}

// TestStopWhileItStarts: an application that is stopped during startup ends without an error, whatever it is waiting for and
// whichever way it is stopped.
//
// Proves: stop-in-time
func TestStopWhileItStarts(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0") // a broker that never answers
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	accepted := make(chan struct{}, 1)
	go func() {
		for {
			if _, err := silent.Accept(); err != nil {
				return
			}
			select {
			case accepted <- struct{}{}:
			default:
			}
		}
	}()
	working := newCluster(t)
	working.create(working.lines.Name(), 1)

	errCause := errors.New("a cause of the caller's")
	for name, stop := range map[string]func(*runner.App, context.CancelCauseFunc){
		"Stop":                 func(app *runner.App, _ context.CancelCauseFunc) { app.Stop() },
		"context":              func(_ *runner.App, cancel context.CancelCauseFunc) { cancel(nil) },
		"context with a cause": func(_ *runner.App, cancel context.CancelCauseFunc) { cancel(errCause) },
	} {
		t.Run(name, func(t *testing.T) {
			run := func(cfg runner.Config, reached func()) {
				t.Helper()
				ctx, cancel := context.WithCancelCause(t.Context())
				defer cancel(nil)
				app, err := runner.Start(ctx, working.wordCount(), cfg)
				if err != nil {
					t.Fatal(err)
				}
				reached()
				stop(app, cancel)
				if err := app.Wait(); err != nil {
					t.Errorf("Wait returned %v after a stop", err)
				}
				if state := app.State(); state != runner.Stopped {
					t.Errorf("state %s after Wait", state)
				}
			}
			cfg := working.config()
			cfg.Brokers = []string{silent.Addr().String()}
			run(cfg, func() { <-accepted })
			for i := range 20 { // at different moments of a start
				run(working.config(), func() {
					for range i * 1000 {
						runtime.Gosched()
					}
				})
			}
		})
	}
}

// TestHandleOfAFailure: Wait returns the error that ends a run, and the state is Failed.
//
// Proves: handle-tells-the-state
func TestHandleOfAFailure(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	cfg := c.config()
	cfg.CreateTopics = false
	app, err := runner.Start(t.Context(), c.wordCount(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	err = app.Wait()
	if err == nil || !strings.Contains(err.Error(), "no such topic") {
		t.Errorf("a missing topic: %v", err)
	}
	if state := app.State(); state != runner.Failed {
		t.Errorf("it is %s", state)
	}
	if _, err := runner.Start(t.Context(), c.wordCount(), runner.Config{Workers: -1}); err == nil {
		t.Error("Start accepted an invalid configuration")
	}
}

// TestTopologyThatWasNotBuilt: a program that ignores Build's error gets an error from Run, not a panic.
func TestTopologyThatWasNotBuilt(t *testing.T) {
	top, _ := topology.NewBuilder("nothing").Build()
	_, err := runner.Start(t.Context(), top, runner.Config{})
	for call, err := range map[string]error{
		"Start":   err,
		"Run":     runner.Run(t.Context(), top, runner.Config{}),
		"Reset":   runner.Reset(t.Context(), top, runner.Config{}, kafka.Earliest),
		"Rebuild": runner.Rebuild(t.Context(), top, runner.Config{}),
	} {
		if err == nil || !strings.Contains(err.Error(), "Build returned an error") {
			t.Errorf("%s returns %v, want an error that names Build", call, err)
		}
	}
}

// TestDropsAreToldAndCounted: the snapshot counts dropped records by step and reason, and the log has a few messages about
// them, not one per record.
//
// Proves: left-out-records-are-counted
func TestDropsAreToldAndCounted(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	b := topology.NewBuilder(c.app)
	perMinute := topology.Window(topology.From(b, c.lines), topology.Tumbling(time.Minute))
	out := topology.NewTopic(c.app+".per-minute", codec.Windowed(codec.String), codec.Int64)
	topology.Count(perMinute, "per-minute").To(out)
	top := c.build(b)

	c.create(c.lines.Name(), 1)
	p, err := c.client.NewProducer(t.Context(), kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	send := func(r kafka.Record) {
		t.Helper()
		if err := p.Send(c.lines.Name(), 0, r); err != nil {
			t.Fatal(err)
		}
	}
	send(kafka.Record{Timestamp: time.Hour.Milliseconds(), Key: []byte("a"), Value: []byte("in time")})
	const late, keyless = 990, 9
	for range late {
		send(kafka.Record{Timestamp: 1, Key: []byte("a"), Value: []byte("late")})
	}
	for range keyless {
		send(kafka.Record{Timestamp: time.Hour.Milliseconds(), Value: []byte("no key")})
	}
	if err := p.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}

	var log logs
	cfg := c.config()
	log.record(&cfg)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	app, err := runner.Start(ctx, top, cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Wait(); err != nil {
		t.Fatal(err)
	}
	counted := map[string]int64{}
	for _, d := range app.Snapshot().Counters.Drops {
		if !strings.Contains(d.Step, "app_test.go:") || d.Example.Topic != c.lines.Name() {
			t.Errorf("a drop lacks its step or an example record: %+v", d)
		}
		counted[d.Reason] += d.Count
	}
	if want := map[string]int64{"late": late, "no-key": keyless}; fmt.Sprint(counted) != fmt.Sprint(want) {
		t.Errorf("counted %v, want %v", counted, want)
	}
	for _, reason := range []string{"late", "no-key"} {
		if n := log.count("reason=" + reason); n < 1 || n > 3 {
			t.Errorf("%d lines about %s records, want one to three:\n%s", n, reason, log.all())
		}
	}
}

// TestACopyOfAStateDirectoryFences: two processes with the same instance id never run at the same time. The older one ends
// with ErrFenced.
func TestACopyOfAStateDirectoryFences(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	first := c.config()
	first.StopAtEnd = false
	app, err := runner.Start(ctx, c.wordCount(), first)
	if err != nil {
		t.Fatal(err)
	}
	c.await(ctx, func() bool { return app.State() == runner.Running })

	second := c.config()
	second.StopAtEnd = false
	copyIdentity(t, first.Dir, second.Dir)
	other, err := runner.Start(ctx, c.wordCount(), second)
	if err != nil {
		t.Fatal(err)
	}
	if err := app.Wait(); !errors.Is(err, runner.ErrFenced) {
		t.Errorf("the first ends with %v, want ErrFenced", err)
	}
	other.Stop()
	if err := other.Wait(); err != nil {
		t.Errorf("the second: %v", err)
	}
}

// copyIdentity copies the process id from one state directory to another.
func copyIdentity(t *testing.T, from, to string) {
	t.Helper()
	err := filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.Name() != "process-id" {
			return err
		}
		relative, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		id, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, relative)
		return errors.Join(os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, id, 0o644))
	})
	if err != nil {
		t.Fatal(err)
	}
}
