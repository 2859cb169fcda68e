package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

// Change is a change of a product as a connector reports it from the log of a database, in topic loja.produtos. Ordered is an order
// of a product, in topic encomendas by its number.
type (
	Change struct {
		After     *Product `json:"after"`
		Committed int64    `json:"ts_ms"`
	}
	Product struct {
		Cents  int64 `json:"centavos"`
		Hidden bool  `json:"oculto,omitempty"`
	}
	Ordered struct {
		Product string `json:"produto"`
		Cents   int64  `json:"centavos,omitempty"`
	}
)

var (
	Changes   = topology.NewTopic("loja.produtos", codec.String, codec.JSON[Change]()).TimeFrom(Change.At)
	NewOrders = topology.NewTopic("encomendas", codec.String, codec.JSON[Ordered]())
	Priced    = topology.NewTopic("encomendas-com-preco", codec.String, codec.JSON[Ordered]())
)

// catalog gives each order the price that its product had when it was ordered, also if the change of a price or the order comes up
// to five minutes late.
func catalog() (*topology.Topology, error) {
	b := topology.NewBuilder("catalogo")

	shown := topology.TableFrom(b, Changes).Filter(Change.Shown)
	products := topology.Versioned(topology.MapTable(shown, Change.Product).Stored("produtos"), 24*time.Hour)
	ordered := topology.KeyBy(topology.From(b, NewOrders), "por-produto", Ordered.OfProduct)
	topology.Join(topology.Reorder(ordered, "encomendas-em-espera", 5*time.Minute), products, Ordered.At).To(Priced)

	return b.Build()
}

// At returns when the database has committed the change.
func (c Change) At() time.Time { return time.UnixMilli(c.Committed) }

// Shown reports whether the product exists and is not hidden.
func (c Change) Shown() bool { return c.After != nil && !c.After.Hidden }

// Product returns the product after the change.
func (c Change) Product() Product { return *c.After }

// OfProduct returns the product that is ordered.
func (o Ordered) OfProduct() string { return o.Product }

// At returns the order at the price of a product.
func (o Ordered) At(p Product) Ordered {
	o.Cents = p.Cents
	return o
}
