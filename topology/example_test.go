package topology_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"strings"
	"time"
	_ "time/tzdata"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// Topics of the examples.
var (
	lines  = topology.NewTopic("lines", codec.String, codec.String)
	sales  = topology.NewTopic("sales", codec.String, codec.JSON[sale]())
	sold   = topology.NewTopic("sold", codec.String, codec.JSON[sale]())
	chosen = topology.NewTopic("chosen", codec.String, codec.JSON[sale]())
	prices = topology.NewTopic("prices", codec.String, codec.Int64)
	out    = topology.NewTopic("out", codec.String, codec.String)
	counts = topology.NewTopic("counts", codec.String, codec.Int64)
	totals = topology.NewTopic("totals", codec.String, codec.JSON[total]())
)

type sale struct {
	Seller, Product string
	Amount          int64
}

func (s sale) SoldBy() string           { return s.Seller }
func (s sale) Of() string               { return s.Product }
func (s sale) Large() bool              { return s.Amount >= 100 }
func (s sale) Charge(price int64) int64 { return s.Amount * price }

type total struct{ Sales, Amount int64 }

func (t total) Add(s sale) total { return total{t.Sales + 1, t.Amount + s.Amount} }

// example runs a topology with the test driver. It panics on errors, because examples have no *testing.T.
type example struct{ driver *topologytest.Driver }

func start(b *topology.Builder) example {
	t, err := b.Build()
	if err != nil {
		panic(err)
	}
	d, err := topologytest.New(t, topologytest.Config{})
	if err != nil {
		panic(err)
	}
	return example{d}
}

// at makes a record with a timestamp of second s.
func at[V any](second int64, key string, value V) processor.Record[string, V] {
	return processor.Record[string, V]{Key: key, Value: value, Timestamp: second * 1000}
}

// gone returns a tombstone.
func gone[V any](second int64, key string) processor.Record[string, V] {
	return processor.Record[string, V]{Key: key, Timestamp: second * 1000, Tombstone: true}
}

func send[V any](e example, topic topology.Topic[string, V], records ...processor.Record[string, V]) {
	if err := topologytest.Send(e.driver, topic, records...); err != nil {
		panic(err)
	}
}

// show prints all records of a topic.
func show[K, V any](e example, topic topology.Topic[K, V]) {
	records, err := topologytest.Read(e.driver, topic)
	if err != nil {
		panic(err)
	}
	for _, r := range records {
		if r.Tombstone {
			fmt.Printf("%s %v is gone\n", topic.Name(), r.Key)
			continue
		}
		fmt.Printf("%s %v = %v\n", topic.Name(), r.Key, r.Value)
	}
}

func Example() {
	b := topology.NewBuilder("word-count")
	words := topology.FlatMap(topology.From(b, lines), strings.Fields)
	byWord := topology.KeyBy(words, "by-word", itself)
	topology.Count(byWord, "counts").To(counts)

	e := start(b)
	send(e, lines, at(0, "1", "rio mar"), at(1, "2", "rio"))
	show(e, counts)
	// Output:
	// counts rio = 1
	// counts mar = 1
	// counts rio = 2
}

func ExampleNewTopic() {
	positions := topology.NewTopic("positions", codec.String, codec.JSON[sale]()).Partitions(6)
	fmt.Println(positions.Name(), positions.KeyCodec(), positions.ValueCodec())
	// Output: positions string json[topology_test.sale]
}

func ExampleTopic_TimeFromRecord() {
	sent := topology.NewTopic("sent", codec.String, codec.String).TimeFromRecord(func(r processor.Record[string, string]) time.Time {
		for _, h := range r.Headers {
			if h.Key == "sent" {
				at, _ := time.Parse(time.RFC3339, string(h.Value)) // the zero time is invalid
				return at
			}
		}
		return r.Time()
	})
	b := topology.NewBuilder("headers")
	topology.From(b, sent.OrPartitionTime()).Foreach(func(r processor.Record[string, string]) error {
		fmt.Println(r.Time().Format(time.DateTime), r.Value)
		return nil
	})
	e := start(b)
	send(e, sent, processor.Record[string, string]{Key: "1", Value: "rio", Headers: []processor.Header{{Key: "sent", Value: []byte("2026-01-01T08:00:00Z")}}})
	send(e, sent, processor.Record[string, string]{Key: "2", Value: "mar", Headers: []processor.Header{{Key: "sent", Value: []byte("ontem")}}})
	// Output:
	// 2026-01-01 08:00:00 rio
	// 2026-01-01 08:00:00 mar
}

func ExampleTopic_TimeFrom() {
	type event struct{ At time.Time }
	events := topology.NewTopic("events", codec.String, codec.JSON[event]()).
		TimeFrom(func(e event) time.Time { return e.At })

	b := topology.NewBuilder("event-time")
	hourly := topology.Window(topology.From(b, events), topology.Tumbling(time.Hour))
	byHour := topology.NewTopic("by-hour", codec.Windowed(codec.String).Size(time.Hour), codec.Int64)
	topology.Count(hourly, "by-hour").To(byHour)

	e := start(b)
	send(e, events, at(0, "bus", event{time.Date(2026, 1, 1, 8, 50, 0, 0, time.UTC)}))
	show(e, byHour)
	// Output: by-hour bus@2026-01-01T08:00:00Z/1h0m0s = 1
}

func ExampleBuilder_Build() {
	b := topology.NewBuilder("shop")
	read := topology.From(b, lines)
	topology.Count(read, "")
	topology.Count(read, "counts of lines")

	_, err := b.Build()
	fmt.Println(strings.Count(err.Error(), "\n"), "mistakes")
	// Output: 2 mistakes
}

func ExampleFrom() {
	b := topology.NewBuilder("copy")
	topology.From(b, lines).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"), gone[string](1, "k"))
	show(e, out)
	// Output:
	// out k = rio
	// out k is gone
}

func ExampleTableFrom() {
	b := topology.NewBuilder("copy")
	topology.TableFrom(b, lines).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"), at(1, "k", "mar"), gone[string](2, "k"))
	show(e, out)
	// Output:
	// out k = rio
	// out k = mar
	// out k is gone
}

func ExampleStream_Filter() {
	b := topology.NewBuilder("large")
	topology.From(b, sales).Filter(sale.Large).To(chosen)

	e := start(b)
	send(e, sales, at(0, "1", sale{"ana", "rede", 120}), at(1, "2", sale{"ana", "vela", 30}))
	show(e, chosen)
	// Output: chosen 1 = {ana rede 120}
}

