package topologytest_test

import (
	"cmp"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// The rules of the operators of Kafka Streams, as scripts.
//
// Proves: kafka-streams-semantics
func TestRules(t *testing.T) {
	for name, declare := range map[string]func(*topology.Builder){
		"stream-table-join": func(b *topology.Builder) {
			orders, prices := topology.From(b, texts("orders")), topology.TableFrom(b, texts("prices"))
			topology.Join(orders, prices, func(order, price string) string { return order + "+" + price }).To(texts("priced"))
			topology.LeftJoin(orders, prices, func(order, price string, ok bool) string {
				return fmt.Sprintf("%s+%s,%v", order, price, ok)
			}).To(texts("all"))
		},
		"stream-stream-joins": func(b *topology.Builder) {
			orders, payments := topology.From(b, texts("orders")), topology.From(b, texts("payments"))
			within := topology.Within(10 * time.Millisecond).Grace(5 * time.Millisecond)
			topology.JoinStreams(orders, payments, "paid", within, func(o, p string) string { return o + "+" + p }).To(texts("inner"))
			topology.LeftJoinStreams(orders, payments, "orders", within, func(o, p string, ok bool) string {
				return o + "+" + orNone(p, ok)
			}).To(texts("left"))
			topology.OuterJoinStreams(orders, payments, "all", within, func(o string, hasO bool, p string, hasP bool) string {
				return orNone(o, hasO) + "+" + orNone(p, hasP)
			}).To(texts("outer"))
			later := topology.Within(0).After(10 * time.Millisecond)
			topology.JoinStreams(payments, payments, "twice", later, func(p, q string) string { return p + "+" + q }).To(texts("self"))
		},
		"tumbling": func(b *topology.Builder) {
			s := topology.Window(topology.From(b, texts("in")), topology.Tumbling(10*time.Millisecond).Grace(5*time.Millisecond))
			topology.Aggregate(s, "sums", plus).To(windowed("out", 10*time.Millisecond))
		},
		"hopping": func(b *topology.Builder) {
			s := topology.Window(topology.From(b, texts("in")), topology.Hopping(10*time.Millisecond, 5*time.Millisecond))
			topology.Aggregate(s, "sums", plus).To(windowed("out", 10*time.Millisecond))
		},
		"sessions": func(b *topology.Builder) {
			sessions := topology.Sessions(10 * time.Millisecond).Grace(5 * time.Millisecond)
			s := topology.Window(topology.From(b, texts("in")), sessions).Filter(func(v string) bool { return v != "0" })
			out := func(name string) topology.Topic[codec.WindowKey[string], string] {
				return topology.NewTopic(name, topology.WindowCodec(sessions, codec.String), codec.String)
			}
			sums := topology.Aggregate(s, "sums", plus).Merging(func(a, b string) string { return "(" + a + " " + b + ")" })
			sums.DeleteWhen(func(sum string) bool { return strings.HasSuffix(sum, "+end") }).To(out("out"))
			topology.MapTable(sums, strings.ToUpper).Stored("loud").To(out("loud"))
			topology.Reduce(s, "last", func(_, v string) string { return v }).To(out("last"))
		},
		"sliding": func(b *topology.Builder) {
			windows := topology.Sliding(10 * time.Millisecond).Grace(5 * time.Millisecond)
			s := topology.Window(topology.From(b, texts("in")), windows)
			sums := topology.Aggregate(s, "sums", plus)
			sums.DeleteWhen(func(sum string) bool { return strings.HasSuffix(sum, "+end") })
			sums.To(windowed("out", 10*time.Millisecond))
		},
		"calendar": func(b *topology.Builder) {
			in := topology.From(b, texts("in"))
			keep := func(name string, windows topology.Windows) {
				topology.Aggregate(topology.Window(in, windows), name, plus).To(topology.NewTopic(name, topology.WindowCodec(windows, codec.String), codec.String))
			}
			keep("days", topology.Daily(time.UTC).Grace(time.Hour))
			keep("weeks", topology.Weekly(time.UTC, time.Monday))
			keep("months", topology.Monthly(time.UTC))
			keep("since", topology.Unlimited(time.UnixMilli(86_400_000)))
		},
		"aggregation": func(b *topology.Builder) {
			in := topology.From(b, texts("in"))
			topology.Aggregate(in, "sums", plus).To(texts("sums"))
			topology.Reduce(in, "reduced", func(a, b string) string { return a + "," + b }).To(texts("reduced"))
			topology.Count(in, "counted").To(topology.NewTopic("counted", codec.String, codec.Int64))
		},
		"routing": func(b *topology.Builder) {
			in := topology.From(b, texts("in"))
			small, rest := in.Branch(func(v string) bool { return v < "5" })
			middle, large := rest.Branch(func(v string) bool { return v < "8" })
			small.To(texts("small"))
			middle.To(texts("middle"))
			large.To(texts("large"))
			small.Merge(large, topology.From(b, texts("other"))).To(texts("merged"))
			in.Filter(func(v string) bool { return v != "4" }).FilterNot(func(v string) bool { return v == "6" }).To(texts("filtered"))
			topology.KeyBy(in, "by-value", func(v string) string { return "key-" + v }).To(texts("keyed"))
			topology.MapKV(in, func(k, v string) (string, string) { return v, k }).To(texts("swapped"))
			topology.FlatMap(in, func(v string) []string { return []string{v, v}[:len(v)-1] }).To(texts("doubled"))
			topology.Map(in, func(v string) string { return v + "!" }).To(texts("mapped"))
		},
		"table": func(b *topology.Builder) {
			table := topology.TableFrom(b, texts("in"))
			table.To(texts("out"))
		},
		"cogroup": func(b *topology.Builder) {
			carts, sales := topology.From(b, texts("carts")), topology.From(b, texts("sales"))
			minus := func(sum, v string) string { return sum + "-" + v }
			sums := topology.Cogroup("all", topology.Adding(carts, plus), topology.Adding(sales, minus))
			sums.Initially(func() string { return "0" }).DeleteWhen(func(sum string) bool { return strings.HasSuffix(sum, "+gone") }).To(texts("all"))
			within := func(name string, windows topology.Windows) *topology.Table[codec.WindowKey[string], string] {
				windows = windows.Grace(5 * time.Millisecond)
				carts, sales := topology.Window(carts, windows), topology.Window(sales, windows)
				sums := topology.Cogroup(name, topology.Adding(carts, plus), topology.Adding(sales, minus))
				sums.Initially(func() string { return "0" }).DeleteWhen(func(sum string) bool { return strings.HasSuffix(sum, "+gone") })
				sums.To(topology.NewTopic(name, topology.WindowCodec(windows, codec.String), codec.String))
				return sums
			}
			within("hops", topology.Hopping(10*time.Millisecond, 5*time.Millisecond))
			within("slides", topology.Sliding(10*time.Millisecond))
			within("sessions", topology.Sessions(10*time.Millisecond)).Merging(func(a, b string) string { return "(" + a + " " + b + ")" })
		},
		"ttl": func(b *topology.Builder) {
			in := topology.From(b, texts("in"))
			topology.Aggregate(in, "sums", plus).TTL(10 * time.Millisecond).To(texts("sums"))
			latest := topology.ToTable(in, "latest").TTL(10 * time.Millisecond)
			latest.To(texts("latest"))
			loud := topology.MapTable(latest, strings.ToUpper).Stored("loud").TTL(5 * time.Millisecond)
			loud.To(texts("loud"))
			topology.CountTableBy(loud, "letters", func(v string) string { return v[:1] }).To(topology.NewTopic("letters", codec.String, codec.Int64))
		},
		"grouped-tables": func(b *topology.Builder) {
			in := topology.TableFrom(b, texts("in"))
			initial := func(v string) string { return v[:1] }
			minus := func(group, v string) string { return group + "-" + v }
			sums := topology.AggregateTableBy(in, "sums", initial, func(group, v string) string { return group + "+" + v }, minus)
			sums.Initially(func() string { return "0" }).To(texts("sums"))
			topology.ReduceTableBy(in, "reduced", initial, func(a, b string) string { return a + "+" + b }, minus).To(texts("reduced"))
			counts := func(name string) topology.Topic[string, int64] {
				return topology.NewTopic(name, codec.String, codec.Int64)
			}
			topology.CountTableBy(in, "counts", initial).To(counts("counts"))
			topology.CountTableBy(in, "some", initial).DeleteWhen(func(n int64) bool { return n == 0 || n == 4 }).To(counts("some"))
		},
		"tables": func(b *topology.Builder) {
			left, right := topology.TableFrom(b, texts("left")), topology.TableFrom(b, texts("right"))
			short := left.Filter(func(v string) bool { return len(v) < 3 })
			short.To(texts("short"))
			left.FilterNot(func(v string) bool { return len(v) < 3 }).To(texts("long"))
			loud := topology.MapTable(short, strings.ToUpper).Stored("loud")
			loud.To(texts("loud"))
			topology.MapTable(topology.Rows(left), func(r processor.Record[string, string]) string {
				return fmt.Sprintf("%s is %s since %d", r.Key, r.Value, r.Timestamp)
			}).To(texts("rows"))
			topology.ToTable(topology.RowValues(topology.Rows(left)).ToStream(), "again").To(texts("again"))
			topology.JoinTables(loud, right, func(l, r string) string { return l + "+" + r }).To(texts("inner"))
			topology.LeftJoinTables(loud, right, func(l, r string, ok bool) string { return l + "+" + orNone(r, ok) }).To(texts("left-join"))
			topology.OuterJoinTables(loud, right, func(l string, hasL bool, r string, hasR bool) string {
				return orNone(l, hasL) + "+" + orNone(r, hasR)
			}).To(texts("outer"))
			asks := topology.From(b, texts("asks"))
			computed := topology.JoinTables(short, right, func(l, r string) string { return l + "/" + r })
			topology.LeftJoin(asks, computed, func(ask, row string, ok bool) string { return ask + ": " + orNone(row, ok) }).To(texts("answers"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("rules")
			declare(b)
			top, err := b.Build()
			if err != nil {
				t.Fatal(err)
			}
			topologytest.Run(t, "testdata/"+name, top, topologytest.Config{})
		})
	}
}

// orNone returns the value of a row, or "none".
func orNone(v string, ok bool) string {
	if !ok {
		return "none"
	}
	return v
}

func texts(name string) topology.Topic[string, string] {
	return topology.NewTopic(name, codec.String, codec.String)
}

func windowed(name string, size time.Duration) topology.Topic[codec.WindowKey[string], string] {
	return topology.NewTopic(name, codec.Windowed(codec.String).Size(size), codec.String)
}

// plus concatenates values to "0+a+b", which shows their order.
func plus(sum, v string) string { return cmp.Or(sum, "0") + "+" + v }

// As in Kafka Streams, the partition of a record does not depend on its window.
func TestAllWindowsOfAKeyAreInItsPartition(t *testing.T) {
	b := topology.NewBuilder("windows")
	s := topology.Window(topology.From(b, texts("in")), topology.Tumbling(time.Millisecond))
	sums := topology.Aggregate(s, "sums", plus)
	sums.To(windowed("out", time.Millisecond))
	sums.To(topology.NewTopic("renamed", renamed{codec.Windowed(codec.String)}, codec.String))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d, err := topologytest.New(top, topologytest.Config{Partitions: 7})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	partition := map[string]int32{}
	for i := range int64(30) {
		r := processor.Record[string, string]{Key: string(rune('a' + i%3)), Value: "v", Timestamp: i}
		if err := topologytest.Send(d, texts("in"), r); err != nil {
			t.Fatal(err)
		}
	}
	for _, o := range d.Outputs() {
		key := string(o.Key[:1])
		if o.Topic == "in" {
			partition[key] = o.Partition
		} else if o.Partition != partition[key] {
			t.Errorf("%s: key %s is in partition %d, its window %x in %d", o.Topic, key, partition[key], o.Key[1:], o.Partition)
		}
	}
}

// renamed is a user's codec that wraps one of ours. Methods that it does not define are those of the wrapped codec.
type renamed struct {
	codec.WindowedCodec[string]
}

func (renamed) String() string { return "mine" }
