package topologytest_test

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/pebblestore"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// A foreignKeyCase sends orders, whose values begin with the key of a customer or with "-", and customers.
type foreignKeyCase struct {
	kind               string // inner, left or self: orders refer to orders
	orders, customers  int    // partitions
	orderOf, customer  topology.Topic[string, string]
	stored             bool
	commitEvery, batch int
	pebble, cache      bool
	steps              []foreignKeyStep
}

// foreignKeyStep sends records to a topic, or does something else first.
type foreignKeyStep struct {
	happens string // commit, crash, restart or nothing
	orders  bool
	records []processor.Record[string, string]
}

func drawForeignKeys(t *rapid.T) foreignKeyCase {
	c := foreignKeyCase{
		kind:   rapid.SampledFrom([]string{"inner", "inner", "left", "self"}).Draw(t, "kind"),
		orders: rapid.IntRange(1, 3).Draw(t, "partitions of orders"), customers: rapid.IntRange(1, 3).Draw(t, "partitions of customers"),
		stored:      rapid.Bool().Draw(t, "stored"),
		commitEvery: rapid.SampledFrom([]int{0, 1, 2, 3, 7}).Draw(t, "commit every"), batch: rapid.IntRange(0, 3).Draw(t, "batch"),
		pebble: rapid.IntRange(0, 9).Draw(t, "pebble") == 0, cache: rapid.Bool().Draw(t, "cache"),
	}
	happens := []string{"", "", "", "", "", "", "commit", "crash", "restart"}
	if c.pebble {
		happens = happens[:8] // a restart opens databases, which takes long
	}
	keys := []string{"a", "b", "c"}
	record := rapid.Custom(func(t *rapid.T) processor.Record[string, string] {
		return processor.Record[string, string]{
			Key:       rapid.SampledFrom(keys).Draw(t, "key"),
			Value:     rapid.SampledFrom([]string{"a", "a", "b", "b", "c", "-"}).Draw(t, "refers to") + rapid.SampledFrom([]string{"1", "2"}).Draw(t, "value"),
			Tombstone: rapid.IntRange(0, 3).Draw(t, "tombstone") == 0,
			Timestamp: rapid.Int64Range(0, 9).Draw(t, "time"),
		}
	})
	c.steps = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) foreignKeyStep {
		return foreignKeyStep{
			happens: rapid.SampledFrom(happens).Draw(t, "happens"),
			orders:  c.kind == "self" || rapid.Bool().Draw(t, "orders"),
			records: rapid.SliceOfN(record, 1, 4).Draw(t, "records"),
		}
	}), 1, 25).Draw(t, "steps")
	return c
}

func refersTo(order string) (customer string, ok bool) { return order[:1], order[0] != '-' }

