package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

var (
	hourly = topology.Tumbling(time.Hour).Grace(time.Hour)

	Live   = topology.NewTopic("totais", topology.WindowCodec(hourly, codec.String), codec.JSON[Total]())
	Late   = topology.NewTopic("vendas-atrasadas", codec.String, codec.JSON[Sale]())
	Closed = topology.NewTopic("totais-finais", topology.WindowCodec(hourly, codec.String), codec.JSON[Total]())
)

// totals adds up the sales of each shop and hour: every update in one topic, the final total, once, in another, and the sales that come
// after it in a third.
func totals() (*topology.Topology, error) {
	b := topology.NewBuilder("totais")

	sales := topology.From(b, Sales)
	totals := topology.Aggregate(topology.Window(sales, hourly), "totais", Total.Add)
	totals.To(Live)
	topology.Final(totals).To(Closed)
	sales.LateFor(totals).To(Late)

	return b.Build()
}
