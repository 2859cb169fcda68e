package main

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

// Purchase is a purchase, in topic compras by its number. Country is a country of topic paises.
type (
	Purchase struct {
		Country string `json:"pais"`
		Cents   int64  `json:"centavos"`
		Tax     int64  `json:"imposto,omitempty"`
	}
	Country struct {
		Percent int64 `json:"imposto"`
	}
)

var (
	Purchases = topology.NewTopic("compras", codec.String, codec.JSON[Purchase]())
	Countries = topology.NewTopic("paises", codec.String, codec.JSON[Country]())
	Taxed     = topology.NewTopic("compras-tributadas", codec.String, codec.JSON[Purchase]())
	Unknown   = topology.NewTopic("compras-sem-pais", codec.String, codec.JSON[Purchase]())
)

// taxes adds the tax of its country to each purchase. The few countries are a global table: every process has all of them, so the
// purchases need not be moved to the partition of their country.
func taxes() (*topology.Topology, error) {
	b := topology.NewBuilder("impostos")

	countries := topology.GlobalTableFrom(b, Countries)
	taxed := topology.LeftJoinGlobal(topology.From(b, Purchases), countries, Purchase.In, Purchase.WithTax)
	unknown, known := taxed.Branch(func(p Purchase) bool { return p.Tax < 0 })
	known.To(Taxed)
	unknown.To(Unknown)

	return b.Build()
}

// In returns the country.
func (p Purchase) In() string { return p.Country }

// WithTax returns the purchase with its tax, -1 if the country is not known.
func (p Purchase) WithTax(c Country, known bool) Purchase {
	p.Tax = p.Cents * c.Percent / 100
	if !known {
		p.Tax = -1
	}
	return p
}
