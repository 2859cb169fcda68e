package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

// The topics.
var (
	Sales     = topology.NewTopic("comercial", codec.String, codec.JSON[Sale]())
	BySeller  = topology.NewTopic("vendas-por-vendedor", codec.String, codec.JSON[Total]())
	ByPayment = topology.NewTopic("vendas-por-pagamento", codec.String, codec.JSON[Total]())
	ByHour    = topology.NewTopic("vendas-por-hora", codec.Windowed(codec.String).Size(time.Hour), codec.JSON[Total]())
)

// aDay is the grace period of the windows: a shop may send its sales a day late, after a night without a network.
const aDay = 24 * time.Hour

// Totals computes totals of the sales by seller, by seller and hour, and by payment method. The hour is that of the record's
// timestamp.
func Totals() (*topology.Topology, error) {
	b := topology.NewBuilder("vendas")

	sales := topology.From(b, Sales)

	bySeller := topology.KeyBy(sales, "por-vendedor", Sale.SoldBy)
	sellers := topology.Aggregate(bySeller, "totais-por-vendedor", Total.Add)
	sellers.To(BySeller)

	hourly := topology.Window(bySeller, topology.Tumbling(time.Hour).Grace(aDay))
	hours := topology.Aggregate(hourly, "totais-por-hora", Total.Add)
	hours.To(ByHour)

	byPayment := topology.KeyBy(sales, "por-pagamento", Sale.PaidBy)
	payments := topology.Aggregate(byPayment, "totais-por-pagamento", Total.Add)
	payments.To(ByPayment)

	return b.Build()
}
