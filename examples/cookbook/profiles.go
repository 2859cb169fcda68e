package main

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

// Profile is what is known of a customer. Topics carrinhos, compras-cliente and devolucoes have amounts in cents by customer.
type Profile struct {
	InCart   int64 `json:"noCarrinho"`
	Bought   int64 `json:"comprado"`
	Returned int64 `json:"devolvido"`
}

var (
	Carts    = topology.NewTopic("carrinhos", codec.String, codec.Int64)
	Bought   = topology.NewTopic("compras-cliente", codec.String, codec.Int64)
	Returns  = topology.NewTopic("devolucoes", codec.String, codec.Int64)
	Profiles = topology.NewTopic("perfis", codec.String, codec.JSON[Profile]())
)

// profiles keeps one profile of each customer, to which three streams add.
func profiles() (*topology.Topology, error) {
	b := topology.NewBuilder("perfis")

	topology.Cogroup("perfis",
		topology.Adding(topology.From(b, Carts), Profile.AddCart),
		topology.Adding(topology.From(b, Bought), Profile.AddPurchase),
		topology.Adding(topology.From(b, Returns), Profile.AddReturn),
	).To(Profiles)

	return b.Build()
}

// AddCart returns the profile after something was put into the cart.
func (p Profile) AddCart(cents int64) Profile {
	p.InCart += cents
	return p
}

// AddPurchase returns the profile after a purchase, which empties the cart.
func (p Profile) AddPurchase(cents int64) Profile {
	p.InCart, p.Bought = 0, p.Bought+cents
	return p
}

// AddReturn returns the profile after something was returned.
func (p Profile) AddReturn(cents int64) Profile {
	p.Returned += cents
	return p
}
