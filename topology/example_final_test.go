package topology_test

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

func ExampleFinal() {
	minutes := topology.Tumbling(time.Minute).Grace(10 * time.Second)
	perMinute := topology.NewTopic("per-minute", topology.WindowCodec(minutes, codec.String), codec.Int64)

	b := topology.NewBuilder("visits")
	counts := topology.Count(topology.Window(topology.From(b, lines), minutes), "counts")
	topology.Final(counts).To(perMinute)

	e := start(b)
	send(e, lines, at(0, "ana", "/"), at(65, "bia", "/"), at(50, "ana", "/late"), at(70, "ana", "/"))
	show(e, perMinute)
	// Output:
	// per-minute ana@1970-01-01T00:00:00Z/1m0s = 2
}
