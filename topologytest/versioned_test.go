package topologytest_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestVersioned runs the rules of versioned tables as scripts.
func TestVersioned(t *testing.T) {
	const history = 10 * time.Millisecond
	join := func(orders *topology.Stream[string, string], prices *topology.Table[string, string], out string) {
		topology.LeftJoin(orders, prices, func(order, price string, ok bool) string { return order + "+" + orNone(price, ok) }).To(texts(out))
	}
	for name, declare := range map[string]func(*topology.Builder){
		"versioned-table": func(b *topology.Builder) {
			orders, prices := topology.From(b, texts("orders")), topology.Versioned(topology.TableFrom(b, texts("prices")), history)
			join(orders, prices, "priced")
			join(orders, topology.MapTable(prices, strings.ToUpper).FilterNot(func(v string) bool { return v == "FREE" }), "loud")
			prices.To(texts("changes"))
			topology.Process(orders, "range", func(c *processor.Context[string, string]) processor.Handler[string, string] {
				rows := prices.In(c)
				return func(r processor.Record[string, string]) error {
					now, _, _, err := rows.GetWithTime(r.Key)
					if err != nil {
						return err
					}
					old, _, _, err := rows.GetAsOf(r.Key, 0)
					if err != nil {
						return err
					}
					return c.Emit(r.Key, "from "+old+" to "+now)
				}
			}, prices).To(texts("ranges"))
		},
		"versioned-stored": func(b *topology.Builder) {
			prices := topology.TableFrom(b, texts("prices"))
			join(topology.From(b, texts("orders")), topology.Versioned(topology.MapTable(prices, strings.ToUpper).Stored("loud"), history), "priced")
			table := topology.Versioned(topology.ToTable(topology.From(b, texts("quotes")), "latest"), history)
			topology.MapTable(table, strings.ToUpper).Stored("plain").To(texts("plain"))
			topology.JoinTables(table, prices, func(a, b string) string { return a + "+" + b }).To(texts("joined"))
		},
		"reorder": func(b *topology.Builder) {
			orders, prices := topology.From(b, texts("orders")), topology.Versioned(topology.TableFrom(b, texts("prices")), history)
			waiting := topology.Reorder(orders, "waiting", 5*time.Millisecond)
			join(waiting, prices, "priced")
			topology.Process(waiting, "emit", func(c *processor.Context[string, string]) processor.Handler[string, string] {
				return func(r processor.Record[string, string]) error { return c.Emit(r.Key, r.Value) }
			}).To(texts("emitted"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("rules")
			declare(b)
			topologytest.Run(t, "testdata/"+name, built(t, b), topologytest.Config{})
		})
	}
}

// TestReorderModel compares joins with a versioned table, of streams that wait for it, with a model: the results are
// those of a join that knows all rows, for records that have waited long enough.
func TestReorderModel(t *testing.T) {
	const hold, history = 5, 20
	b := topology.NewBuilder("model")
	prices := topology.Versioned(topology.TableFrom(b, texts("prices")), history*time.Millisecond)
	orders := topology.Reorder(topology.From(b, texts("orders")), "waiting", hold*time.Millisecond)
	topology.LeftJoin(orders, prices, func(order, price string, ok bool) string { return order + "+" + orNone(price, ok) }).To(texts("out"))
	top := built(t, b)
	type update struct {
		key, value string
		at         int64
	}
	rapid.Check(t, func(t *rapid.T) {
		d, err := topologytest.New(top, topologytest.Config{CommitEvery: rapid.IntRange(0, 3).Draw(t, "commitEvery")})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		do := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		key := rapid.SampledFrom([]string{"a", "b"})
		var rows []update
		var waiting []update
		var want []string
		var pricesNow, ordersNow int64
		release := func(o update) {
			last := slices.MaxFunc(append([]update{{value: "none", at: -1}}, slices.DeleteFunc(slices.Clone(rows), func(r update) bool {
				return r.key != o.key || r.at > o.at
			})...), func(a, b update) int { return cmp.Compare(a.at, b.at) })
			want = append(want, fmt.Sprintf("%d %s=%s+%s", o.at, o.key, o.value, last.value))
		}
		for i := range rapid.IntRange(1, 40).Draw(t, "steps") {
			switch rapid.IntRange(0, 9).Draw(t, "step") {
			case 0:
				do(d.Crash())
			case 1:
				do(d.Restart())
			case 2, 3, 4:
				r := update{key.Draw(t, "key"), fmt.Sprint("p", i), pricesNow + rapid.Int64Range(-4, 2).Draw(t, "time")}
				r.at = max(r.at, ordersNow-hold+1, 0) // not so late that orders have left without it
				pricesNow = max(pricesNow, r.at)
				rows = append(slices.DeleteFunc(rows, func(other update) bool { return other.key == r.key && other.at == r.at }), r)
				do(topologytest.Send(d, texts("prices"), processor.Record[string, string]{Key: r.key, Value: r.value, Timestamp: r.at}))
			default:
				o := update{key.Draw(t, "key"), fmt.Sprint(i), max(ordersNow+rapid.Int64Range(-8, 3).Draw(t, "time"), 0)}
				do(topologytest.Send(d, texts("orders"), processor.Record[string, string]{Key: o.key, Value: o.value, Timestamp: o.at}))
				if o.at < ordersNow-hold {
					release(o)
					continue
				}
				ordersNow = max(ordersNow, o.at)
				waiting = append(waiting, o)
				slices.SortStableFunc(waiting, func(a, b update) int { return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.key, b.key)) })
				for len(waiting) > 0 && waiting[0].at <= ordersNow-hold {
					release(waiting[0])
					waiting = waiting[1:]
				}
			}
			if pricesNow > ordersNow+history-8-hold { // as of older times, the history has ended
				break
			}
		}
		do(d.Commit())
		records, err := topologytest.Read(d, texts("out"))
		do(err)
		var got []string
		for _, r := range records {
			got = append(got, fmt.Sprintf("%d %s=%s", r.Timestamp, r.Key, r.Value))
		}
		if !slices.Equal(got, want) {
			t.Fatalf("joined\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}
