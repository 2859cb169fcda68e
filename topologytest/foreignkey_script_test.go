package topologytest_test

import (
	"testing"

	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestForeignKeys joins orders, whose values begin with the key of a customer, with customers, and customers with those
// who referred them. The topics of orders have three partitions, those of customers two.
func TestForeignKeys(t *testing.T) {
	b := topology.NewBuilder("foreign-keys")
	orders, customers := topology.TableFrom(b, texts("orders").Partitions(3)), topology.TableFrom(b, texts("customers").Partitions(2))
	topology.JoinTablesBy(orders, customers, "order-customer", refersTo, func(o, c string) string { return o + "+" + c }).To(texts("inner"))
	left := topology.LeftJoinTablesBy(orders, customers, "order-or-customer", refersTo, func(o, c string, ok bool) string { return o + "+" + orNone(c, ok) })
	topology.MapTable(left.Stored("overview"), func(v string) string { return v + "!" }).To(texts("left"))
	topology.JoinTablesBy(customers, customers, "referrals", refersTo, func(c, by string) string { return c + " by " + by }).To(texts("referred"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	topologytest.Run(t, "testdata/foreign-keys", top, topologytest.Config{})
}
