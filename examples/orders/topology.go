package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// Order is a value of pedidos; its key is the order's number.
type Order struct {
	Customer string    `json:"cliente"`
	Cents    int64     `json:"centavos"`
	At       time.Time `json:"quando"`
}

// Customer is a value of clientes; its key is what Order.Customer refers to.
type Customer struct {
	Name   string `json:"nome"`
	Region string `json:"regiao"`
}

// Sale is an order with its customer.
type Sale struct {
	Order
	Buyer Customer
}

// Revenue is what the orders of a region bring within an hour.
type Revenue struct {
	Orders int   `json:"pedidos"`
	Cents  int64 `json:"centavos"`
}

func (r Revenue) add(s Sale) Revenue { return Revenue{r.Orders + 1, r.Cents + s.Cents} }

// The topics. An order whose time is more than a day ahead is not one of today: it would end all windows before it.
var (
	Orders          = topology.NewTopic("pedidos", codec.String, codec.JSON[Order]()).TimeFrom(func(o Order) time.Time { return o.At }).MaxAhead(24 * time.Hour)
	Customers       = topology.NewTopic("clientes", codec.String, codec.JSON[Customer]())
	RevenueByRegion = topology.NewTopic("receita-por-regiao", codec.Windowed(codec.String), codec.JSON[Revenue]())
	Alerts          = topology.NewTopic("alertas", codec.String, codec.String)
)

// RevenueTable holds the revenue of each region and hour.
type RevenueTable = topology.Table[codec.WindowKey[string], Revenue]

// policies keep what is no order.
var policies = processor.Policies{Decode: processor.Policy{Action: processor.DeadLetter}, DeadLetters: "pedidos-erros"}

// Service joins orders with their customers, adds up the revenue of each region and hour, and calls notify for each order of
// more than limit cents. notify can be called more than once for one alert, always with the same id.
func Service(limit int64, notify func(ctx context.Context, id, alert string) error) (*topology.Topology, *RevenueTable, error) {
	b := topology.NewBuilder("orders")
	orders := topology.KeyBy(topology.From(b, Orders), "por-cliente", func(o Order) string { return o.Customer })
	sales := topology.LeftJoin(orders, topology.TableFrom(b, Customers), func(o Order, c Customer, known bool) Sale {
		if !known {
			c.Region = "desconhecida"
		}
		return Sale{o, c}
	})
	hours := topology.Window(topology.KeyBy(sales, "por-regiao", func(s Sale) string { return s.Buyer.Region }), topology.Tumbling(time.Hour))
	revenue := topology.Aggregate(hours, "receita", Revenue.add)
	revenue.To(RevenueByRegion)

	// Alerts are first written to a topic, in the transaction of the order; calls that fail are tried again from there.
	topology.Map(sales.Filter(func(s Sale) bool { return s.Cents > limit }), func(s Sale) string {
		return fmt.Sprintf("%s pediu por %d,%02d", s.Buyer.Name, s.Cents/100, s.Cents%100)
	}).To(Alerts)
	topology.Process(topology.From(b, Alerts), "avisar", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		return func(r processor.Record[string, string]) error {
			return notify(c.Context(), c.Origin().String(), r.Value)
		}
	}).OnError(processor.Policy{Action: processor.DeadLetter, Retries: 5, Backoff: time.Second})
	top, err := b.Build()
	return top, revenue, err
}
