package task_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/replica"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// Tests that scripts of package topologytest cannot express: gaps in the log, inputs that lag, rejected records, failed
// commits.

func texts(name string) topology.Topic[string, string] {
	return topology.NewTopic(name, codec.String, codec.String)
}

// joined returns a topology that counts a stream and joins it with a table.
func joined(t *testing.T) *plan.Plan {
	t.Helper()
	b := topology.NewBuilder("app")
	in := topology.From(b, texts("in"))
	topology.Count(in, "counts")
	topology.LeftJoin(in, topology.TableFrom(b, texts("table")), func(v, w string, _ bool) string { return v + w }).To(texts("out"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top.Plan()
}

// log is the output of a task. It stores records and rejects some.
type log struct {
	sent    []string
	refused string // a value that is rejected
	broken  error
}

func (l *log) Send(out task.Out) error {
	if l.broken != nil {
		return l.broken
	}
	if l.refused != "" && string(out.Value) == l.refused {
		return fmt.Errorf("%w: too large", task.ErrRefused)
	}
	l.sent = append(l.sent, fmt.Sprintf("%s %s=%s", out.Topic, out.Key, out.Value))
	return nil
}

func newTask(t *testing.T, p *plan.Plan, change func(*task.Config)) (*task.Task, *log) {
	t.Helper()
	out := &log{}
	cfg := task.Config{
		Plan: p, Subtopology: p.Subtopologies[0], Counts: map[string]int32{"in": 1, "table": 1, "out": 1},
		DB: state.NewMemory(), Output: out,
	}
	if change != nil {
		change(&cfg)
	}
	tk, err := task.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := tk.Close(); err != nil {
			t.Error(err)
		}
	})
	return tk, out
}

// record returns a record with key k.
func record(offset, timestamp int64, value string) plan.Raw {
	return plan.Raw{Offset: offset, Timestamp: timestamp, Key: []byte("k"), Value: []byte(value)}
}

func mustStep(t *testing.T, tk *task.Task, want int) {
	t.Helper()
	if n, err := tk.Step(100, nil); n != want || err != nil {
		t.Fatalf("%d records, %v; want %d", n, err, want)
	}
}

// offsets returns the offsets to commit as text.
func offsets(tk *task.Task) string {
	var all []string
	for _, o := range tk.Offsets() {
		all = append(all, fmt.Sprintf("%s/%d %d at %s", o.Topic, o.Partition, o.Next, strings.TrimPrefix(o.Metadata, "rio:2:")))
	}
	return strings.Join(all, ", ")
}

