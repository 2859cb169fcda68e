package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
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

// remembered is how long a sale that is sent again is recognized.
const remembered = 30 * 24 * time.Hour

// soldBefore contains the sales of that period, by number.
var soldBefore = state.NewWindow("vendas-vistas", codec.String, codec.Int64, remembered, remembered)

// Totals computes totals of the sales by seller, by seller and hour, and by payment method. The hour is that of the record's
// timestamp. A sale that is sent again within 30 days with the same vendaId is counted once. A sale without a vendaId is always counted.
func Totals() (*topology.Topology, error) {
	b := topology.NewBuilder("vendas")

	byNumber := topology.KeyBy(topology.From(b, Sales), "por-venda", Sale.Number)
	sales := topology.Process(byNumber, "sem-repeticoes", dropRepeats, soldBefore)

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

// dropRepeats forwards the first sale of each number and drops the others.
func dropRepeats(c *processor.Context[string, Sale]) processor.Handler[string, Sale] {
	seen := soldBefore.In(c)
	return func(r processor.Record[string, Sale]) error {
		if r.Value.ID == "" {
			return c.Forward(r)
		}
		at := time.UnixMilli(r.Timestamp)
		repeat := false
		for _, err := range seen.Fetch(r.Key, at.Add(-remembered), at.Add(remembered)) {
			if err != nil {
				return err
			}
			repeat = true
		}
		if repeat {
			return nil
		}
		if err := seen.Put(codec.WindowKey[string]{Key: r.Key, Start: at}, 1, r.Timestamp); err != nil {
			return err
		}
		return c.Forward(r)
	}
}
