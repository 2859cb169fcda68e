package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

var (
	hourly = topology.Tumbling(time.Hour).Grace(time.Hour)

	Live   = topology.NewTopic("totais", topology.WindowCodec(hourly, codec.String), codec.JSON[Total]())
	Closed = topology.NewTopic("totais-finais", topology.WindowCodec(hourly, codec.String), codec.JSON[Total]())
)

// totals adds up the sales of each shop and hour: every update in one topic, and the final total, once, in another.
func totals() (*topology.Topology, error) {
	b := topology.NewBuilder("totais")

	totals := topology.Aggregate(topology.Window(topology.From(b, Sales), hourly), "totais", Total.Add)
	totals.To(Live)
	topology.Final(totals).To(Closed)

	return b.Build()
}
