package main

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

// Sale is a sale of a product, in topic vendas by its shop.
type Sale struct {
	Product string `json:"produto"`
	Cents   int64  `json:"centavos"`
}

var Sales = topology.NewTopic("vendas", codec.String, codec.JSON[Sale]())

// SoldProduct returns the product.
func (s Sale) SoldProduct() string { return s.Product }

// Total adds up sales.
type Total struct {
	Count int64 `json:"vendas"`
	Cents int64 `json:"centavos"`
}

// Add returns the total with one more sale.
func (t Total) Add(s Sale) Total { return Total{t.Count + 1, t.Cents + s.Cents} }