func ExampleStream_FilterNot() {
	b := topology.NewBuilder("small")
	topology.From(b, sales).FilterNot(sale.Large).To(chosen)

	e := start(b)
	send(e, sales, at(0, "1", sale{"ana", "rede", 120}), at(1, "2", sale{"ana", "vela", 30}))
	show(e, chosen)
	// Output: chosen 2 = {ana vela 30}
}

func ExampleStream_Split() {
	b := topology.NewBuilder("split")
	routes := topology.From(b, lines).Split()
	routes.Branch("questions", func(line string) bool { return strings.HasSuffix(line, "?") }).To(out)
	routes.Branch("empty", func(line string) bool { return line == "" }) // nobody reads it
	topology.Map(routes.Default("other"), strings.ToUpper).To(out)

	e := start(b)
	send(e, lines, at(0, "1", "quem?"), at(1, "2", ""), at(2, "3", "eu"))
	show(e, out)
	// Output:
	// out 1 = quem?
	// out 3 = EU
}

func ExampleStream_Foreach() {
	b := topology.NewBuilder("foreach")
	topology.From(b, lines).Foreach(func(r processor.Record[string, string]) error {
		fmt.Println(r.Time().Format(time.TimeOnly), r.Key, r.Value)
		return nil
	})
	send(start(b), lines, at(5, "1", "rio"))
	// Output: 00:00:05 1 rio
}

// Several topics are read as one stream.
func ExampleFrom_several() {
	b := topology.NewBuilder("several")
	more := topology.NewTopic("more-lines", codec.String, codec.String)
	topology.From(b, lines, more).To(out)

	e := start(b)
	send(e, lines, at(0, "1", "rio"))
	send(e, more, at(1, "2", "mar"))
	show(e, out)
	// Output:
	// out 1 = rio
	// out 2 = mar
}

func ExampleTopic_NamedBy() {
	b := topology.NewBuilder("tenants")
	tenants := topology.NewTopic("tenants", codec.String, codec.String)
	topology.From(b, lines).To(tenants.NamedBy(func(r processor.Record[string, string]) string { return "tenant-" + r.Key }))

	e := start(b)
	send(e, lines, at(0, "sul", "rio"), at(1, "norte", "mar"))
	for _, r := range e.driver.Outputs()[2:] {
		fmt.Printf("%s %s = %s\n", r.Topic, r.Key, r.Value)
	}
	// Output:
	// tenant-sul sul = rio
	// tenant-norte norte = mar
}

func ExampleTopic_PartitionedBy() {
	b := topology.NewBuilder("partitions")
	first := out.Partitions(3).PartitionedBy(func(r processor.Record[string, string], n int) int {
		if r.Value == "stop" {
			return topology.EveryPartition
		}
		return len(r.Value) % n
	})
	topology.From(b, lines).To(first)

	e := start(b)
	send(e, lines, at(0, "1", "rio"), at(1, "1", "lago"), at(2, "1", "stop"))
	for _, r := range e.driver.Outputs()[3:] {
		fmt.Printf("%s/%d %s\n", r.Topic, r.Partition, r.Value)
	}
	// Output:
	// out/0 rio
	// out/1 lago
	// out/0 stop
	// out/1 stop
	// out/2 stop
}

func ExampleStream_Branch() {
	b := topology.NewBuilder("split")
	large, small := topology.From(b, sales).Branch(sale.Large)
	topology.Map(large, sale.SoldBy).To(out)
	small.To(chosen)

	e := start(b)
	send(e, sales, at(0, "1", sale{"ana", "rede", 120}), at(1, "2", sale{"joão", "vela", 30}))
	show(e, out)
	show(e, chosen)
	// Output:
	// out 1 = ana
	// chosen 2 = {joão vela 30}
}

func ExampleStream_Merge() {
	b := topology.NewBuilder("both")
	topology.From(b, lines).Merge(topology.From(b, texts("more"))).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"))
	send(e, texts("more"), at(1, "k", "mar"))
	show(e, out)
	// Output:
	// out k = rio
	// out k = mar
}

func ExampleStream_Peek() {
	b := topology.NewBuilder("log")
	topology.From(b, lines).Peek(func(r processor.Record[string, string]) {
		fmt.Println(r.Time().Format(time.TimeOnly), r.Key, r.Value)
	})

	send(start(b), lines, at(61, "k", "rio"))
	// Output: 00:01:01 k rio
}

func ExampleMap() {
	b := topology.NewBuilder("sellers")
	topology.Map(topology.From(b, sales), sale.SoldBy).To(out)

	e := start(b)
	send(e, sales, at(0, "1", sale{"ana", "rede", 120}))
	show(e, out)
	// Output: out 1 = ana
}

func ExampleMapKV() {
	b := topology.NewBuilder("swap")
	topology.MapKV(topology.From(b, lines), swap).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"))
	show(e, out)
	// Output: out rio = k
}

func ExampleFlatMap() {
	b := topology.NewBuilder("words")
	topology.FlatMap(topology.From(b, lines), strings.Fields).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio mar"))
	show(e, out)
	// Output:
	// out k = rio
	// out k = mar
}

func ExampleKeyBy() {
	b := topology.NewBuilder("by-seller")
	topology.KeyBy(topology.From(b, sales), "by-seller", sale.SoldBy).To(chosen)

	e := start(b)
	send(e, sales, at(0, "1", sale{"ana", "rede", 120}))
	show(e, chosen)
	// Output: chosen ana = {ana rede 120}
}

func ExampleRepartition() {
	b := topology.NewBuilder("by-product")
	byProduct := topology.MapKV(topology.From(b, sales), func(_ string, s sale) (string, int64) { return s.Product, s.Amount })
	moved := topology.Repartition(byProduct, "by-product").Partitions(4)
	topology.Count(moved, "counts").To(counts)

	e := start(b)
	send(e, sales, at(0, "1", sale{"Ana", "pens", 3}), at(1, "2", sale{"Bia", "pens", 1}))
	show(e, counts)
	// Output:
	// counts pens = 1
	// counts pens = 2
}

func ExampleStream_Partitions() {
	b := topology.NewBuilder("shop")
	topology.KeyBy(topology.From(b, sales), "by-product", sale.Of).Partitions(4).To(sold)

	t, err := b.Build()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(t.Plan().Topics["by-product-repartition"].Partitions)
	// Output: 4
}

