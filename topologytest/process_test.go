package topologytest_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

var (
	open   = state.NewKeyValue("open", codec.String, codec.String)
	orders = state.NewKeyValue("orders", codec.String, codec.Int64)
	recent = state.NewWindow("recent", codec.String, codec.Int64, 10*time.Millisecond, 20*time.Millisecond)
)

// ticking emits the times of its timers, which fire every 10 ms of stream time and every 30 ms of the wall clock. The
// value "stop" stops both timers.
func ticking(c *processor.Context[string, string]) processor.Handler[string, string] {
	open, orders := open.In(c), orders.In(c)
	emitTime := func(what string) func(time.Time) error {
		return func(now time.Time) error {
			all := ""
			for row, err := range open.All() {
				if err != nil {
					return err
				}
				all += " " + row.Key + row.Value
			}
			return c.Emit(what, fmt.Sprintf("%d sees %d:%s", now.UnixMilli(), c.StreamTime().UnixMilli(), all))
		}
	}
	byEvents := c.Schedule(10*time.Millisecond, processor.StreamTime, emitTime("stream"))
	byClock := c.Schedule(30*time.Millisecond, processor.WallClock, emitTime("wall"))
	return func(r processor.Record[string, string]) error {
		if r.Value == "stop" {
			byEvents.Stop()
			byClock.Stop()
		}
		if r.Tombstone {
			return open.Delete(r.Key, r.Timestamp)
		}
		n, err := orders.Update(r.Key, r.Timestamp, func(n int64, _ bool) int64 { return n + 1 })
		if err != nil {
			return err
		}
		return open.Put(r.Key, fmt.Sprintf("#%d", n.New), r.Timestamp)
	}
}

// latest has a window store. It emits the values of the last windows of a key, and every 50 ms those of all keys.
func latest(c *processor.Context[string, string]) processor.Handler[string, string] {
	recent := recent.In(c)
	c.Schedule(50*time.Millisecond, processor.StreamTime, func(time.Time) error {
		for row, err := range recent.All() {
			if err != nil {
				return err
			}
			if err := c.Emit(row.Key.String(), fmt.Sprint(row.Value)); err != nil {
				return err
			}
		}
		return nil
	})
	return func(r processor.Record[string, string]) error {
		at := r.Time().Truncate(10 * time.Millisecond)
		key := codec.WindowKey[string]{Key: r.Key, Start: at}
		if _, err := recent.Update(key, r.Timestamp, func(n int64, _ bool) int64 { return n + 1 }); err != nil {
			return err
		}
		text := ""
		for row, err := range recent.Fetch(r.Key, time.UnixMilli(0), at) {
			if err != nil {
				return err
			}
			text += fmt.Sprintf(" %d:%d", row.Key.Start.UnixMilli(), row.Value)
		}
		return c.Emit(r.Key, text)
	}
}

// TestProcess runs scripts with custom steps.
func TestProcess(t *testing.T) {
	start := time.UnixMilli(1_000_000)
	for name, declare := range map[string]func(*topology.Stream[string, string]){
		"timers": func(in *topology.Stream[string, string]) {
			topology.Process(in, "ticking", ticking, open, orders).To(texts("out"))
		},
		"window-store": func(in *topology.Stream[string, string]) {
			topology.Process(in, "latest", latest, recent).To(texts("out"))
		},
		"shared-store": func(in *topology.Stream[string, string]) {
			// Two steps share a store: within one record, the second step reads the first one's changes.
			put := func(c *processor.Context[string, string]) processor.Handler[string, string] {
				open := open.In(c)
				return func(r processor.Record[string, string]) error {
					if err := open.Put(r.Key, r.Value, r.Timestamp); err != nil {
						return err
					}
					return c.Forward(r)
				}
			}
			get := func(c *processor.Context[string, string]) processor.Handler[string, string] {
				open := open.In(c)
				return func(r processor.Record[string, string]) error {
					v, _, err := open.Get(r.Key)
					if err != nil {
						return err
					}
					o := c.Origin()
					return c.Emit(r.Key, fmt.Sprintf("%s from %s/%d at %d", v, o.Topic, o.Partition, o.Offset))
				}
			}
			topology.Process(topology.Process(in, "put", put, open), "get", get, open).To(texts("out"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("steps")
			declare(topology.From(b, texts("in")))
			topologytest.Run(t, "testdata/"+name, built(t, b), topologytest.Config{Start: start})
		})
	}
}

// TestStepsAreRefused: a step that opens a store without attaching it, or schedules an invalid timer, cannot start.
func TestStepsAreRefused(t *testing.T) {
	b := topology.NewBuilder("steps")
	topology.Process(topology.From(b, texts("in")), "step", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		open.In(c)
		c.Schedule(time.Microsecond, processor.WallClock, func(time.Time) error { return nil })
		return func(processor.Record[string, string]) error { return nil }
	}, orders)
	_, err := topologytest.New(built(t, b), topologytest.Config{})
	want := "task 0_0: process step: state: no store \"open\"; there are: orders; attach the definition, or the table, where the step is declared: topology.Process(stream, name, start, open)\n" +
		"process step: a timer every 1µs: the interval must be at least a millisecond"
	if err == nil || err.Error() != want {
		t.Errorf("error %q, want %q", err, want)
	}
}
