package processor_test

import (
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

var (
	positions = topology.NewTopic("positions", codec.String, codec.Int64)
	fresh     = topology.NewTopic("fresh", codec.String, codec.Int64)
	lastSeen  = state.NewKeyValue("last-seen", codec.String, codec.Int64)
)

// onlyNew forwards a position if it is later than the previous one.
func onlyNew(c *processor.Context[string, int64]) processor.Handler[string, int64] {
	last := lastSeen.In(c)
	return func(r processor.Record[string, int64]) error {
		before, seen, err := last.Get(r.Key)
		if err != nil || seen && r.Value <= before {
			return err
		}
		if err := last.Put(r.Key, r.Value, r.Timestamp); err != nil {
			return err
		}
		return c.Emit(r.Key, r.Value)
	}
}

// runs sends positions of a bus, one per second, through a step and prints the results.
func runs(step func(*processor.Context[string, int64]) processor.Handler[string, int64], values ...int64) {
	b := topology.NewBuilder("steps")
	topology.Process(topology.From(b, positions), "step", step, lastSeen).To(fresh)
	t, err := b.Build()
	if err != nil {
		panic(err)
	}
	d, err := topologytest.New(t, topologytest.Config{})
	if err != nil {
		panic(err)
	}
	defer d.Close()
	for i, value := range values {
		r := processor.Record[string, int64]{Key: "bus", Value: value, Timestamp: int64(i) * 1000}
		if err := topologytest.Send(d, positions, r); err != nil {
			panic(err)
		}
	}
	records, err := topologytest.Read(d, fresh)
	if err != nil {
		panic(err)
	}
	for _, r := range records {
		fmt.Println(r.Time().Format(time.TimeOnly), r.Key, r.Value)
	}
}

func Example() {
	runs(onlyNew, 10, 10, 12, 11, 15)
	// Output:
	// 00:00:00 bus 10
	// 00:00:02 bus 12
	// 00:00:04 bus 15
}

// A timer emits the last position every three seconds of stream time.
func ExampleContext_Schedule() {
	runs(func(c *processor.Context[string, int64]) processor.Handler[string, int64] {
		last := lastSeen.In(c)
		c.Schedule(3*time.Second, processor.StreamTime, func(time.Time) error {
			for row, err := range last.All() {
				if err != nil {
					return err
				}
				if err := c.Emit(row.Key, row.Value); err != nil {
					return err
				}
			}
			return nil
		})
		return func(r processor.Record[string, int64]) error { return last.Put(r.Key, r.Value, r.Timestamp) }
	}, 10, 11, 12, 13, 14, 15, 16)
	// Output:
	// 00:00:03 bus 12
	// 00:00:06 bus 15
}

// Forward sets the timestamp and the headers of a record. Emit uses those of the current record.
func ExampleContext_Forward() {
	runs(func(c *processor.Context[string, int64]) processor.Handler[string, int64] {
		return func(r processor.Record[string, int64]) error {
			return c.Forward(processor.Record[string, int64]{Key: "tram", Value: r.Value, Timestamp: 60_000})
		}
	}, 10)
	// Output: 00:01:00 tram 10
}

func ExampleContext_Origin() {
	runs(func(c *processor.Context[string, int64]) processor.Handler[string, int64] {
		return func(processor.Record[string, int64]) error {
			fmt.Println(c.Origin())
			return nil
		}
	}, 10, 11)
	// Output:
	// positions/0 at 0
	// positions/0 at 1
}