func ExampleStream_PartitionedBy() {
	b := topology.NewBuilder("by-product")
	spread := func(r processor.Record[string, sale], n int) int { return len(r.Key) % n }
	topology.Repartition(topology.From(b, sales), "spread").PartitionedBy(spread).To(sold)

	e := start(b)
	send(e, sales, at(0, "1", sale{"Ana", "pens", 3}))
	show(e, sold)
	// Output: sold 1 = {Ana pens 3}
}

func ExampleCount() {
	b := topology.NewBuilder("count")
	topology.Count(topology.From(b, lines), "counts").To(counts)

	e := start(b)
	send(e, lines, at(0, "k", "rio"), at(1, "k", "mar"))
	show(e, counts)
	// Output:
	// counts k = 1
	// counts k = 2
}

func ExampleReduce() {
	b := topology.NewBuilder("longest")
	longer := func(a, b string) string {
		if len(b) > len(a) {
			return b
		}
		return a
	}
	topology.Reduce(topology.From(b, lines), "longest", longer).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"), at(1, "k", "oceano"), at(2, "k", "mar"))
	show(e, out)
	// Output:
	// out k = rio
	// out k = oceano
	// out k = oceano
}

func ExampleAggregate() {
	b := topology.NewBuilder("totals")
	bySeller := topology.KeyBy(topology.From(b, sales), "by-seller", sale.SoldBy)
	topology.Aggregate(bySeller, "totals", total.Add).To(totals)

	e := start(b)
	send(e, sales, at(0, "1", sale{"ana", "rede", 120}), at(1, "2", sale{"ana", "vela", 30}))
	show(e, totals)
	// Output:
	// totals ana = {1 120}
	// totals ana = {2 150}
}

func ExampleWindow() {
	perMinute := topology.NewTopic("per-minute", codec.Windowed(codec.String).Size(time.Minute), codec.Int64)

	b := topology.NewBuilder("minutes")
	minutes := topology.Window(topology.From(b, lines), topology.Tumbling(time.Minute).Grace(10*time.Second))
	topology.Count(minutes, "per-minute").To(perMinute)

	e := start(b)
	send(e, lines, at(10, "k", "rio"), at(59, "k", "mar"), at(60, "k", "lago"))
	send(e, lines, at(58, "k", "late")) // within the grace period
	send(e, lines, at(70, "k", "foz"))
	send(e, lines, at(57, "k", "too late"))
	show(e, perMinute)
	// Output:
	// per-minute k@1970-01-01T00:00:00Z/1m0s = 1
	// per-minute k@1970-01-01T00:00:00Z/1m0s = 2
	// per-minute k@1970-01-01T00:01:00Z/1m0s = 1
	// per-minute k@1970-01-01T00:00:00Z/1m0s = 3
	// per-minute k@1970-01-01T00:01:00Z/1m0s = 2
}

func ExampleTumbling() {
	fmt.Println(topology.Tumbling(5 * time.Minute).Grace(time.Minute))
	// Output: tumbling 5m0s, grace 1m0s
}

func ExampleHopping() {
	windows := topology.Hopping(10*time.Second, 5*time.Second)
	perWindow := topology.NewTopic("per-window", codec.Windowed(codec.String).Size(10*time.Second), codec.Int64)

	b := topology.NewBuilder("hopping")
	topology.Count(topology.Window(topology.From(b, lines), windows), "per-window").To(perWindow)

	e := start(b)
	send(e, lines, at(7, "k", "rio"))
	show(e, perWindow)
	// Output:
	// per-window k@1970-01-01T00:00:00Z/10s = 1
	// per-window k@1970-01-01T00:00:05Z/10s = 1
}

func ExampleSessions() {
	sessions := topology.Sessions(30 * time.Second).Grace(10 * time.Second)
	visits := topology.NewTopic("visits", topology.WindowCodec(sessions, codec.String), codec.Int64)

	b := topology.NewBuilder("visits")
	topology.Count(topology.Window(topology.From(b, lines), sessions), "visits").To(visits)

	e := start(b)
	send(e, lines, at(0, "ana", "/"), at(20, "ana", "/redes"), at(60, "ana", "/"))
	show(e, visits)
	// Output:
	// visits ana@1970-01-01T00:00:00Z/0s = 1
	// visits ana@1970-01-01T00:00:00Z/0s is gone
	// visits ana@1970-01-01T00:00:00Z/20s = 2
	// visits ana@1970-01-01T00:01:00Z/0s = 1
}

func ExampleSliding() {
	windows := topology.Sliding(10 * time.Second)
	inTenSeconds := topology.NewTopic("in-ten-seconds", topology.WindowCodec(windows, codec.String), codec.Int64)

	b := topology.NewBuilder("rate")
	topology.Count(topology.Window(topology.From(b, lines), windows), "rate").To(inTenSeconds)

	e := start(b)
	send(e, lines, at(20, "ana", "/"), at(25, "ana", "/redes"))
	show(e, inTenSeconds)
	// Output:
	// in-ten-seconds ana@1970-01-01T00:00:10Z/10s = 1
	// in-ten-seconds ana@1970-01-01T00:00:20.001Z/10s = 1
	// in-ten-seconds ana@1970-01-01T00:00:15Z/10s = 2
}

func ExampleDaily() {
	saoPaulo, err := time.LoadLocation("America/Sao_Paulo")
	if err != nil {
		log.Fatal(err)
	}
	days := topology.Daily(saoPaulo).Grace(2 * time.Hour)
	perDay := topology.NewTopic("per-day", topology.WindowCodec(days, codec.String), codec.Int64)

	b := topology.NewBuilder("days")
	topology.Count(topology.Window(topology.From(b, lines), days), "per-day").To(perDay)

	e := start(b)
	beforeMidnight := time.Date(2018, 11, 3, 23, 59, 0, 0, saoPaulo).Unix() // the next day begins at 01:00
	send(e, lines, at(beforeMidnight, "k", "rio"), at(beforeMidnight+60, "k", "mar"))
	show(e, perDay)
	// Output:
	// per-day k@2018-11-03T03:00:00Z/24h0m0s = 1
	// per-day k@2018-11-04T03:00:00Z/23h0m0s = 1
}

func ExampleWeekly() {
	fmt.Println(topology.Weekly(time.UTC, time.Monday).Grace(time.Hour))
	// Output: weekly from Monday in UTC, grace 1h0m0s
}

func ExampleMonthly() {
	fmt.Println(topology.Monthly(time.UTC))
	// Output: monthly in UTC
}

func ExampleUnlimited() {
	since := topology.Unlimited(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))
	fmt.Println(since)
	// Output: unlimited from 2026-01-01T00:00:00Z
}