func expect(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

// TestOrder: records are processed in the order of their times across inputs, tables first, and none before it is
// certain that no earlier one will come.
func TestOrder(t *testing.T) {
	tk, out := newTask(t, joined(t), nil)
	tk.Add("in", []plan.Raw{record(0, 10, "a"), record(1, 20, "b"), record(2, 30, "c")}, 3, true)
	if tk.Ready() {
		t.Error("ready, although the end of the table is unknown")
	}
	mustStep(t, tk, 0)

	tk.Add("table", []plan.Raw{record(0, 5, "1"), record(1, 20, "2")}, 2, false)
	if !tk.Ready() {
		t.Error("not ready, although all inputs have records")
	}
	mustStep(t, tk, 3) // after the last row of the table, the task must wait again
	expect(t, "results", out.sent, []string{"out k=a1"})

	tk.Add("table", nil, 2, true)
	mustStep(t, tk, 2)
	expect(t, "results", out.sent, []string{"out k=a1", "out k=b2", "out k=c2"})
	if !tk.Drained() {
		t.Error("not drained")
	}
}

// TestGaps: offsets without records (control records, compacted ones) are skipped, also in the committed offsets.
func TestGaps(t *testing.T) {
	tk, _ := newTask(t, joined(t), nil)
	tk.Add("table", nil, 0, true)
	tk.Seek("in", 5)
	tk.Add("in", []plan.Raw{record(7, 1, "a"), record(9, 2, "b")}, 12, true)
	expect(t, "position", tk.Position("in"), int64(12))
	records, bytes := tk.Buffered("in")
	first := record(0, 0, "a")
	expect(t, "buffered", []int{records, bytes}, []int{2, 2 * task.RecordBytes(&first)})
	if n, err := tk.Step(1, nil); n != 1 || err != nil {
		t.Fatal(n, err)
	}
	expect(t, "after one record", offsets(tk), "in/0 8 at 1")
	mustStep(t, tk, 1)
	expect(t, "after the last", offsets(tk), "in/0 12 at 2")
	tk.Add("in", nil, 15, true)
	expect(t, "after an empty fetch", offsets(tk), "in/0 15 at 2")
	if !tk.Dirty() {
		t.Error("not dirty, although the position has advanced")
	}
}

// TestCommit: a changelog gets one record per key, and the database gets rows and positions only after the log has
// them.
//
// Proves: all-or-nothing-commit
func TestCommit(t *testing.T) {
	db := state.NewMemory()
	p := joined(t)
	tk, out := newTask(t, p, func(cfg *task.Config) { cfg.DB = db })
	tk.Add("table", []plan.Raw{record(0, 1, "1"), record(1, 2, "2")}, 2, true)
	tk.Add("in", []plan.Raw{record(0, 3, "a"), record(1, 4, "b")}, 2, true)
	mustStep(t, tk, 4)
	out.sent = nil
	if err := tk.Flush(); err != nil {
		t.Fatal(err)
	}
	expect(t, "changelog", out.sent, []string{"app-counts-changelog k=\x00\x00\x00\x00\x00\x00\x00\x02"})
	expect(t, "offsets", offsets(tk), "table/0 2 at 4, in/0 2 at 4")

	// The process ends before the transaction, so nothing is in the database.
	expect(t, "to restore", changelogs(t, p, db), "app-counts-changelog from 0, table from 0 (source), in at 0")

	if err := tk.Committed(func(topic string, partition int32) (int64, bool) { return 41, true }); err != nil {
		t.Fatal(err)
	}
	if tk.Dirty() {
		t.Error("dirty after a commit")
	}
	expect(t, "to restore", changelogs(t, p, db), "app-counts-changelog from 42, table from 2 (source), in at 2")
	again, out := newTask(t, p, func(cfg *task.Config) { cfg.DB, cfg.Metadata = db, []string{"rio:2:4"} })
	again.Seek("in", 2)
	again.Seek("table", 2)
	again.Add("table", nil, 2, true)
	again.Add("in", []plan.Raw{record(2, 3, "c")}, 3, true)
	mustStep(t, again, 1)
	expect(t, "results", out.sent, []string{"out k=c2"})
	expect(t, "offsets", offsets(again), "table/0 2 at 4, in/0 3 at 4")
}

// TestLogMustSayWhere: if the offsets of the changelog records are unknown, the commit fails.
func TestLogMustSayWhere(t *testing.T) {
	tk, _ := newTask(t, joined(t), nil)
	tk.Add("table", nil, 0, true)
	tk.Add("in", []plan.Raw{record(0, 3, "a")}, 1, true)
	mustStep(t, tk, 1)
	if err := tk.Flush(); err != nil {
		t.Fatal(err)
	}
	err := tk.Committed(func(string, int32) (int64, bool) { return 0, false })
	if !errors.Is(err, task.ErrNoPosition) {
		t.Errorf("error %v, want ErrNoPosition", err)
	}
}

// changelogs returns the offsets from which the stores in a database would be restored.
func changelogs(t *testing.T, p *plan.Plan, db state.DB) string {
	t.Helper()
	r, err := replica.Open(db, replica.Config{Plan: p, Subtopology: p.Subtopologies[0], Names: p.Names()})
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var all []string
	for _, l := range r.Logs() {
		text := fmt.Sprintf("%s from %d", l.Topic, l.From)
		if l.Source {
			text += " (source)"
		}
		all = append(all, text)
	}
	at, _, err := r.Position("in")
	if err != nil {
		t.Fatal(err)
	}
	return strings.Join(append(all, fmt.Sprintf("in at %d", at)), ", ")
}

// TestLoad: tables are restored from their topics; records that cannot be decoded are skipped.
func TestLoad(t *testing.T) {
	tk, out := newTask(t, joined(t), nil)
	if err := tk.Load("table", []plan.Raw{record(0, 1, "1"), {Offset: 1, Timestamp: -1, Key: []byte("k"), Value: []byte("x")}}, 2); err != nil {
		t.Fatal(err)
	}
	tk.Add("table", nil, 0, true)
	tk.Add("in", []plan.Raw{record(0, 5, "a")}, 1, true)
	mustStep(t, tk, 1)
	if err := tk.Flush(); err != nil {
		t.Fatal(err)
	}
	expect(t, "results", out.sent, []string{"out k=a1", "app-counts-changelog k=\x00\x00\x00\x00\x00\x00\x00\x01"})
}

// TestRefused: a rejected record follows the produce policy; any other error of the log ends the task.
func TestRefused(t *testing.T) {
	send := func(tk *task.Task) (int, error) {
		tk.Add("table", nil, 0, true)
		tk.Add("in", []plan.Raw{record(0, 1, "a"), record(1, 2, "large"), record(2, 3, "c")}, 3, true)
		return tk.Step(100, nil)
	}
	t.Run("fail", func(t *testing.T) {
		tk, out := newTask(t, joined(t), nil)
		out.refused = "large"
		n, err := send(tk)
		if want := "produce in/0 at 1 in sink (task_test.go:34): record refused: too large"; n != 1 || err == nil || err.Error() != want {
			t.Errorf("%d records, error %v, want 1 and %s", n, err, want)
		}
	})
	t.Run("skip", func(t *testing.T) {
		var skipped []string
		tk, out := newTask(t, joined(t), func(cfg *task.Config) {
			cfg.Policies.Produce.Action = processor.Skip
			cfg.Failed = func(e *processor.Error, done task.Outcome) { skipped = append(skipped, string(done)+": "+e.Error()) }
		})
		out.refused = "large"
		if n, err := send(tk); n != 3 || err != nil {
			t.Fatal(n, err)
		}
		expect(t, "results", out.sent, []string{"out k=a", "out k=c"})
		expect(t, "skipped", skipped, []string{"skipped: produce in/0 at 1 in sink (task_test.go:34): record refused: too large"})
		expect(t, "statistics", tk.Counters().Skipped, map[processor.Stage]int64{processor.Produce: 1})
	})
	t.Run("dead letter", func(t *testing.T) {
		tk, out := newTask(t, joined(t), func(cfg *task.Config) {
			cfg.Policies.Produce.Action = processor.DeadLetter
			cfg.Policies.DeadLetters = "letters"
		})
		out.refused = "large1"
		tk.Add("table", []plan.Raw{record(0, 0, "1")}, 1, true)
		if n, err := send(tk); n != 4 || err != nil {
			t.Fatal(n, err)
		}
		expect(t, "results", out.sent, []string{"out k=a1", "letters k=large", "out k=c1"})
	})
	t.Run("broken", func(t *testing.T) {
		tk, out := newTask(t, joined(t), func(cfg *task.Config) { cfg.Policies.Produce.Action = processor.Skip })
		out.broken = errors.New("no broker")
		if _, err := send(tk); !errors.Is(err, out.broken) || err.Error() != "task 0_0: no broker" {
			t.Errorf("error %v, want task 0_0: no broker", err)
		}
	})
}

// TestRetry: the task asks its owner to wait before a retry, twice as long each time.
func TestRetry(t *testing.T) {
	b := topology.NewBuilder("app")
	topology.Process(topology.From(b, texts("in")), "step", func(*processor.Context[string, string]) processor.Handler[string, string] {
		return func(processor.Record[string, string]) error { return errors.New("not now") }
	})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	tk, _ := newTask(t, top.Plan(), func(cfg *task.Config) {
		cfg.Policies.Process = processor.Policy{Action: processor.Skip, Retries: 3, Backoff: time.Second}
	})
	tk.Add("in", []plan.Raw{record(0, 1, "a"), record(1, 1, "b")}, 2, true)
	var waits []time.Duration
	for {
		n, err := tk.Step(100, nil)
		var retry *task.RetryError
		if !errors.As(err, &retry) {
			if n != 1 || err != nil { // the first record, which was retried and skipped, and the second
				t.Fatal(n, err)
			}
			break
		}
		waits = append(waits, retry.After)
	}
	expect(t, "waits", waits, []time.Duration{time.Second, 2 * time.Second, 4 * time.Second, time.Second, 2 * time.Second, 4 * time.Second})
	expect(t, "statistics", tk.Counters().Skipped, map[processor.Stage]int64{processor.Process: 2})
}

// TestNextTick returns when the next wall-clock timer is due.
func TestNextTick(t *testing.T) {
	b := topology.NewBuilder("app")
	topology.Process(topology.From(b, texts("in")), "step", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		c.Schedule(time.Second, processor.WallClock, func(time.Time) error { return nil })
		c.Schedule(time.Minute, processor.WallClock, func(time.Time) error { return nil })
		return func(processor.Record[string, string]) error { return nil }
	})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	tk, _ := newTask(t, top.Plan(), nil)
	start := time.UnixMilli(1_000_000)
	if err := tk.Tick(start); err != nil {
		t.Fatal(err)
	}
	next, ok := tk.NextTick()
	if want := start.Add(time.Second); !ok || !next.Equal(want) {
		t.Errorf("next tick at %v, %v, want %v", next, ok, want)
	}
	none, _ := newTask(t, joined(t), nil)
	if next, ok := none.NextTick(); ok {
		t.Errorf("next tick of a task without timers at %v", next)
	}
}

