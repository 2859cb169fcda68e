package topologytest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

var alerted = state.NewKeyValue("alerted", codec.String, codec.String)

// alert stores and emits a value before it fails: "bad" returns an error, "mad" panics, and "flakyN" fails N times.
// calls counts its calls.
func alert(calls map[string]int) func(*processor.Context[string, string]) processor.Handler[string, string] {
	return func(c *processor.Context[string, string]) processor.Handler[string, string] {
		rows := alerted.In(c)
		return func(r processor.Record[string, string]) error {
			calls[r.Value]++
			old, _, err := rows.Get(r.Key)
			if err != nil {
				return err
			}
			if err := rows.Put(r.Key, old+"+"+r.Value, r.Timestamp); err != nil {
				return err
			}
			if err := c.Emit(r.Key, r.Value); err != nil {
				return err
			}
			var n int
			switch _, err := fmt.Sscanf(r.Value, "flaky%d", &n); {
			case r.Value == "bad":
				return errors.New("nobody answers")
			case r.Value == "mad":
				panic("no such alert")
			case err == nil && calls[r.Value] <= n:
				return errors.New("not yet")
			}
			return nil
		}
	}
}

// TestBorders: a step with its own policy at the end of a topology. A count before it and an output beside it are not
// affected.
//
// Proves: bad-record-follows-policy
func TestBorders(t *testing.T) {
	for name, policy := range map[string]processor.Policy{
		"skip":        {Action: processor.Skip},
		"dead-letter": {Action: processor.DeadLetter},
		"retry":       {Action: processor.DeadLetter, Retries: 2},
		"fail":        {},
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("borders")
			in := topology.From(b, texts("in"))
			sums := topology.Aggregate(in, "revenue", plus)
			alerts := topology.Process(sums.ToStream().Filter(func(string) bool { return true }), "before", pass)
			latest := topology.Map(alerts, func(sum string) string { return sum[strings.LastIndex(sum, "+")+1:] })
			topology.Process(latest, "alert", alert(map[string]int{}), alerted).OnError(policy).To(texts("alerts"))
			sums.To(texts("revenue"))
			topologytest.Run(t, "testdata/border-"+name, built(t, b), topologytest.Config{
				Policies: processor.Policies{DeadLetters: "letters"},
			})
		})
	}
}

func pass(c *processor.Context[string, string]) processor.Handler[string, string] {
	return func(r processor.Record[string, string]) error { return c.Forward(r) }
}

// TestInnerBorderFirst: of two nested borders the inner one applies first; each has its own retries; several elements
// of one record fail separately; a table can be a border.
func TestInnerBorderFirst(t *testing.T) {
	b := topology.NewBuilder("borders")
	lines := topology.From(b, texts("in"))
	words := topology.FlatMap(lines, strings.Fields).OnError(processor.Policy{Action: processor.DeadLetter, Retries: 1})
	words.To(texts("words"))
	once := topology.Process(words, "alert", alert(map[string]int{}), alerted).OnError(processor.Policy{Action: processor.Skip, Retries: 1})
	once.To(texts("alerts"))
	topology.Aggregate(words, "sums", func(sum, v string) string {
		if v == "odd" {
			panic("odd")
		}
		return sum + v
	}).OnError(processor.Policy{Action: processor.Skip}).To(texts("sums"))
	topology.Map(words, func(v string) string {
		if v == "outer" {
			panic("outer")
		}
		return v
	}).To(texts("mapped"))
	topologytest.Run(t, "testdata/border-nested", built(t, b), topologytest.Config{Policies: processor.Policies{DeadLetters: "letters"}})
}

// TestTopicPolicies: decode and produce policies of a topic override the application's; a border overrides the
// application's policy for what is encoded after it.
func TestTopicPolicies(t *testing.T) {
	skip, letter := processor.Policy{Action: processor.Skip}, processor.Policy{Action: processor.DeadLetter}
	broken := topology.NewTopic("broken", codec.String, codec.Codec[string](unwritable{codec.String}))
	b := topology.NewBuilder("topics")
	numbers := topology.From(b, topology.NewTopic("numbers", codec.String, codec.JSON[int]()).OnError(skip))
	values := topology.Map(numbers, func(n int) string { return strings.Repeat("x", n) })
	values.To(texts("fine"))
	values.To(broken.OnError(letter))
	behind := topology.Map(values, strings.ToUpper).OnError(letter)
	behind.To(texts("loud"))
	other := topology.NewTopic("other", codec.String, codec.Codec[string](unwritable{codec.String}))
	behind.To(other)
	topologytest.Run(t, "testdata/border-topics", built(t, b), topologytest.Config{Policies: processor.Policies{DeadLetters: "letters"}})
}