func ExampleTable_Merging() {
	sessions := topology.Sessions(30 * time.Second).Grace(10 * time.Second)
	longest := topology.NewTopic("longest", topology.WindowCodec(sessions, codec.String), codec.String)
	longer := func(a, b string) string {
		if len(a) < len(b) {
			return b
		}
		return a
	}

	b := topology.NewBuilder("longest")
	topology.Aggregate(topology.Window(topology.From(b, lines), sessions), "longest", longer).Merging(longer).To(longest)

	e := start(b)
	send(e, lines, at(5, "ana", "rede"), at(40, "ana", "lua"), at(20, "ana", "barco"))
	show(e, longest)
	// Output:
	// longest ana@1970-01-01T00:00:05Z/0s = rede
	// longest ana@1970-01-01T00:00:40Z/0s = lua
	// longest ana@1970-01-01T00:00:05Z/0s is gone
	// longest ana@1970-01-01T00:00:40Z/0s is gone
	// longest ana@1970-01-01T00:00:05Z/35s = barco
}

func ExampleWindowCodec() {
	keys := topology.WindowCodec(topology.Sessions(time.Minute), codec.String)
	data, _ := keys.Append(nil, codec.WindowKey[string]{Key: "ana", Start: time.UnixMilli(1000), End: time.UnixMilli(5000)})
	key, _ := keys.Decode(data)
	fmt.Println(key)
	// Output: ana@1970-01-01T00:00:01Z/4s
}

func ExampleJoin() {
	b := topology.NewBuilder("charges")
	byProduct := topology.KeyBy(topology.From(b, sales), "by-product", sale.Of)
	charges := topology.Join(byProduct, topology.TableFrom(b, prices), sale.Charge)
	charges.To(counts)

	e := start(b)
	send(e, prices, at[int64](0, "rede", 5))
	send(e, sales, at(1, "1", sale{"ana", "rede", 2}), at(2, "2", sale{"ana", "vela", 3}))
	show(e, counts)
	// Output: counts rede = 10
}

func ExampleLeftJoin() {
	b := topology.NewBuilder("charges")
	byProduct := topology.KeyBy(topology.From(b, sales), "by-product", sale.Of)
	topology.LeftJoin(byProduct, topology.TableFrom(b, prices), func(s sale, price int64, known bool) string {
		if !known {
			return "no price"
		}
		return fmt.Sprint(s.Charge(price))
	}).To(out)

	e := start(b)
	send(e, prices, at[int64](0, "rede", 5))
	send(e, sales, at(1, "1", sale{"ana", "rede", 2}), at(2, "2", sale{"ana", "vela", 3}))
	show(e, out)
	// Output:
	// out rede = 10
	// out vela = no price
}

// The sale is charged with the price at its time, although the price has changed since.
func ExampleVersioned() {
	b := topology.NewBuilder("charges")
	history := topology.Versioned(topology.TableFrom(b, prices), 24*time.Hour)
	byProduct := topology.KeyBy(topology.From(b, sales), "by-product", sale.Of)
	topology.Join(byProduct, history, sale.Charge).To(counts)

	e := start(b)
	send(e, prices, at[int64](0, "rede", 5), at[int64](60, "rede", 6))
	send(e, sales, at(30, "1", sale{"ana", "rede", 2}), at(90, "2", sale{"ana", "rede", 2}))
	show(e, counts)
	// Output:
	// counts rede = 10
	// counts rede = 12
}

// A price may arrive up to a minute after the sales that it applies to: they wait for it.
func ExampleReorder() {
	b := topology.NewBuilder("charges")
	history := topology.Versioned(topology.TableFrom(b, prices), 24*time.Hour)
	byProduct := topology.KeyBy(topology.From(b, sales), "by-product", sale.Of)
	topology.Join(topology.Reorder(byProduct, "waiting-sales", time.Minute), history, sale.Charge).To(counts)

	e := start(b)
	send(e, sales, at(30, "1", sale{"ana", "rede", 2}))
	send(e, prices, at[int64](0, "rede", 5))
	send(e, sales, at(90, "2", sale{"ana", "rede", 2})) // a minute later
	show(e, counts)
	// Output: counts rede = 10
}

// Every process has all countries, so the sales need not be partitioned by country.
func ExampleJoinGlobal() {
	b := topology.NewBuilder("shipping")
	countries := topology.GlobalTableFrom(b, topology.NewTopic("countries", codec.String, codec.String))
	topology.JoinGlobal(topology.From(b, orders), countries, countryOf, func(order, country string) string {
		return order + " to " + country
	}).To(out)

	e := start(b)
	send(e, topology.NewTopic("countries", codec.String, codec.String), at(0, "BR", "Brasil"))
	send(e, orders, at(1, "ana", "rede BR"), at(2, "rui", "vela PT"))
	show(e, out)
	// Output: out ana = rede BR to Brasil
}

func countryOf(order string) string {
	_, country, _ := strings.Cut(order, " ")
	return country
}

func ExampleLeftJoinGlobal() {
	b := topology.NewBuilder("shipping")
	countries := topology.GlobalTableFrom(b, topology.NewTopic("countries", codec.String, codec.String))
	topology.LeftJoinGlobal(topology.From(b, orders), countries, countryOf, func(order, country string, known bool) string {
		if !known {
			return order + " to an unknown country"
		}
		return order + " to " + country
	}).To(out)

	e := start(b)
	send(e, topology.NewTopic("countries", codec.String, codec.String), at(0, "BR", "Brasil"))
	send(e, orders, at(1, "ana", "rede BR"), at(2, "rui", "vela PT"))
	show(e, out)
	// Output:
	// out ana = rede BR to Brasil
	// out rui = vela PT to an unknown country
}

var (
	orders   = topology.NewTopic("orders", codec.String, codec.String)
	payments = topology.NewTopic("payments", codec.String, codec.Int64)
)

// A payment may come up to an hour after its order, never before it.
func ExampleJoinStreams() {
	b := topology.NewBuilder("payments")
	soon := topology.Within(time.Hour).Before(0)
	topology.JoinStreams(topology.From(b, orders), topology.From(b, payments), "paid-orders", soon, func(item string, price int64) string {
		return fmt.Sprint(item, " paid with ", price)
	}).To(out)

	e := start(b)
	send(e, orders, at(0, "1", "tea"), at(10, "2", "ink"))
	send(e, payments, at[int64](20, "1", 5), at[int64](3700, "2", 8))
	show(e, out)
	// Output: out 1 = tea paid with 5
}

