package task_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// steps builds a plan with one step that writes to out.
func steps(t *testing.T, start func(*processor.Context[string, string]) processor.Handler[string, string]) *plan.Plan {
	t.Helper()
	b := topology.NewBuilder("app")
	topology.Process(topology.From(b, texts("in")), "step", start).To(texts("out"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top.Plan()
}

// TestYield: the owner can end Step after any record, but Step always makes progress.
func TestYield(t *testing.T) {
	tk, _ := newTask(t, steps(t, func(*processor.Context[string, string]) processor.Handler[string, string] {
		return func(processor.Record[string, string]) error { return nil }
	}), nil)
	tk.Add("in", []plan.Raw{record(0, 1, "a"), record(1, 2, "b"), record(2, 3, "c"), record(3, 4, "d")}, 4, true)
	asked := 0
	yield := func() bool { asked++; return asked == 2 }
	if n, err := tk.Step(100, yield); n != 2 || err != nil {
		t.Fatalf("%d records, %v; want 2", n, err)
	}
	if n, err := tk.Step(100, func() bool { return true }); n != 1 || err != nil {
		t.Fatalf("%d records, %v; want 1", n, err)
	}
	mustStep(t, tk, 1)
}

// TestARecordStaysInHandUntilItIsDone: while a record waits for its retry, the task processes no other record, not even
// an earlier one that arrives at another input.
func TestARecordStaysInHandUntilItIsDone(t *testing.T) {
	b := topology.NewBuilder("app")
	var order []string
	fails := true
	merged := topology.From(b, texts("in")).Merge(topology.From(b, texts("table")))
	topology.Process(merged, "step", func(*processor.Context[string, string]) processor.Handler[string, string] {
		return func(r processor.Record[string, string]) error {
			order = append(order, r.Value)
			if r.Value == "late" && fails {
				fails = false
				return errors.New("not now")
			}
			return nil
		}
	})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	tk, _ := newTask(t, top.Plan(), func(cfg *task.Config) { cfg.Policies.Process.Retries = 1 })
	tk.Add("in", []plan.Raw{record(0, 20, "late")}, 1, true)
	tk.Add("table", nil, 0, true)
	var retry *task.RetryError
	if _, err := tk.Step(100, nil); !errors.As(err, &retry) {
		t.Fatalf("error %v, want a retry", err)
	}
	tk.Add("table", []plan.Raw{record(0, 10, "early")}, 1, true)
	mustStep(t, tk, 2)
	expect(t, "order", order, []string{"late", "late", "early"})
}

// TestStopped: no policy applies to an error that is caused by the stop of the task.
func TestStopped(t *testing.T) {
	policies := map[string]processor.Policies{
		"fail":        {},
		"skip":        {Process: processor.Policy{Action: processor.Skip}},
		"retry":       {Process: processor.Policy{Action: processor.Skip, Retries: 5, Backoff: time.Hour}},
		"dead letter": {Process: processor.Policy{Action: processor.DeadLetter}, DeadLetters: "letters"},
	}
	for name, policy := range policies {
		t.Run(name, func(t *testing.T) {
			ctx, stop := context.WithCancel(t.Context())
			p := steps(t, func(c *processor.Context[string, string]) processor.Handler[string, string] {
				return func(r processor.Record[string, string]) error {
					if err := c.Emit(r.Key, r.Value); err != nil {
						return err
					}
					if r.Value == "call" {
						stop()
						<-c.Context().Done()
						return errors.New("call: interrupted") // some clients do not wrap the error of the context
					}
					return nil
				}
			})
			tk, out := newTask(t, p, func(cfg *task.Config) { cfg.Policies, cfg.Context = policy, ctx })
			tk.Add("in", []plan.Raw{record(0, 1, "a"), record(1, 2, "call"), record(2, 3, "c")}, 3, true)
			if n, err := tk.Step(100, nil); n != 1 || !errors.Is(err, task.ErrStopped) {
				t.Fatalf("%d records, %v; want 1 and that it stopped", n, err)
			}
			expect(t, "results", out.sent, []string{"out k=a"})
			expect(t, "to commit", offsets(tk), "in/0 1 at 2")
			expect(t, "left out", len(tk.Counters().Skipped), 0)
			if err := tk.Flush(); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// TestATimerThatIsStoppedIsNotCommitted: stream time has passed the timer, so a commit would lose its call.
func TestATimerThatIsStoppedIsNotCommitted(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	p := steps(t, func(c *processor.Context[string, string]) processor.Handler[string, string] {
		c.Schedule(time.Second, processor.StreamTime, func(time.Time) error {
			stop()
			return c.Context().Err()
		})
		return func(processor.Record[string, string]) error { return nil }
	})
	tk, _ := newTask(t, p, func(cfg *task.Config) { cfg.Context = ctx })
	tk.Add("in", []plan.Raw{record(0, 1, "a"), record(1, 2000, "b")}, 2, true)
	if n, err := tk.Step(100, nil); n != 1 || !errors.Is(err, task.ErrStopped) {
		t.Fatalf("%d records, %v; want 1 and that it stopped", n, err)
	}
	if err := tk.Flush(); err == nil || !strings.Contains(err.Error(), "Flush is called while the task is broken") {
		t.Errorf("flush: %v", err)
	}
}

// TestLegalOrderOfCalls: a call in the wrong order returns an error and changes nothing.
func TestLegalOrderOfCalls(t *testing.T) {
	nowhere := func(string, int32) (int64, bool) { return 0, true }
	calls := map[string]func(*task.Task) error{
		"seek":      func(tk *task.Task) error { return tk.Seek("in", 0) },
		"load":      func(tk *task.Task) error { return tk.Load("table", nil, 1) },
		"step":      func(tk *task.Task) error { _, err := tk.Step(1, nil); return err },
		"tick":      func(tk *task.Task) error { return tk.Tick(time.UnixMilli(1)) },
		"flush":     func(tk *task.Task) error { return tk.Flush() },
		"committed": func(tk *task.Task) error { return tk.Committed(nowhere) },
		"close":     (*task.Task).Close,
	}
	for script, want := range map[string]string{
		"load seek step tick flush committed step flush committed close": "",
		"seek flush committed": "", // nothing has arrived
		"step seek":            "Seek is called while the task is processing",
		"tick load":            "Load is called while the task is processing",
		"committed":            "Committed is called while the task is restoring",
		"step committed":       "Committed is called while the task is processing",
		"flush step":           "Step is called while the task is flushed",
		"flush tick":           "Tick is called while the task is flushed",
		"flush flush":          "Flush is called while the task is flushed",
		"close step":           "Step is called while the task is closed",
	} {
		tk, _ := newTask(t, joined(t), nil)
		var got error
		for name := range strings.FieldsSeq(script) {
			if got = calls[name](tk); got != nil {
				break
			}
		}
		switch {
		case want == "" && got != nil:
			t.Errorf("%s: %v", script, got)
		case want != "" && (got == nil || got.Error() != "task 0_0: "+want):
			t.Errorf("%s: %v, want %s", script, got, want)
		}
	}
}
