package topology_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"
	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

var seen = state.NewKeyValue("seen", codec.String, codec.Int64)

// shop is a topology with every kind of step.
func shop(b *topology.Builder, sales *topology.Stream[string, string]) {
	products := topology.TableFrom(b, texts("products"))
	counts := topology.NewTopic("counts", codec.String, codec.Int64)
	hourly := topology.NewTopic("hourly", codec.Windowed(codec.String), codec.Int64)

	byProduct := topology.KeyBy(sales, "by-product", itself)
	priced := topology.Join(byProduct, products, func(a, b string) string { return a + b })
	topology.LeftJoin(byProduct, products, func(a, b string, ok bool) string { return a }).To(texts("all"))
	topology.LeftJoinStreams(byProduct, priced, "repriced", topology.Within(time.Hour).Grace(time.Minute), func(a, b string, ok bool) string { return b })
	topology.Process(priced, "first", drop, seen)
	topology.ProcessKV(byProduct, "second", drop, seen).To(texts("other"))

	suppliers := topology.TableFrom(b, texts("suppliers"))
	topology.LeftJoinTablesBy(products, suppliers, "supplied", lookedUp, func(p, s string, ok bool) string { return p + s }).Stored("supplied-products").To(texts("supplied"))

	topology.Count(byProduct, "counts").To(counts)
	topology.Count(topology.Window(byProduct, topology.Hopping(time.Hour, time.Minute).Grace(time.Second)), "hourly").To(hourly)
	topology.Reduce(byProduct, "longest", func(a, b string) string { return max(a, b) }).ToStream().Peek(look).To(texts("longest"))

	cheap, dear := sales.FilterNot(isEmpty).Branch(isEmpty)
	topology.MapKV(cheap.Merge(dear), swap).To(texts("swapped"))
	topology.FlatMap(sales, strings.Fields).To(texts("words"))
	topology.Map(sales, strings.ToUpper).To(texts("loud"))
}

func lookedUp(v string) (string, bool) { return v, v != "" }

func look(processor.Record[string, string]) {}

func swap(k, v string) (string, string) { return v, k }

func build(t *testing.T, declare func(b *topology.Builder)) *topology.Topology {
	t.Helper()
	b := topology.NewBuilder("shop")
	declare(b)
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// TestPlan compares the plan of a topology, as text and as diagrams, with golden files.
func TestPlan(t *testing.T) {
	top := build(t, func(b *topology.Builder) { shop(b, topology.From(b, texts("sales"))) })
	datadriven.RunTest(t, "testdata/shop", func(t *testing.T, c *datadriven.TestData) string {
		switch c.Cmd {
		case "plan":
			return top.String()
		case "mermaid":
			return top.Mermaid()
		case "dot":
			return top.DOT()
		}
		t.Fatalf("unknown command %q", c.Cmd)
		return ""
	})
	if again := build(t, func(b *topology.Builder) { shop(b, topology.From(b, texts("sales"))) }); again.String() != top.String() {
		t.Error("the same declarations give a different plan")
	}
}

// TestFilterMovesNoState: everything that outlives the process has a name chosen by the user, so another step renames
// nothing.
//
// Proves: filter-moves-no-state
func TestFilterMovesNoState(t *testing.T) {
	before := build(t, func(b *topology.Builder) { shop(b, topology.From(b, texts("sales"))) })
	after := build(t, func(b *topology.Builder) {
		topology.Map(topology.From(b, texts("other-input")), strings.ToLower).To(texts("other-output"))
		shop(b, topology.From(b, texts("sales")).Filter(isEmpty).Peek(look))
	})
	want := append(durable(before), "topic other-input string string", "topic other-output string string")
	slices.Sort(want)
	if diff := cmp.Diff(want, durable(after)); diff != "" {
		t.Errorf("a filter has changed durable names (-before +after):\n%s", diff)
	}
}

// durable lists the names of everything that a topology keeps outside of the process.
func durable(top *topology.Topology) []string {
	var names []string
	p := top.Plan()
	for _, topic := range p.Topics {
		names = append(names, "topic "+p.Names().Topic(topic)+" "+topic.Key+" "+topic.Value)
	}
	for _, s := range p.Subtopologies {
		for _, store := range s.Stores {
			names = append(names, "store "+store.Name()+" "+store.String()+" "+p.Names().Changelog(store.Name())+" "+store.Source)
		}
	}
	slices.Sort(names)
	return names
}