// The result without a payment leaves when an hour and the grace have passed.
func ExampleLeftJoinStreams() {
	b := topology.NewBuilder("payments")
	soon := topology.Within(time.Hour).Before(0).Grace(5 * time.Minute)
	topology.LeftJoinStreams(topology.From(b, orders), topology.From(b, payments), "paid-orders", soon, func(item string, price int64, paid bool) string {
		if !paid {
			return item + " not paid"
		}
		return fmt.Sprint(item, " paid with ", price)
	}).To(out)

	e := start(b)
	send(e, orders, at(0, "1", "tea"), at(10, "2", "ink"))
	send(e, payments, at[int64](20, "2", 8))
	send(e, orders, at(3901, "3", "pen"))
	show(e, out)
	// Output:
	// out 2 = ink paid with 8
	// out 1 = tea not paid
}

func ExampleOuterJoinStreams() {
	b := topology.NewBuilder("payments")
	topology.OuterJoinStreams(topology.From(b, orders), topology.From(b, payments), "matched", topology.Within(time.Minute),
		func(item string, ordered bool, price int64, paid bool) string {
			return fmt.Sprint("ordered ", ordered, ", paid ", paid)
		}).To(out)

	e := start(b)
	send(e, orders, at(0, "1", "tea"))
	send(e, payments, at[int64](1, "2", 8), at[int64](100, "3", 9))
	send(e, orders, at(101, "3", "pen"))
	show(e, out)
	// Output:
	// out 1 = ordered true, paid false
	// out 2 = ordered false, paid true
	// out 3 = ordered true, paid true
}

func ExampleDistinct() {
	b := topology.NewBuilder("once")
	lower := strings.ToLower
	topology.Distinct(topology.From(b, lines), "seen", lower, topology.Within(time.Minute)).To(out)

	e := start(b)
	send(e, lines, at(0, "1", "rio"), at(30, "1", "Rio"), at(40, "2", "rio"), at(61, "1", "RIO"))
	show(e, out)
	// Output:
	// out 1 = rio
	// out 2 = rio
	// out 1 = RIO
}

func ExampleMapAsync() {
	// geocode stands for a call to a service.
	geocode := func(_ context.Context, place string) (string, error) {
		if place == "?" {
			return "", errors.New("no such place")
		}
		return strings.ToUpper(place), nil
	}
	b := topology.NewBuilder("places")
	found := topology.MapAsync(topology.From(b, lines), "geocode", geocode, topology.Calls{InFlight: 4, Timeout: time.Second})
	found.OnError(processor.Policy{Action: processor.Skip, Retries: 2}).To(out)

	e := start(b)
	send(e, lines, at(0, "1", "rio"), at(1, "2", "?"), at(2, "3", "mar"))
	show(e, out)
	// Output:
	// out 1 = RIO
	// out 3 = MAR
}

// The outbox: what is to be done outside goes through a topic. A call that fails does not undo the count.
func ExampleMapAsync_outbox() {
	page := func(context.Context, string) (string, error) { return "", errors.New("nobody answers") }

	b := topology.NewBuilder("outbox")
	orders := topology.From(b, lines)
	topology.Count(orders, "orders").To(counts)
	alerts := topology.NewTopic("alerts", codec.String, codec.String)
	orders.Filter(func(order string) bool { return strings.HasPrefix(order, "large") }).To(alerts)
	sent := topology.MapAsync(topology.From(b, alerts), "page", page, topology.Calls{})
	sent.OnError(processor.Policy{Action: processor.Skip, Retries: 3}).To(out)

	e := start(b)
	send(e, lines, at(0, "ana", "small order"), at(1, "ana", "large order"))
	show(e, counts)
	show(e, alerts)
	// Output:
	// counts ana = 1
	// counts ana = 2
	// alerts ana = large order
}

func ExampleProcess() {
	last := state.NewKeyValue("last", codec.String, codec.String)
	changes := func(c *processor.Context[string, string]) processor.Handler[string, string] {
		last := last.In(c)
		return func(r processor.Record[string, string]) error {
			before, known, err := last.Get(r.Key)
			if err != nil || known && before == r.Value {
				return err
			}
			if err := last.Put(r.Key, r.Value, r.Timestamp); err != nil {
				return err
			}
			return c.Emit(r.Key, before+" → "+r.Value)
		}
	}

	b := topology.NewBuilder("changes")
	topology.Process(topology.From(b, lines), "changes", changes, last).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"), at(1, "k", "rio"), at(2, "k", "mar"))
	show(e, out)
	// Output:
	// out k =  → rio
	// out k = rio → mar
}

func ExampleOutput() {
	long := processor.NewOutput("long", codec.String, codec.String)
	check := func(c *processor.Context[string, string]) processor.Handler[string, string] {
		long := long.In(c)
		return func(r processor.Record[string, string]) error {
			if len(r.Value) > 3 {
				return long.Emit(r.Key, r.Value)
			}
			return c.Forward(r)
		}
	}

	b := topology.NewBuilder("checked")
	checked := topology.Process(topology.From(b, lines), "check", check, long)
	topology.Map(topology.Output(checked, long), strings.ToUpper).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"), at(1, "k", "lago"))
	show(e, out)
	// Output: out k = LAGO
}

// A step reminds of keys from which nothing has come for a minute.
func ExampleProcess_alarm() {
	remind := func(c *processor.Context[string, string]) processor.Handler[string, string] {
		alarms := map[string]*processor.Timer{}
		return func(r processor.Record[string, string]) error {
			if alarm := alarms[r.Key]; alarm != nil {
				alarm.Stop()
			}
			alarms[r.Key] = c.Alarm(r.Time().Add(time.Minute), processor.StreamTime, func(time.Time) error {
				return c.Emit(r.Key, "silent since "+r.Value)
			})
			return nil
		}
	}

	b := topology.NewBuilder("reminders")
	topology.Process(topology.From(b, lines), "remind", remind).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"), at(30, "k", "mar"), at(60, "j", "rio"), at(90, "j", "mar"))
	show(e, out)
	// Output: out k = silent since mar
}

func ExampleProcessKV() {
	initials := func(c *processor.Context[string, string]) processor.Handler[string, string] {
		return func(r processor.Record[string, string]) error { return c.Emit(r.Value[:1], r.Key) }
	}

	b := topology.NewBuilder("initials")
	topology.ProcessKV(topology.From(b, lines), "initials", initials).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"))
	show(e, out)
	// Output: out r = k
}

