package topologytest_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

var lengths = processor.NewOutput("lengths", codec.String, codec.Int64)

// alarmed sets an alarm for each value that is a number of milliseconds. An alarm at 40 sets another one 5 ms later. The
// value "commit" requests a commit; "fail" fails after it has set an alarm, counted and written to an output.
func alarmed(c *processor.Context[string, string]) processor.Handler[string, string] {
	lengths, seen := lengths.In(c), c.Counter("seen")
	c.ScheduleFrom(time.UnixMilli(7), 20*time.Millisecond, processor.StreamTime, func(now time.Time) error {
		return c.Emit("from 7", fmt.Sprint(now.UnixMilli()))
	})
	var ring func(now time.Time) error
	ring = func(now time.Time) error {
		if now.UnixMilli() == 40 {
			c.Alarm(now.Add(5*time.Millisecond), processor.StreamTime, ring)
		}
		return c.Emit("alarm", fmt.Sprint(now.UnixMilli()))
	}
	return func(r processor.Record[string, string]) error {
		seen.Add(1)
		if err := lengths.Emit(r.Key, int64(len(r.Value))); err != nil {
			return err
		}
		var at int64
		switch n, err := fmt.Sscan(r.Value, &at); {
		case n == 1 && err == nil && r.Key == "wall":
			c.Alarm(time.UnixMilli(at), processor.WallClock, ring)
		case n == 1 && err == nil:
			c.Alarm(time.UnixMilli(at), processor.StreamTime, ring)
		case r.Value == "commit":
			c.RequestCommit()
		case r.Value == "fail":
			c.Alarm(r.Time().Add(time.Millisecond), processor.StreamTime, ring)
			return errors.New("broken")
		}
		return nil
	}
}

// TestAlarmsOutputsAndCounters runs a step that uses all that a Context gives beside stores and timers.
func TestAlarmsOutputsAndCounters(t *testing.T) {
	b := topology.NewBuilder("steps")
	step := topology.Process(topology.From(b, texts("in")), "step", alarmed, lengths)
	step.To(texts("out"))
	topology.Output(step, lengths).To(topology.NewTopic("lengths", codec.String, codec.Int64))
	topologytest.Run(t, "testdata/alarms", built(t, b), topologytest.Config{
		Start: time.UnixMilli(1_000_000), Policies: processor.Policies{Process: processor.Policy{Action: processor.Skip}},
	})
}

// TestAnOutputThatNobodyReads takes records and passes them to nobody. One that is not attached makes the start fail.
func TestAnOutputThatNobodyReads(t *testing.T) {
	for name, c := range map[string]struct {
		uses []topology.Attachment
		want string
	}{
		"attached":     {[]topology.Attachment{lengths}, ""},
		"not attached": {nil, `output "lengths" is not attached; attach it where the step is declared: topology.Process(stream, name, start, lengths)`},
		"other types":  {[]topology.Attachment{processor.NewOutput("lengths", codec.String, codec.String)}, ""},
	} {
		b := topology.NewBuilder("steps")
		topology.Process(topology.From(b, texts("in")), "step", alarmed, c.uses...).To(texts("out"))
		d, err := topologytest.New(built(t, b), topologytest.Config{})
		if err != nil {
			if c.want == "" || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%s: error %v, want %q", name, err, c.want)
			}
			continue
		}
		if err := errors.Join(topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Value: "v"}), d.Close()); err != nil || c.want != "" {
			t.Errorf("%s: error %v, want %q", name, err, c.want)
		}
	}
}

// TestOnClose: functions are called once, the last one first, and the errors of all are returned.
func TestOnClose(t *testing.T) {
	var closed []string
	b := topology.NewBuilder("steps")
	topology.Process(topology.From(b, texts("in")), "step", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		c.OnClose(func() error { closed = append(closed, "first"); return nil })
		c.OnClose(func() error { closed = append(closed, "second"); panic("broken") })
		return func(processor.Record[string, string]) error { return nil }
	})
	d, err := topologytest.New(built(t, b), topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	err = d.Close()
	if want := "task 0_0: process step: OnClose: panic: broken"; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("error %v, want %s", err, want)
	}
	if want := []string{"second", "first"}; !slices.Equal(closed, want) {
		t.Errorf("closed %v, want %v", closed, want)
	}
}
