package main

import (
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// Event is something that happened at a tenant, in topic eventos by its id.
type Event struct {
	Tenant string `json:"inquilino"`
	Kind   string `json:"tipo"`
}

var (
	Events   = topology.NewTopic("eventos", codec.String, codec.JSON[Event]())
	EventsV2 = topology.NewTopic("eventos-v2", codec.String, codec.JSON[Event]())
	Unrouted = topology.NewTopic("sem-rota", codec.String, codec.JSON[Event]())

	// ToTenant stands for the topics of all tenants. They must exist.
	ToTenant = topology.NewTopic("inquilinos", codec.String, codec.JSON[Event]()).NamedBy(tenantTopic)
)

// routes sends the orders of each tenant to a topic of its own. Heartbeats go nowhere.
func routes() (*topology.Topology, error) {
	b := topology.NewBuilder("rotas")

	routes := topology.From(b, Events, EventsV2).Split()
	routes.Branch("ruido", Event.IsHeartbeat) // nobody reads it
	routes.Branch("pedidos", Event.IsOrder).To(ToTenant)
	routes.Default("outros").To(Unrouted)

	return b.Build()
}

func tenantTopic(r processor.Record[string, Event]) string { return "pedidos-" + r.Value.Tenant }

// IsHeartbeat reports whether the event says only that the tenant is there.
func (e Event) IsHeartbeat() bool { return e.Kind == "pulso" }

// IsOrder reports whether the event is an order.
func (e Event) IsOrder() bool { return e.Kind == "pedido" }
