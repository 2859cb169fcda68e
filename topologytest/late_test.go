package topologytest_test

import (
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// The rules of late records, as a script.
func TestLateRules(t *testing.T) {
	b := topology.NewBuilder("late")
	in, other := topology.From(b, texts("in")), topology.From(b, texts("other"))
	hopping := topology.Window(in, topology.Hopping(10*time.Millisecond, 5*time.Millisecond).Grace(5*time.Millisecond))
	topology.Count(hopping, "hops").To(windowedCounts("hops"))
	in.LateFor(hopping.Filter(func(v string) bool { return v != "0" })).To(texts("late-hops"))

	sessions := topology.Window(in, topology.Sessions(10*time.Millisecond))
	visits := topology.Reduce(topology.Map(sessions.Filter(func(v string) bool { return v != "0" }), func(v string) string { return "<" + v + ">" }), "visits", func(a, b string) string { return a + b })
	visits.To(topology.NewTopic("visits", topology.WindowCodec(topology.Sessions(10*time.Millisecond), codec.String), codec.String))
	topology.Count(in.LateFor(visits), "late-visits").To(topology.NewTopic("late-visits", codec.String, codec.Int64))
	in.LateFor(sessions).To(texts("late-sessions"))

	joined := topology.JoinStreams(in, other, "joined", topology.Within(5*time.Millisecond), func(v, w string) string { return v + "+" + w })
	joined.To(texts("joined"))
	in.LateFor(joined).To(texts("late-left"))
	topology.Count(topology.Window(in, topology.Tumbling(10*time.Millisecond)), "dropping").To(windowedCounts("dropping"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	topologytest.Run(t, "testdata/late", top, topologytest.Config{})
}

func windowedCounts(name string) topology.Topic[codec.WindowKey[string], int64] {
	return topology.NewTopic(name, codec.Windowed(codec.String).Size(10*time.Millisecond), codec.Int64)
}