// TestTimerThatOnlyEmits: records that a timer sends make the task dirty, so they are committed together with the
// offsets of the inputs.
func TestTimerThatOnlyEmits(t *testing.T) {
	b := topology.NewBuilder("app")
	topology.Process(topology.From(b, texts("in")), "step", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		c.Schedule(time.Second, processor.WallClock, func(time.Time) error { return c.Emit("k", "tick") })
		return func(processor.Record[string, string]) error { return nil }
	}).To(texts("out"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	tk, out := newTask(t, top.Plan(), nil)
	tick := func(second int64) {
		t.Helper()
		if err := tk.Tick(time.UnixMilli(second * 1000)); err != nil {
			t.Fatal(err)
		}
	}
	tick(1)
	if tk.Dirty() {
		t.Error("dirty before the timer has fired")
	}
	tick(2)
	expect(t, "sent", out.sent, []string{"out k=tick"})
	if !tk.Dirty() {
		t.Error("not dirty, although the timer has sent a record")
	}
	expect(t, "offsets", offsets(tk), "in/0 0 at -1")
	if err := tk.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := tk.Committed(nil); err != nil {
		t.Fatal(err)
	}
	if tk.Dirty() || len(tk.Offsets()) > 0 {
		t.Error("dirty after a commit")
	}
}
