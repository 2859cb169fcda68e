package topologytest_test

import (
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestCogroupIsAnAggregateOfAMerge: if nothing is late, the parts of a Cogroup have the results of one aggregate of the
// merged streams, with any batch size, commit interval, cache, crash and restart.
//
// Proves: kafka-streams-semantics
func TestCogroupIsAnAggregateOfAMerge(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		windows := map[string]topology.Windows{
			"hopping":  topology.Hopping(10*time.Millisecond, 4*time.Millisecond),
			"sliding":  topology.Sliding(8 * time.Millisecond),
			"sessions": topology.Sessions(6 * time.Millisecond),
		}
		kind := rapid.SampledFrom([]string{"plain", "hopping", "sliding", "sessions"}).Draw(t, "kind")
		b := topology.NewBuilder("cogroup")
		in := topology.From(b, texts("in"))
		small, large := in.Branch(func(v string) bool { return v < "5" })
		if kind == "plain" {
			cogroupAndMerge(small, large, topology.NewTopic("cogroup", codec.String, codec.String), topology.NewTopic("merged", codec.String, codec.String))
		} else {
			of := windows[kind].Grace(time.Hour)
			keys := topology.WindowCodec(of, codec.String)
			cogroupAndMerge(topology.Window(small, of), topology.Window(large, of), topology.NewTopic("cogroup", keys, codec.String), topology.NewTopic("merged", keys, codec.String))
		}
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		conditions := drawConditions(t)
		d, stop := conditions.start(t, top, conditions.cfg)
		defer stop()
		for i, r := range rapid.SliceOfN(rapid.Custom(func(t *rapid.T) processor.Record[string, string] {
			return processor.Record[string, string]{
				Key:       rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"),
				Value:     rapid.StringMatching(`[0-9]`).Draw(t, "value"),
				Timestamp: rapid.Int64Range(0, 60).Draw(t, "time"),
			}
		}), 1, 30).Draw(t, "records") {
			if err := topologytest.Send(d, texts("in"), r); err != nil {
				t.Fatal(err)
			}
			conditions.after(t, d, i)
		}
		if err := d.Commit(); err != nil {
			t.Fatal(err)
		}
		results := map[string][]topologytest.Output{}
		for _, o := range d.Outputs() {
			topic := o.Topic
			o.Topic, o.Offset = "", 0
			results[topic] = append(results[topic], o)
		}
		if diff := gocmp.Diff(results["merged"], results["cogroup"]); diff != "" {
			t.Fatalf("%s, %s (-merged +cogroup):\n%s", kind, conditions, diff)
		}
	})
}

// cogroupAndMerge aggregates two streams as a Cogroup, and as one stream.
func cogroupAndMerge[K any](small, large *topology.Stream[K, string], cogroup, merged topology.Topic[K, string]) {
	minus := func(sum, v string) string { return sum + "-" + v }
	either := func(sum, v string) string {
		if v < "5" {
			return plus(sum, v)
		}
		return minus(sum, v)
	}
	for _, made := range []struct {
		table *topology.Table[K, string]
		topic topology.Topic[K, string]
	}{
		{topology.Cogroup("cogroup", topology.Adding(small, plus), topology.Adding(large, minus)), cogroup},
		{topology.Aggregate(small.Merge(large), "merged", either), merged},
	} {
		if made.topic.KeyCodec().String() == "sessions[string]" {
			made.table.Merging(func(a, b string) string { return "(" + a + " " + b + ")" })
		}
		made.table.Initially(func() string { return "0" }).DeleteWhen(func(sum string) bool { return len(sum) > 15 }).To(made.topic)
	}
}