func ExampleTable_ToStream() {
	b := topology.NewBuilder("often")
	counted := topology.Count(topology.From(b, lines), "counts")
	counted.ToStream().Filter(func(n int64) bool { return n > 1 }).To(counts)

	e := start(b)
	send(e, lines, at(0, "k", "rio"), at(1, "k", "mar"))
	show(e, counts)
	// Output: counts k = 2
}

func ExampleTable_Encoded() {
	b := topology.NewBuilder("sums")
	sum := func(sum, n int64) int64 { return sum + n }
	topology.Aggregate(topology.From(b, prices), "sums", sum).Encoded(codec.JSON[int64]())

	t, err := b.Build()
	fmt.Println(strings.Contains(t.String(), "key-value string → json[int64]"), err)
	// Output: true <nil>
}

func ExampleStream_KeyEncoded() {
	b := topology.NewBuilder("by-seller")
	topology.KeyBy(topology.From(b, sales), "by-seller", sale.SoldBy).KeyEncoded(codec.JSON[string]())

	t, err := b.Build()
	fmt.Println(strings.Contains(t.String(), "json[string] → json[topology_test.sale]"), err)
	// Output: true <nil>
}

func ExampleTopology_String() {
	b := topology.NewBuilder("word-count")
	words := topology.FlatMap(topology.From(b, lines), strings.Fields)
	topology.Count(topology.KeyBy(words, "by-word", itself), "counts").To(counts)

	t, err := b.Build()
	fmt.Println(t, err)
	// Output:
	// application word-count
	//
	// sub-topology 0
	//   source lines: string → string
	//     flat-map
	//       key-by by-word: string → string to word-count-by-word-repartition
	//
	// sub-topology 1
	//   source word-count-by-word-repartition: string → string
	//     count counts
	//       to-stream
	//         sink counts: string → int64
	//   store counts: key-value string → int64, changelog word-count-counts-changelog
	//  <nil>
}

func ExampleTopology_Mermaid() {
	b := topology.NewBuilder("copy")
	topology.From(b, lines).To(out)

	t, err := b.Build()
	fmt.Println(t.Mermaid(), err)
	// Output:
	// flowchart TD
	//   subgraph s0 [sub-topology 0]
	//     n0["source"]
	//     n1["sink"]
	//   end
	//   t0(["lines"])
	//   t1(["out"])
	//   t0 --> n0
	//   n0 --> n1
	//   n1 --> t1
	//  <nil>
}

func ExampleStream_Encoded() {
	b := topology.NewBuilder("lengths")
	lengths := topology.Map(topology.From(b, lines), func(line string) int64 { return int64(len(line)) }).Encoded(codec.JSON[int64]())
	topology.KeyBy(lengths, "by-length", func(n int64) int64 { return n })

	t, err := b.Build()
	fmt.Println(strings.Contains(t.String(), "key-by by-length: int64 → json[int64] to"), err)
	// Output: true <nil>
}

func ExampleEncodeAs() {
	b := topology.NewBuilder("lengths")
	topology.EncodeAs(b, codec.JSON[int64]())
	lengths := topology.Map(topology.From(b, lines), func(line string) int64 { return int64(len(line)) })
	topology.KeyBy(lengths, "by-length", func(n int64) int64 { return n })

	t, err := b.Build()
	fmt.Println(strings.Contains(t.String(), "key-by by-length: int64 → json[int64] to"), err)
	// Output: true <nil>
}

func ExampleStream_TopicConfig() {
	b := topology.NewBuilder("by-seller")
	topology.KeyBy(topology.From(b, sales), "by-seller", sale.SoldBy).TopicConfig("max.message.bytes", "2000000")

	t, err := b.Build()
	fmt.Println(strings.Contains(t.String(), "by-seller-repartition (max.message.bytes=2000000)"), err)
	// Output: true <nil>
}

func ExampleTable_TopicConfig() {
	b := topology.NewBuilder("often")
	topology.Count(topology.From(b, lines), "counts").TopicConfig("segment.bytes", "1048576")

	t, err := b.Build()
	fmt.Println(strings.Contains(t.String(), "changelog often-counts-changelog (segment.bytes=1048576)"), err)
	// Output: true <nil>
}

func ExampleTable_Retention() {
	b := topology.NewBuilder("hourly")
	hourly := topology.Window(topology.From(b, lines), topology.Tumbling(time.Hour))
	topology.Count(hourly, "per-hour").Retention(7 * 24 * time.Hour) // late lookups find

	_, err := b.Build()
	fmt.Println(err)
	// Output: <nil>
}

func ExampleTable_Initially() {
	b := topology.NewBuilder("lowest")
	lowest := func(low, price int64) int64 { return min(low, price) }
	topology.Aggregate(topology.From(b, prices), "lowest", lowest).Initially(func() int64 { return 100 }).To(counts)

	e := start(b)
	send(e, prices, at(0, "k", int64(120)), at(1, "k", int64(70)))
	show(e, counts)
	// Output:
	// counts k = 100
	// counts k = 70
}

func ExampleTable_DeleteWhen() {
	b := topology.NewBuilder("stock")
	add := func(stock, change int64) int64 { return stock + change }
	topology.Aggregate(topology.From(b, prices), "stock", add).DeleteWhen(func(n int64) bool { return n == 0 }).To(counts)

	e := start(b)
	send(e, prices, at(0, "nails", int64(5)), at(1, "nails", int64(-5)), at(2, "nails", int64(1)))
	show(e, counts)
	// Output:
	// counts nails = 5
	// counts nails is gone
	// counts nails = 1
}

func ExampleRecords() {
	type record = processor.Record[string, string]
	b := topology.NewBuilder("visible")
	visible := topology.Records(topology.From(b, lines)).Filter(func(r record) bool { return r.Key != "hidden" })
	topology.Values(visible).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"), at(1, "hidden", "mar"))
	show(e, out)
	// Output: out k = rio
}

func ExampleValues() {
	type record = processor.Record[string, string]
	b := topology.NewBuilder("later")
	anHourLater := func(r record) record { r.Timestamp += time.Hour.Milliseconds(); return r }
	topology.Values(topology.Map(topology.Records(topology.From(b, lines)), anHourLater)).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"))
	show(e, out)
	// Output: out k = rio
}

func ExampleFromRecords() {
	type record = processor.Record[string, string]
	b := topology.NewBuilder("swapped")
	swap := func(r record) record { r.Key, r.Value = r.Value, r.Key; return r }
	topology.FromRecords(topology.Map(topology.Records(topology.From(b, lines)), swap)).To(out)

	e := start(b)
	send(e, lines, at(0, "k", "rio"))
	show(e, out)
	// Output: out rio = k
}

