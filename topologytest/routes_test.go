package topologytest_test

import (
	"strings"
	"testing"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestRoutes: branches by name, several topics read as one stream, and topics and partitions chosen per record.
func TestRoutes(t *testing.T) {
	b := topology.NewBuilder("rotas")
	events := topology.From(b, texts("pedidos"), texts("pedidos-v2"))
	var seen []string
	events.Foreach(func(r processor.Record[string, string]) error {
		seen = append(seen, r.Key+"="+r.Value)
		return nil
	})
	starts := func(prefix string) func(string) bool {
		return func(v string) bool { return strings.HasPrefix(v, prefix) }
	}
	routes := events.Split()
	tenants := texts("por-cliente").NamedBy(func(r processor.Record[string, string]) string {
		name, _, _ := strings.Cut(r.Value, " ")
		return name
	})
	routes.Branch("ruido", starts("ping")) // nobody reads it
	routes.Branch("clientes", starts("cliente-")).To(tenants)
	routes.Branch("espalhados", starts("p")).To(texts("espalhados").PartitionedBy(spread))
	routes.Default("outros").To(texts("outros"))

	// A split without a default, and a record that chooses both.
	some := events.Split()
	some.Branch("urgentes", starts("p")).To(texts("todos").NamedBy(func(r processor.Record[string, string]) string {
		return r.Key
	}).PartitionedBy(spread))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	topologytest.Run(t, "testdata/routes", top, topologytest.Config{
		Partitions: 3, Topics: []string{"cliente-1", "cliente-2", "a", "b"},
		Policies: processor.Policies{Produce: processor.Policy{Action: processor.Skip}},
	})
	if len(seen) == 0 {
		t.Error("Foreach has seen nothing")
	}
}

// spread returns the partition in the value: p0, p1, p-all, p-none.
func spread(r processor.Record[string, string], n int) int {
	switch rest := r.Value[1:]; rest {
	case "-all":
		return topology.EveryPartition
	case "-none":
		return topology.NoPartition
	default:
		return int(rest[0] - '0')
	}
}
