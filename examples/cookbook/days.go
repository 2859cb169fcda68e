package main

import (
	"time"
	_ "time/tzdata" // so that all machines have the same rules

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

// days adds up the sales of each shop by the days and months of São Paulo, whatever the summer time. A day is final two hours
// after its end.
func days() (*topology.Topology, error) {
	zone, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		return nil, err
	}
	daily, monthly := topology.Daily(zone).Grace(2*time.Hour), topology.Monthly(zone)
	perDay := topology.NewTopic("vendas-por-dia", topology.WindowCodec(daily, codec.String), codec.JSON[Total]())
	perMonth := topology.NewTopic("vendas-por-mes", topology.WindowCodec(monthly, codec.String), codec.JSON[Total]())

	b := topology.NewBuilder("dias")

	sales := topology.From(b, Sales)
	topology.Final(topology.Aggregate(topology.Window(sales, daily), "por-dia", Total.Add)).To(perDay)
	topology.Aggregate(topology.Window(sales, monthly), "por-mes", Total.Add).To(perMonth)

	return b.Build()
}