// If an alert cannot be sent, the revenue is still counted: only the changes of the failed step are rolled back, and
// its record goes to the dead letters.
func ExampleStream_OnError() {
	b := topology.NewBuilder("alerts")
	revenue := topology.Aggregate(topology.From(b, prices), "revenue", func(sum, price int64) int64 { return sum + price })
	revenue.To(counts)
	topology.Map(revenue.ToStream(), func(sum int64) string {
		if sum > 100 {
			panic("nobody answers the phone")
		}
		return fmt.Sprint("revenue is ", sum)
	}).OnError(processor.Policy{Action: processor.Skip}).To(out)

	e := start(b)
	send(e, prices, at(0, "rio", int64(70)), at(1, "rio", int64(50)))
	show(e, counts)
	show(e, out)
	// Output:
	// counts rio = 70
	// counts rio = 120
	// out rio = revenue is 70
}

func ExampleTable_OnError() {
	b := topology.NewBuilder("halves")
	add := func(sum, price int64) int64 { return sum + 100/price } // fails for 0
	topology.Aggregate(topology.From(b, prices), "sums", add).OnError(processor.Policy{Action: processor.Skip}).To(counts)

	e := start(b)
	send(e, prices, at(0, "k", int64(4)), at(1, "k", int64(0)), at(2, "k", int64(2)))
	show(e, counts)
	// Output:
	// counts k = 25
	// counts k = 75
}

func ExampleTopic_OnError() {
	b := topology.NewBuilder("numbers")
	numbers := topology.NewTopic("lines", codec.String, codec.JSON[int64]()).OnError(processor.Policy{Action: processor.Skip})
	topology.From(b, numbers).To(counts)

	e := start(b)
	send(e, lines, at(0, "k", "no number"), at(1, "k", "7"))
	show(e, counts)
	// Output: counts k = 7
}

// The outbox pattern: a request to another system is first written to a topic, in the same transaction as the state. So
// state and outbox always agree, whatever happens to the calls and however often they are retried. The topic is the
// border between the two.
func Example_outbox() {
	alerts := topology.NewTopic("alerts", codec.String, codec.String)
	b := topology.NewBuilder("outbox")
	revenue := topology.Aggregate(topology.From(b, prices), "revenue", func(sum, price int64) int64 { return sum + price })
	revenue.To(counts)
	high := revenue.ToStream().Filter(func(sum int64) bool { return sum > 100 })
	topology.Map(high, func(sum int64) string { return fmt.Sprint("revenue is ", sum) }).To(alerts)

	calls := 0
	call := func(*processor.Context[string, string]) processor.Handler[string, string] {
		return func(r processor.Record[string, string]) error {
			if calls++; calls < 3 {
				return errors.New("nobody answers the phone")
			}
			fmt.Println("called at the third attempt:", r.Value)
			return nil
		}
	}
	topology.Process(topology.From(b, alerts), "call", call).OnError(processor.Policy{Action: processor.Skip, Retries: 5})

	e := start(b)
	send(e, prices, at(0, "rio", int64(70)), at(1, "rio", int64(50)))
	show(e, counts)
	// Output:
	// called at the third attempt: revenue is 120
	// counts rio = 70
	// counts rio = 120
}

func ExampleTable_In() {
	b := topology.NewBuilder("credit")
	limits := topology.TableFrom(b, counts)
	check := func(c *processor.Context[string, string]) processor.Handler[string, int64] {
		limits := limits.In(c)
		return func(r processor.Record[string, int64]) error {
			limit, _, err := limits.Get(r.Key)
			if err != nil || r.Value <= limit {
				return err
			}
			return c.Emit(r.Key, fmt.Sprintf("%d is more than %d", r.Value, limit))
		}
	}
	topology.Process(topology.From(b, prices), "credit-check", check, limits).To(out)

	e := start(b)
	send(e, counts, at(0, "ana", int64(100)))
	send(e, prices, at(1, "ana", int64(70)), at(2, "ana", int64(120)))
	show(e, out)
	// Output: out ana = 120 is more than 100
}

func ExampleTable_Filter() {
	b := topology.NewBuilder("stock")
	stock := topology.TableFrom(b, counts)
	stock.Filter(func(n int64) bool { return n < 5 }).To(topology.NewTopic("order", codec.String, codec.Int64))

	e := start(b)
	send(e, counts, at(0, "pens", int64(3)), at(1, "pens", int64(50)))
	show(e, topology.NewTopic("order", codec.String, codec.Int64))
	// Output:
	// order pens = 3
	// order pens is gone
}

func ExampleMapTable() {
	b := topology.NewBuilder("stock")
	words := topology.MapTable(topology.TableFrom(b, counts), func(n int64) string { return fmt.Sprint(n, " left") })
	words.Stored("words").To(out) // the store is for Table.In and runner.Local

	e := start(b)
	send(e, counts, at(0, "pens", int64(3)))
	show(e, out)
	// Output: out pens = 3 left
}

// The value of a row of Rows has its key.
func ExampleRows() {
	b := topology.NewBuilder("stock")
	named := topology.MapTable(topology.Rows(topology.TableFrom(b, counts)), func(r processor.Record[string, int64]) string {
		return fmt.Sprint(r.Value, " ", r.Key)
	})
	named.To(out)

	e := start(b)
	send(e, counts, at(0, "pens", int64(3)))
	show(e, out)
	// Output: out pens = 3 pens
}

func ExampleToTable() {
	b := topology.NewBuilder("latest")
	latest := topology.ToTable(topology.From(b, prices).Filter(func(p int64) bool { return p > 0 }), "latest-prices")
	topology.Join(topology.From(b, lines), latest, func(line string, price int64) string { return fmt.Sprint(line, " costs ", price) }).To(out)

	e := start(b)
	send(e, prices, at(0, "a", int64(7)))
	send(e, lines, at(1, "a", "tea"))
	show(e, out)
	// Output: out a = tea costs 7
}

func ExampleJoinTables() {
	b := topology.NewBuilder("customers")
	names, cities := topology.TableFrom(b, lines), topology.TableFrom(b, topology.NewTopic("cities", codec.String, codec.String))
	topology.JoinTables(names, cities, func(name, city string) string { return name + " lives in " + city }).To(out)

	e := start(b)
	send(e, lines, at(0, "c1", "Ana"))
	send(e, topology.NewTopic("cities", codec.String, codec.String), at(1, "c1", "Rio"), at(2, "c1", "Recife"))
	show(e, out)
	// Output:
	// out c1 = Ana lives in Rio
	// out c1 = Ana lives in Recife
}