// unwritable is a codec that cannot encode "xx".
type unwritable struct{ codec.Codec[string] }

func (c unwritable) Append(dst []byte, v string) ([]byte, error) {
	if strings.EqualFold(v, "xx") {
		return dst, errors.New("cannot be written")
	}
	return c.Codec.Append(dst, v)
}

// TestTimersFollowTheirStep.
func TestTimersFollowTheirStep(t *testing.T) {
	b := topology.NewBuilder("timers")
	topology.Process(topology.From(b, texts("in")), "timed", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		rows := alerted.In(c)
		c.Schedule(10*time.Millisecond, processor.StreamTime, func(at time.Time) error {
			if err := rows.Put("fired", at.String(), at.UnixMilli()); err != nil {
				return err
			}
			return errors.New("the timer fails")
		})
		return func(r processor.Record[string, string]) error { return c.Forward(r) }
	}, alerted).OnError(processor.Policy{Action: processor.Skip}).To(texts("out"))
	d, err := topologytest.New(built(t, b), topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, at := range []int64{5, 15, 25} {
		if err := topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Value: "v", Timestamp: at}); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := topologytest.Read(d, texts("out")); len(got) != 3 || err != nil {
		t.Errorf("%v, %v, want three records", got, err)
	}
}

// TestDeadLettersOfAStepNeedATopic.
func TestDeadLettersOfAStepNeedATopic(t *testing.T) {
	b := topology.NewBuilder("borders")
	topology.From(b, texts("in")).Filter(func(string) bool { return true }).OnError(processor.Policy{Action: processor.DeadLetter})
	_, err := topologytest.New(built(t, b), topologytest.Config{})
	if err == nil || !strings.HasPrefix(err.Error(), "OnError of filter (border_test.go:") {
		t.Errorf("error %v, want one that names the filter", err)
	}
}

// TestBorderLeavesWhatIsBesideIt: if records fail within a border, the rest of the topology behaves as without the
// border, and the steps within as if the failed records had never arrived.
//
// Proves: failed-record-leaves-no-trace
func TestBorderLeavesWhatIsBesideIt(t *testing.T) {
	type row = processor.Record[string, string]
	run := func(t *rapid.T, records []row, bad func(string) bool, everyN int) (beside, within []row) {
		b := topology.NewBuilder("borders")
		in := topology.From(b, texts("in"))
		topology.Aggregate(in, "before", plus).To(texts("before"))
		inner := topology.Aggregate(in.Filter(func(string) bool { return true }).OnError(processor.Policy{Action: processor.Skip}), "within", plus)
		topology.Map(inner.ToStream(), func(v string) string {
			if bad(v[strings.LastIndex(v, "+")+1:]) {
				panic("bad")
			}
			return v
		}).To(texts("within"))
		topology.Aggregate(in, "after", plus).To(texts("after"))
		d, err := topologytest.New(mustBuild(t, b), topologytest.Config{CommitEvery: everyN})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		if err := topologytest.Send(d, texts("in"), records...); err != nil {
			t.Fatal(err)
		}
		if err := d.Commit(); err != nil {
			t.Fatal(err)
		}
		for _, topic := range []string{"before", "after"} {
			rows, err := topologytest.Read(d, texts(topic))
			if err != nil {
				t.Fatal(err)
			}
			beside = append(beside, rows...)
		}
		within, err = topologytest.Read(d, texts("within"))
		if err != nil {
			t.Fatal(err)
		}
		return beside, within
	}
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOf(rapid.Custom(func(t *rapid.T) row {
			return row{Key: rapid.StringMatching(`[ab]`).Draw(t, "key"), Value: rapid.StringMatching(`[xyz]`).Draw(t, "value")}
		})).Draw(t, "records")
		everyN := rapid.IntRange(0, 3).Draw(t, "commit every")
		isBad := func(v string) bool { return v == "x" }
		never := func(string) bool { return false }
		beside, within := run(t, records, isBad, everyN)
		wantBeside, _ := run(t, records, never, 0)
		var good []row
		for _, r := range records {
			if !isBad(r.Value) {
				good = append(good, r)
			}
		}
		_, wantWithin := run(t, good, never, 0)
		if diff := cmp.Diff(wantBeside, beside); diff != "" {
			t.Errorf("outside of the border (-want +got):\n%s", diff)
		}
		if diff := cmp.Diff(wantWithin, within); diff != "" {
			t.Errorf("within the border (-want +got):\n%s", diff)
		}
	})
}

func mustBuild(t *rapid.T, b *topology.Builder) *topology.Topology {
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}
