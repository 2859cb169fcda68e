package topologytest_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// TestSubtopologyReadsWhatItWrites: topologies in which a sub-topology reads its own repartition topic, or one that is
// derived from it. They are valid, because no record is processed twice by the same step. Scripts with restarts and
// crashes show the results.
func TestSubtopologyReadsWhatItWrites(t *testing.T) {
	join := func(v, row string) string { return v + "+" + row }
	for name, declare := range map[string]func(*topology.Builder){
		// A sale "buyer>seller" is joined with people by its buyer, then by its seller.
		"one-table-by-two-keys": func(b *topology.Builder) {
			people := topology.TableFrom(b, texts("people"))
			withBuyer := topology.Join(topology.From(b, texts("sales")), people, join)
			bySeller := topology.KeyBy(withBuyer, "by-seller", seller)
			topology.Join(bySeller, people, join).To(texts("full"))
		},
		// The same with a topic of the user in between.
		"one-table-through-a-topic": func(b *topology.Builder) {
			people := topology.TableFrom(b, texts("people"))
			bySeller := topology.MapKV(topology.Join(topology.From(b, texts("sales")), people, join), func(_, sale string) (string, string) {
				return seller(sale), sale
			})
			between := texts("between")
			bySeller.To(between)
			topology.Join(topology.From(b, between), people, join).To(texts("full"))
		},
		// Each transfer is counted for both its accounts.
		"merged-with-itself-by-another-key": func(b *topology.Builder) {
			sent := topology.From(b, texts("transfers"))
			received := topology.KeyBy(sent, "by-receiver", seller)
			topology.Count(sent.Merge(received), "transfers-of").To(topology.NewTopic("counts", codec.String, codec.Int64))
		},
		// Records pass through three sub-topologies and end in the first one again.
		"back-by-a-long-way": func(b *topology.Builder) {
			people := topology.TableFrom(b, texts("people"))
			sales := topology.From(b, texts("sales"))
			topology.Join(sales, people, join).To(texts("buyers"))
			bySeller := topology.KeyBy(sales, "by-seller", seller)
			counted := topology.Join(bySeller, topology.Count(bySeller, "sales-of"), func(sale string, n int64) string {
				return sale + "#" + strings.Repeat("I", int(n))
			})
			back := topology.KeyBy(counted, "back-by-buyer", func(sale string) string { return sale[:1] })
			topology.Join(back, people, join).To(texts("full"))
		},
		// A join with a table whose topic the results are written to. There is no loop, because a row of the table
		// causes no output.
		"a-table-of-its-own-results": func(b *topology.Builder) {
			seen := topology.TableFrom(b, texts("seen"))
			topology.LeftJoin(topology.From(b, texts("in")), seen, func(v, before string, ok bool) string { return before + v }).To(texts("seen"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := topology.NewBuilder("loops")
			declare(b)
			topologytest.Run(t, "testdata/loop-"+name, built(t, b), topologytest.Config{Partitions: 3})
		})
	}
}

// seller returns the second letter of "a>b".
func seller(sale string) string { return sale[2:3] }

// TestTimerIntoTheOwnTopic: records of a wall-clock timer reach a sub-topology before the timer's own.
func TestTimerIntoTheOwnTopic(t *testing.T) {
	b := topology.NewBuilder("loops")
	in := topology.From(b, texts("in"))
	ticks := topology.ProcessKV(in, "tick", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		c.Schedule(time.Second, processor.WallClock, func(time.Time) error { return c.Emit("k", "t>k") })
		return func(processor.Record[string, string]) error { return nil }
	})
	topology.Count(in.Merge(topology.KeyBy(ticks, "by", seller)), "counts").To(topology.NewTopic("counts", codec.String, codec.Int64))
	d, err := topologytest.New(built(t, b), topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if err := d.Advance(time.Second); err != nil {
		t.Fatal(err)
	}
	got, err := topologytest.Read(d, topology.NewTopic("counts", codec.String, codec.Int64))
	if err != nil {
		t.Fatal(err)
	}
	want := []processor.Record[string, int64]{{Key: "k", Value: 1, Timestamp: got[0].Timestamp}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestBranchAsksOnce: the predicate is called once per record, so even an inconsistent predicate sends every record to
// exactly one branch.
func TestBranchAsksOnce(t *testing.T) {
	calls := 0
	b := topology.NewBuilder("branches")
	matched, rest := topology.From(b, texts("in")).Branch(func(string) bool { calls++; return calls%2 == 0 })
	matched.To(texts("matched"))
	rest.To(texts("rest"))
	d, err := topologytest.New(built(t, b), topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	const n = 10
	for range n {
		if err := topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "k", Value: "v"}); err != nil {
			t.Fatal(err)
		}
	}
	got := map[string]int{}
	for _, o := range d.Outputs() {
		got[o.Topic]++
	}
	if got["matched"] != n/2 || got["rest"] != n/2 || calls != n {
		t.Errorf("%d matched, %d rest, %d calls of the predicate, want %d, %d, %d", got["matched"], got["rest"], calls, n/2, n/2, n)
	}
}