func ExampleTable_TTL() {
	b := topology.NewBuilder("visits")
	topology.Count(topology.From(b, lines), "visits").TTL(time.Hour).To(counts)

	e := start(b)
	send(e, lines, at(0, "page", "seen"), at(60, "page", "seen"))
	send(e, lines, at(3661, "other", "seen"))
	show(e, counts)
	// Output:
	// counts page = 1
	// counts page = 2
	// counts page is gone
	// counts other = 1
}

func ExampleCogroup() {
	b := topology.NewBuilder("stock")
	sold := topology.Adding(topology.From(b, sales), func(left int64, s sale) int64 { return left - s.Amount })
	delivered := topology.Adding(topology.From(b, prices), func(left, n int64) int64 { return left + n })
	topology.Cogroup("stock", delivered, sold).To(counts)

	e := start(b)
	send(e, prices, at(0, "pens", int64(10)))
	send(e, sales, at(1, "pens", sale{"Ana", "pens", 3}))
	show(e, counts)
	// Output:
	// counts pens = 10
	// counts pens = 7
}

func ExampleAdding() {
	b := topology.NewBuilder("visits")
	hour := topology.Tumbling(time.Hour)
	add := func(n int64, _ string) int64 { return n + 1 }
	views := topology.Adding(topology.Window(topology.From(b, lines), hour), add)
	clicks := topology.Adding(topology.Window(topology.From(b, out), hour), add)
	hourly := topology.NewTopic("hourly", topology.WindowCodec(hour, codec.String), codec.Int64)
	topology.Cogroup("visits", views, clicks).To(hourly)

	e := start(b)
	send(e, lines, at(10, "page", "seen"))
	send(e, out, at(20, "page", "left"))
	show(e, hourly)
	// Output:
	// hourly page@1970-01-01T00:00:00Z/1h0m0s = 1
	// hourly page@1970-01-01T00:00:00Z/1h0m0s = 2
}

func ExampleAggregateTableBy() {
	b := topology.NewBuilder("stock")
	goods := topology.TableFrom(b, sales) // one row per parcel, with its seller and its amount
	add := func(t total, s sale) total { return total{t.Sales + 1, t.Amount + s.Amount} }
	subtract := func(t total, s sale) total { return total{t.Sales - 1, t.Amount - s.Amount} }
	held := topology.AggregateTableBy(goods, "held", sale.SoldBy, add, subtract)
	held.DeleteWhen(func(t total) bool { return t.Sales == 0 }).To(totals)

	e := start(b)
	send(e, sales, at(0, "parcel", sale{"Ana", "pens", 3}), at(1, "parcel", sale{"Ana", "pens", 2}))
	send(e, sales, at(2, "parcel", sale{"Bia", "pens", 2}))
	show(e, totals)
	// Output:
	// totals Ana = {1 3}
	// totals Ana = {1 2}
	// totals Ana is gone
	// totals Bia = {1 2}
}

func ExampleCountTableBy() {
	b := topology.NewBuilder("stock")
	topology.CountTableBy(topology.TableFrom(b, sales), "parcels", sale.SoldBy).To(counts)

	e := start(b)
	send(e, sales, at(0, "one", sale{"Ana", "pens", 3}), at(1, "two", sale{"Ana", "ink", 1}), gone[sale](2, "one"))
	show(e, counts)
	// Output:
	// counts Ana = 1
	// counts Ana = 2
	// counts Ana = 1
}

func ExampleReduceTableBy() {
	b := topology.NewBuilder("prices")
	parity := func(n int64) string { return []string{"even", "odd"}[n%2] }
	add, subtract := func(a, b int64) int64 { return a + b }, func(a, b int64) int64 { return a - b }
	topology.ReduceTableBy(topology.TableFrom(b, prices), "sums", parity, add, subtract).To(counts)

	e := start(b)
	send(e, prices, at(0, "pens", int64(3)), at(1, "ink", int64(5)), at(2, "pens", int64(4)))
	show(e, counts)
	// Output:
	// counts odd = 3
	// counts odd = 8
	// counts odd = 5
	// counts even = 4
}

func ExampleTable_KeyEncoded() {
	b := topology.NewBuilder("stock")
	amount := func(s sale) int64 { return s.Amount }
	t := topology.CountTableBy(topology.TableFrom(b, sales), "by-amount", amount).KeyEncoded(codec.JSON[int64]())
	fmt.Println(t.Name())
	// Output: by-amount
}

func ExampleJoinTablesBy() {
	customers, orders := topology.NewTopic("customers", codec.String, codec.String), topology.NewTopic("orders", codec.String, codec.JSON[order]())
	b := topology.NewBuilder("orders")
	topology.JoinTablesBy(topology.TableFrom(b, orders), topology.TableFrom(b, customers), "order-customer", order.By, order.For).To(out)

	e := start(b)
	send(e, orders, at(0, "o1", order{"tea", "c1"}), at(1, "o2", order{"pens", "c1"}), at(2, "o3", order{"a gift", ""}))
	send(e, customers, at(3, "c1", "Ana"), at(4, "c2", "Rui"))
	send(e, orders, at(5, "o2", order{"pens", "c2"}))
	show(e, out)
	// Output:
	// out o1 = tea for Ana
	// out o2 = pens for Ana
	// out o2 = pens for Rui
}

func ExampleLeftJoinTablesBy() {
	customers, orders := topology.NewTopic("customers", codec.String, codec.String), topology.NewTopic("orders", codec.String, codec.JSON[order]())
	b := topology.NewBuilder("orders")
	topology.LeftJoinTablesBy(topology.TableFrom(b, orders), topology.TableFrom(b, customers), "order-customer", order.By, func(o order, name string, ok bool) string {
		if !ok {
			name = "somebody"
		}
		return o.For(name)
	}).To(out)

	e := start(b)
	send(e, orders, at(0, "o1", order{"tea", "c1"}), at(1, "o2", order{"a gift", ""}))
	send(e, customers, at(2, "c1", "Ana"))
	show(e, out)
	// Output:
	// out o1 = tea for somebody
	// out o2 = a gift for somebody
	// out o1 = tea for Ana
}

// order is an order, which may be by a customer.
type order struct{ What, Customer string }

func (o order) By() (customer string, ok bool) { return o.Customer, o.Customer != "" }
func (o order) For(name string) string         { return o.What + " for " + name }
