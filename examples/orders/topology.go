package main

import (
	"context"
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// Order is a value of the topic pedidos. The key is the order's number.
type Order struct {
	Customer string    `json:"cliente"`
	Cents    int64     `json:"centavos"`
	At       time.Time `json:"quando"`
}

// Customer is a value of the topic clientes. The key is the customer's id, as in Order.Customer.
type Customer struct {
	Name   string `json:"nome"`
	Region string `json:"regiao"`
}

// Sale is an order with its customer.
type Sale struct {
	Order
	Buyer Customer
}

// Revenue is the sum of the orders of a region in one hour.
type Revenue struct {
	Orders int   `json:"pedidos"`
	Cents  int64 `json:"centavos"`
}

func (r Revenue) add(s Sale) Revenue { return Revenue{r.Orders + 1, r.Cents + s.Cents} }

// The topics. An order with a time more than a day ahead is an error, because it would close all earlier windows.
var (
	Orders          = topology.NewTopic("pedidos", codec.String, codec.JSON[Order]()).TimeFrom(func(o Order) time.Time { return o.At }).MaxAhead(24 * time.Hour)
	Customers       = topology.NewTopic("clientes", codec.String, codec.JSON[Customer]())
	RevenueByRegion = topology.NewTopic("receita-por-regiao", codec.Windowed(codec.String), codec.JSON[Revenue]())
	Alerts          = topology.NewTopic("alertas", codec.String, codec.String)
)

// RevenueTable contains the revenue of each region and hour.
type RevenueTable = topology.Table[codec.WindowKey[string], Revenue]

// policies write invalid records to the dead-letter topic.
var policies = processor.Policies{Decode: processor.Policy{Action: processor.DeadLetter}, DeadLetters: "pedidos-erros"}

// Service joins orders with their customers, computes the revenue of each region and hour, and calls notify for each order
// above limit cents. notify can be called more than once for the same order, always with the same id.
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

	// Alerts are first written to a topic, in the same transaction as the order. A failed call is retried from there.
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
