package topologytest_test

import (
	"testing"
	"time"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// Windows close by the times of the records that reach them, not by other inputs of the task.
func TestOperatorTime(t *testing.T) {
	windows := topology.Tumbling(10 * time.Millisecond).Grace(5 * time.Millisecond)
	for name, declare := range map[string]func(*topology.Builder){
		"filtered": func(b *topology.Builder) {
			sane := topology.From(b, texts("in")).Filter(func(v string) bool { return v != "broken" })
			topology.Aggregate(topology.Window(sane, windows), "sums", plus).To(windowed("out", 10*time.Millisecond))
		},
		"lagging-stream": func(b *topology.Builder) {
			orders, prices := topology.From(b, texts("orders")), topology.TableFrom(b, texts("prices"))
			priced := topology.Join(orders, prices, func(order, price string) string { return order + "@" + price })
			topology.Aggregate(topology.Window(priced, windows), "sums", plus).To(windowed("out", 10*time.Millisecond))
		},
		// Two windows of one stream, one of which gets half of the records; the results of the other only go to a
		// topic.
		"two-windows": func(b *topology.Builder) {
			in := topology.From(b, texts("in"))
			topology.Window(in, windows).To(windowed("all", 10*time.Millisecond))
			few := in.Filter(func(v string) bool { return v < "5" })
			topology.Aggregate(topology.Window(few, windows), "sums", plus).To(windowed("few", 10*time.Millisecond))
		},
		// Records dropped by a filter after the window have reached the window, but not the store.
		"filter-behind": func(b *topology.Builder) {
			s := topology.Window(topology.From(b, texts("in")), windows).Filter(func(v string) bool { return v != "no" })
			topology.Aggregate(s, "sums", plus).To(windowed("out", 10*time.Millisecond))
		},
		"failed": func(b *topology.Builder) {
			s := topology.Window(topology.From(b, texts("in")), windows)
			topology.Aggregate(s, "sums", func(sum, v string) string {
				if v == "bad" {
					panic("bad")
				}
				return plus(sum, v)
			}).To(windowed("out", 10*time.Millisecond))
		},
		"wall-clock-timer": func(b *topology.Builder) {
			s := topology.Process(topology.From(b, texts("in")), "pulse", pulse)
			topology.Window(s, windows).To(windowed("out", 10*time.Millisecond))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("time")
			declare(b)
			top, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			topologytest.Run(t, "testdata/operator-time/"+name, top, topologytest.Config{
				Policies: processor.Policies{Process: processor.Policy{Action: processor.Skip}},
			})
		})
	}
}

// pulse forwards records, and emits one with time 100 every second of the wall clock.
func pulse(c *processor.Context[string, string]) processor.Handler[string, string] {
	c.Schedule(time.Second, processor.WallClock, func(time.Time) error {
		return c.Forward(processor.Record[string, string]{Key: "pulse", Value: "p", Timestamp: 100})
	})
	return func(r processor.Record[string, string]) error { return c.Forward(r) }
}
