package topologytest_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/processor"
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

// TestForeignKeyOfTheKey: on Rows, the foreign key may depend on the key of the row. The hash is that of the value, as
// in Kafka Streams, so the records of both topics are the same as for a foreign key in the value.
func TestForeignKeyOfTheKey(t *testing.T) {
	run := func(declare func(left, right *topology.Table[string, string])) (records []string) {
		b := topology.NewBuilder("keys")
		declare(topology.TableFrom(b, texts("left")), topology.TableFrom(b, texts("right")))
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		d, err := topologytest.New(top, topologytest.Config{})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for i, send := range []struct{ topic, key, value string }{{"right", "a", "A"}, {"left", "a1", "a"}, {"left", "b1", "b"}, {"right", "b", "B"}, {"left", "a1", "a!"}} {
			r := processor.Record[string, string]{Key: send.key, Value: send.value, Timestamp: int64(i)}
			if err := topologytest.Send(d, texts(send.topic), r); err != nil {
				t.Fatal(err)
			}
		}
		for _, o := range d.Outputs() {
			records = append(records, fmt.Sprintf("%s %x=%x", o.Topic, o.Key, o.Value))
		}
		return records
	}
	ofValue := run(func(left, right *topology.Table[string, string]) {
		key := func(v string) (string, bool) { return v[:1], true }
		topology.JoinTablesBy(left, right, "joined", key, func(l, r string) string { return l + r }).To(texts("out"))
	})
	ofKey := run(func(left, right *topology.Table[string, string]) {
		key := func(r processor.Record[string, string]) (string, bool) { return r.Key[:1], true }
		combine := func(l processor.Record[string, string], r string) string { return l.Value + r }
		topology.JoinTablesBy(topology.Rows(left), right, "joined", key, combine).To(texts("out"))
	})
	if diff := gocmp.Diff(ofValue, ofKey); diff != "" {
		t.Errorf("the records (-of the value +of the key):\n%s", diff)
	}
}

// TestForeignKeyErrors: a function that fails stops the application, and the error names the step; with a policy the
// record is left out.
func TestForeignKeyErrors(t *testing.T) {
	for _, c := range []struct {
		fails string // the key function or the joiner
		step  string
	}{{"key", "subscribe joined"}, {"joiner", "join-tables-by joined"}} {
		b := topology.NewBuilder("failing")
		check := func(place, v string) {
			if place == c.fails && strings.HasSuffix(v, "!") {
				panic("boom")
			}
		}
		key := func(v string) (string, bool) {
			check("key", v)
			return v[:1], true
		}
		combine := func(l, r string) string {
			check("joiner", l)
			return l + r
		}
		topology.JoinTablesBy(topology.TableFrom(b, texts("left")), topology.TableFrom(b, texts("right")), "joined", key, combine).To(texts("out"))
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		send := func(cfg topologytest.Config) ([]processor.Record[string, string], error) {
			d, err := topologytest.New(top, cfg)
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			at := func(key, value string) processor.Record[string, string] {
				return processor.Record[string, string]{Key: key, Value: value}
			}
			err = errors.Join(topologytest.Send(d, texts("right"), at("a", "A")), topologytest.Send(d, texts("left"), at("1", "a"), at("1", "a!"), at("2", "a")))
			results, _ := topologytest.Read(d, texts("out"))
			return results, err
		}
		if _, err := send(topologytest.Config{}); err == nil || !strings.Contains(err.Error(), c.step) {
			t.Errorf("the %s fails: %v, want an error of %s", c.fails, err, c.step)
		}
		results, err := send(topologytest.Config{Policies: processor.Policies{Process: processor.Policy{Action: processor.Skip}}})
		if err != nil || len(results) == 0 || results[len(results)-1].Value != "aA" {
			t.Errorf("the %s fails, and the record is skipped: %v, %v", c.fails, results, err)
		}
	}
}
