package runner_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// TestForeignKeyJoin joins orders in three partitions with customers in two, on a broker. The orders are not in the
// partitions of their keys: results still get to where their rows are. The second run is on a new machine.
func TestForeignKeyJoin(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	named := topology.NewTopic(c.app+".named", codec.String, codec.String)
	c.create(c.lines.Name(), 3)
	c.create(named.Name(), 2)

	b := topology.NewBuilder(c.app)
	orders := topology.TableFrom(b, c.lines)
	customer := func(order string) (string, bool) { return order, order != "" }
	// A stream moves the customers to the partitions of their keys.
	byKey := topology.KeyBy(topology.From(b, named), "by-name", func(name string) string { return name[:1] })
	topology.JoinTablesBy(orders, topology.ToTable(byKey, "customers"), "order-customer", customer, func(order, name string) string { return order + " is " + name }).To(c.out())
	top := c.build(b)

	want := map[string]string{}
	c.send(named.Name(), 2, "Ana", "Rui")
	for run := range 2 {
		values := make([]string, 30)
		for i := range values {
			values[i] = string("AR-"[(i+run)%3])
			switch values[i] {
			case "A":
				want[fmt.Sprint(i)] = "A is " + []string{"Ana", "Ada"}[run]
			case "R":
				want[fmt.Sprint(i)] = "R is Rui"
			default: // there is no such customer
				delete(want, fmt.Sprint(i))
			}
		}
		if run == 1 {
			c.send(named.Name(), 2, "Ada")
		}
		c.send(c.lines.Name(), 3, values...)
		if err := runner.Run(t.Context(), top, c.config()); err != nil {
			t.Fatal(err)
		}
		got := map[string]string{}
		for _, r := range c.read(c.out().Name()) {
			got[string(r.Key)] = string(r.Value)
			if r.Value == nil {
				delete(got, string(r.Key))
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("run %d (-want +got):\n%s", run, diff)
		}
	}
}
