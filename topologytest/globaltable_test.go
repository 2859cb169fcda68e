package topologytest_test

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// globalJoins joins orders with a global table of countries by the country in the order.
func globalJoins(b *topology.Builder) {
	orders, countries := topology.From(b, texts("orders")), topology.GlobalTableFrom(b, texts("countries"))
	topology.JoinGlobal(orders, countries, itself, plain).To(texts("known"))
	topology.LeftJoinGlobal(orders, countries, itself, func(order, country string, ok bool) string {
		return order + "+" + orNone(country, ok)
	}).To(texts("all"))
	topology.Process(orders, "lookup", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		rows := countries.In(c)
		return func(r processor.Record[string, string]) error {
			country, found, err := rows.Get(r.Value)
			if err != nil || !found {
				return err
			}
			return c.Emit(r.Key, "found "+country)
		}
	}, countries).To(texts("looked-up"))
}

func plain(order, country string) string { return order + "+" + country }

func TestGlobalTable(t *testing.T) {
	topologytest.Run(t, "testdata/global-table", globalTopology(t, globalJoins), topologytest.Config{Partitions: 3})
}

func globalTopology(t *testing.T, declare func(*topology.Builder)) *topology.Topology {
	t.Helper()
	b := topology.NewBuilder("rules")
	declare(b)
	return built(t, b)
}

// TestGlobalTableDecode applies decode policies to records of a global table.
func TestGlobalTableDecode(t *testing.T) {
	numbers := topology.NewTopic("numbers", codec.String, codec.Int64)
	top := globalTopology(t, func(b *topology.Builder) {
		topology.JoinGlobal(topology.From(b, texts("in")), topology.GlobalTableFrom(b, numbers), itself, func(v string, n int64) string {
			return fmt.Sprint(v, n)
		}).To(texts("out"))
	})
	for action, want := range map[processor.Action]string{processor.Fail: "decode numbers/0 at 0: value: ", processor.Skip: "", processor.DeadLetter: ""} {
		d, err := topologytest.New(top, topologytest.Config{Policies: processor.Policies{Decode: processor.Policy{Action: action}, DeadLetters: "dead"}})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		err = topologytest.Send(d, texts("numbers"), processor.Record[string, string]{Key: "bad", Value: "x"})
		if got := fmt.Sprint(err); want == "" && err != nil || want != "" && (err == nil || got[:min(len(got), len(want))] != want) {
			t.Errorf("%v: %v, want %q", action, err, want)
		}
	}
}

// TestGlobalTableModel compares joins with a global table with a map, with crashes and restarts, in several partitions.
func TestGlobalTableModel(t *testing.T) {
	top := globalTopology(t, globalJoins)
	rapid.Check(t, func(t *rapid.T) {
		d, err := topologytest.New(top, topologytest.Config{
			Partitions: rapid.IntRange(1, 4).Draw(t, "partitions"), CommitEvery: rapid.IntRange(0, 3).Draw(t, "commitEvery"),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		key := rapid.SampledFrom([]string{"", "a", "b", "c", "d"})
		countries := map[string]string{}
		want := map[string]int{}
		do := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		send := func(topic string, r processor.Record[string, string]) {
			r.Timestamp = rapid.Int64Range(0, 9).Draw(t, "time")
			do(topologytest.Send(d, texts(topic), r))
		}
		for i := range rapid.IntRange(1, 30).Draw(t, "steps") {
			k := key.Draw(t, "key")
			switch rapid.IntRange(0, 8).Draw(t, "step") {
			case 0:
				do(d.Crash())
			case 1:
				do(d.Restart())
			case 2:
				send("countries", processor.Record[string, string]{Key: k, Tombstone: true})
				delete(countries, k)
			case 3, 4:
				countries[k] = fmt.Sprint(i)
				send("countries", processor.Record[string, string]{Key: k, Value: countries[k]})
			default:
				if country, ok := countries[k]; ok {
					want[k+"+"+country]++
				}
				// A crash must not repeat the record: by then, the table may have changed.
				send("orders", processor.Record[string, string]{Key: fmt.Sprint(i), Value: k})
				do(d.Commit())
			}
		}
		do(d.Commit())
		got := map[string]int{}
		records, err := topologytest.Read(d, texts("known"))
		do(err)
		for _, r := range records {
			got[r.Value]++
		}
		if !maps.Equal(got, want) {
			t.Fatalf("joined %v, want %v", slices.Sorted(maps.Keys(got)), want)
		}
	})
}
