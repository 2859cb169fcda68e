package main

import (
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/topology"
)

// CardPayment is a payment, in topic pagamentos-cartao by the card.
type CardPayment struct {
	ID    string `json:"id"`
	Cents int64  `json:"centavos"`
}

var (
	perMinute = topology.Hopping(time.Minute, 10*time.Second)

	CardPayments = topology.NewTopic("pagamentos-cartao", codec.String, codec.JSON[CardPayment]())
	Alerts       = topology.NewTopic("alertas", topology.WindowCodec(perMinute, codec.String), codec.Int64)
)

// fraud reports cards with more than three payments in a minute. A payment that is sent again within ten minutes counts once.
// Alerts go to a topic, which the service that notifies people reads with its own group: a notification that fails does not
// delay payments.
func fraud() (*topology.Topology, error) {
	b := topology.NewBuilder("fraude")

	once := topology.Distinct(topology.From(b, CardPayments), "pagamentos-vistos", CardPayment.PaymentID, topology.Within(10*time.Minute))
	rates := topology.Count(topology.Window(once, perMinute), "por-minuto")
	rates.ToStream().Filter(func(n int64) bool { return n > 3 }).To(Alerts)

	return b.Build()
}

// PaymentID returns the id.
func (p CardPayment) PaymentID() string { return p.ID }