func (c *foreignKeyCase) topology(t *rapid.T) *topology.Topology {
	b := topology.NewBuilder("foreign")
	c.orderOf, c.customer = texts("orders").Partitions(c.orders), texts("customers").Partitions(c.customers)
	orders := topology.TableFrom(b, c.orderOf)
	customers := orders
	if c.kind != "self" {
		customers = topology.TableFrom(b, c.customer)
	}
	var joined *topology.Table[string, string]
	if c.kind == "left" {
		joined = topology.LeftJoinTablesBy(orders, customers, "order-customer", refersTo, func(o, c string, ok bool) string { return o + "+" + orNone(c, ok) })
	} else {
		joined = topology.JoinTablesBy(orders, customers, "order-customer", refersTo, func(o, c string) string { return o + "+" + c })
	}
	if c.stored {
		topology.MapTable(joined.Stored("joined"), func(v string) string { return v }).To(texts("mapped"))
	}
	joined.To(texts("out"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// run returns the final rows of a result.
func (c *foreignKeyCase) run(t *rapid.T) (out, mapped map[string]string) {
	cfg := topologytest.Config{CommitEvery: c.commitEvery, Batch: c.batch}
	if !c.cache {
		cfg.State.Budget = state.NewBudget(0)
	}
	if c.pebble {
		dir, err := os.MkdirTemp("", "foreign-key-")
		if err != nil {
			t.Fatal(err)
		}
		defer os.RemoveAll(dir)
		cfg.OpenState = func(task string) (state.DB, error) {
			return pebblestore.Open(filepath.Join(dir, task), pebblestore.Config{})
		}
	}
	d, err := topologytest.New(c.topology(t), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, step := range c.steps {
		switch step.happens {
		case "commit":
			must(d.Commit())
		case "crash":
			must(d.Crash())
		case "restart":
			must(d.Restart())
		}
		topic := c.customer
		if step.orders {
			topic = c.orderOf
		}
		must(topologytest.Send(d, topic, step.records...))
	}
	must(d.Commit())
	rows := func(topic topology.Topic[string, string]) map[string]string {
		records, err := topologytest.Read(d, topic)
		must(err)
		return tableOf(records)
	}
	out = rows(texts("out"))
	if !c.stored {
		return out, out
	}
	return out, rows(texts("mapped"))
}

// tableOf returns the last value of each key.
func tableOf(records []processor.Record[string, string]) map[string]string {
	rows := map[string]string{}
	for _, r := range records {
		rows[r.Key] = r.Value
		if r.Tombstone {
			delete(rows, r.Key)
		}
	}
	return rows
}

// want returns the join of the final tables.
func (c *foreignKeyCase) want() map[string]string {
	var sent [2][]processor.Record[string, string]
	for _, step := range c.steps {
		if step.orders {
			sent[0] = append(sent[0], step.records...)
		} else {
			sent[1] = append(sent[1], step.records...)
		}
	}
	orders, customers := tableOf(sent[0]), tableOf(sent[1])
	if c.kind == "self" {
		customers = maps.Clone(orders)
	}
	joined := map[string]string{}
	for key, order := range orders {
		refers, _ := refersTo(order)
		if customer, ok := customers[refers]; ok || c.kind == "left" {
			joined[key] = order + "+" + orNone(customer, ok)
		}
	}
	return joined
}

// TestForeignKeyJoinOfTheFinalTables: however changes, commits and failures interleave, the result is in the end the
// join of the two tables.
func TestForeignKeyJoinOfTheFinalTables(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawForeignKeys(t)
		out, mapped := c.run(t)
		if diff := gocmp.Diff(c.want(), out); diff != "" {
			t.Fatalf("the results are not the join of the tables (-want +got):\n%s%s", diff, fmt.Sprint(c.steps))
		}
		if diff := gocmp.Diff(out, mapped); diff != "" {
			t.Fatalf("a table made of the results differs (-results +table):\n%s", diff)
		}
	})
}

// BenchmarkForeignKeyJoin sends orders of 5,000 keys to 500 customers, or changes of customers with one order each. An
// operation is one record and all that follows from it: up to three records on the way, and a result.
func BenchmarkForeignKeyJoin(b *testing.B) {
	orders, customers := topology.NewTopic("orders", codec.Int64, codec.Int64), topology.NewTopic("customers", codec.Int64, codec.Int64)
	for _, c := range []struct {
		name      string
		orders    bool
		customers int64
	}{{"orders", true, 500}, {"customers of one order", false, 5000}} {
		b.Run(c.name, func(b *testing.B) {
			builder := topology.NewBuilder("bench")
			key := func(order int64) (int64, bool) { return order % c.customers, true }
			sum := func(o, c int64) int64 { return o + c }
			topology.JoinTablesBy(topology.TableFrom(builder, orders), topology.TableFrom(builder, customers), "order-customer", key, sum).
				To(topology.NewTopic("out", codec.Int64, codec.Int64))
			top, err := builder.Build()
			if err != nil {
				b.Fatal(err)
			}
			d, err := topologytest.New(top, topologytest.Config{CommitEvery: 1000})
			if err != nil {
				b.Fatal(err)
			}
			defer d.Close()
			send := func(topic topology.Topic[int64, int64], key, value int64) {
				if err := topologytest.Send(d, topic, processor.Record[int64, int64]{Key: key, Value: value}); err != nil {
					b.Fatal(err)
				}
			}
			for i := range int64(5000) {
				send(customers, i, i)
				send(orders, i, i)
			}
			b.ReportAllocs()
			n := int64(0)
			for b.Loop() {
				if n++; c.orders {
					send(orders, n%5000, n)
				} else {
					send(customers, n%5000, n)
				}
			}
		})
	}
}
