package topologytest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// fix is a position with its own time, in milliseconds.
type fix struct {
	At   int64
	Unit time.Duration `json:",omitzero"` // unit of At; a millisecond if zero
}

func (f fix) time() time.Time {
	if f.Unit == time.Second {
		return time.Unix(f.At, 0)
	}
	return time.UnixMilli(f.At)
}

// Times too far ahead of the clock, and times that Kafka cannot store, are handled by the decode policy. The clock of
// the script starts in 2026.
func TestTimesThatAreHeldBack(t *testing.T) {
	for name, in := range map[string]topology.Topic[string, fix]{
		"from-value":  topology.NewTopic("in", codec.String, codec.JSON[fix]()).TimeFrom(fix.time).MaxAhead(time.Hour),
		"from-record": topology.NewTopic("in", codec.String, codec.JSON[fix]()).MaxAhead(time.Hour),
		"no-bound":    topology.NewTopic("in", codec.String, codec.JSON[fix]()),
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("guard")
			fixes := topology.From(b, in)
			topology.Count(topology.Window(fixes, topology.Tumbling(time.Minute)), "counts").
				To(topology.NewTopic("out", codec.Windowed(codec.String).Size(time.Minute), codec.Int64))
			other := topology.From(b, texts("other"))
			other.To(texts("others"))
			topology.LeftJoin(fixes, topology.TableFrom(b, texts("table")), func(f fix, _ string, _ bool) fix { return f })
			topologytest.Run(t, "testdata/held-back/"+name, built(t, b), topologytest.Config{Policies: processor.Policies{
				Decode: processor.Policy{Action: processor.DeadLetter}, DeadLetters: "letters",
			}})
		})
	}
}

// The error for an invalid time contains the time and, by default, stops the task.
func TestMaxAheadByDefault(t *testing.T) {
	b := topology.NewBuilder("guard")
	topology.From(b, texts("in").MaxAhead(time.Minute)).To(texts("out"))
	top := built(t, b)
	if want := "source in: string → string, at most 1m0s ahead of the clock ~\n"; !strings.Contains(top.String(), want) {
		t.Errorf("the plan lacks %q:\n%s", want, top)
	}
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	d, err := topologytest.New(top, topologytest.Config{Start: start})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	send := func(at time.Time) error {
		return topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Timestamp: at.UnixMilli()})
	}
	for _, at := range []time.Time{start.AddDate(-50, 0, 0), start, start.Add(time.Minute)} {
		if err := send(at); err != nil {
			t.Errorf("at %v: %v", at, err)
		}
	}
	if err := d.Advance(time.Hour); err != nil {
		t.Fatal(err)
	}
	if err := send(start.Add(time.Hour)); err != nil {
		t.Error(err)
	}
	err = send(time.Date(2030, 1, 1, 0, 0, 0, 0, time.UTC))
	want := "decode in/0 at 4: the record's time, 2030-01-01T00:00:00Z, is 35063h0m0s ahead of the clock; Topic.MaxAhead allows 1m0s"
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
}

// If a step sets a time that Kafka cannot store, the error is that of the record.
func TestImpossibleTimeOfAResult(t *testing.T) {
	b := topology.NewBuilder("guard")
	in := topology.NewTopic("in", codec.String, codec.Int64)
	s := topology.Process(topology.From(b, in), "step", func(c *processor.Context[string, int64]) processor.Handler[string, int64] {
		return func(r processor.Record[string, int64]) error {
			r.Timestamp = r.Value
			return c.Forward(r)
		}
	})
	s.To(topology.NewTopic("out", codec.String, codec.Int64))
	d, err := topologytest.New(built(t, b), topologytest.Config{Policies: processor.Policies{Produce: processor.Policy{Action: processor.Skip}}})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for _, ms := range []int64{-1, 5, 1_767_225_600_000_000_000, 7} {
		if err := topologytest.Send(d, in, processor.Record[string, int64]{Key: "k", Value: ms, Timestamp: 1}); err != nil {
			t.Fatal(err)
		}
	}
	if n := len(d.Outputs()); n != 4+2 {
		t.Errorf("%d records in the log, want 4 and the 2 whose times can be written", n)
	}
}
