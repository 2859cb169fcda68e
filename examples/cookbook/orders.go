package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

// Order is an order, in topic pedidos by its number. Progressed is how far it has come.
type (
	Order struct {
		Customer string `json:"cliente"`
		Cents    int64  `json:"centavos"`
	}
	Payment struct {
		Method string `json:"forma"`
	}
	Shipment struct {
		Carrier string `json:"transportadora"`
	}
	Customer struct {
		Name string `json:"nome"`
	}
	Progressed struct {
		Order
		PaidBy  string `json:"pago,omitempty"`
		Carrier string `json:"transportadora,omitempty"`
		Name    string `json:"nome,omitempty"`
	}
)

var (
	Orders    = topology.NewTopic("pedidos", codec.String, codec.JSON[Order]())
	Payments  = topology.NewTopic("pagamentos", codec.String, codec.JSON[Payment]())
	Shipments = topology.NewTopic("remessas", codec.String, codec.JSON[Shipment]())
	Customers = topology.NewTopic("clientes", codec.String, codec.JSON[Customer]())
	Overview  = topology.NewTopic("pedidos-resumo", codec.String, codec.JSON[Progressed]())
)

// orders joins each order with its payment, if that comes within an hour, with its shipment, if that comes within three days,
// and with the customer. The overview is up to date when a customer changes, too.
func orders() (*topology.Topology, error) {
	b := topology.NewBuilder("pedidos")

	soon := topology.Within(time.Hour).Before(0).Grace(5 * time.Minute)
	paid := topology.LeftJoinStreams(topology.From(b, Orders), topology.From(b, Payments), "pagos", soon, Order.Paid)
	inThreeDays := topology.Within(72 * time.Hour).Before(0)
	shipped := topology.LeftJoinStreams(paid, topology.From(b, Shipments), "enviados", inThreeDays, Progressed.Shipped)
	latest := topology.ToTable(shipped, "situacao")
	topology.LeftJoinTablesBy(latest, topology.TableFrom(b, Customers), "do-cliente", Progressed.CustomerID, Progressed.Of).To(Overview)

	return b.Build()
}

// Paid returns the order with its payment.
func (o Order) Paid(p Payment, _ bool) Progressed { return Progressed{Order: o, PaidBy: p.Method} }

// Shipped returns the order with its shipment.
func (p Progressed) Shipped(s Shipment, _ bool) Progressed {
	p.Carrier = s.Carrier
	return p
}

// CustomerID returns the customer, and false if there is none.
func (p Progressed) CustomerID() (string, bool) { return p.Customer, p.Customer != "" }

// Of returns the order with the name of its customer.
func (p Progressed) Of(c Customer, _ bool) Progressed {
	p.Name = c.Name
	return p
}
