package topologytest_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// The rules of windows that are emitted when they close, as a script.
func TestFinalRules(t *testing.T) {
	b := topology.NewBuilder("final")
	hopping := topology.Hopping(10*time.Millisecond, 5*time.Millisecond).Grace(5 * time.Millisecond)
	sessions := topology.Sessions(10 * time.Millisecond)
	out := func(name string, windows topology.Windows) topology.Topic[codec.WindowKey[string], string] {
		return topology.NewTopic(name, topology.WindowCodec(windows, codec.String), codec.String)
	}
	in := topology.From(b, texts("in"))
	hops := topology.Window(in, hopping).Filter(func(v string) bool { return v != "0" })
	sums := topology.Aggregate(hops, "sums", plus).DeleteWhen(func(sum string) bool { return sum == "0+none" })
	topology.Final(sums).To(out("final", hopping))
	short := topology.Final(sums.Filter(func(sum string) bool { return len(sum) < 6 }))
	topology.JoinTables(short, topology.Final(topology.Count(hops, "counts")), func(sum string, n int64) string {
		return fmt.Sprintf("%s (%d)", sum, n)
	}).To(out("short", hopping))
	visits := topology.Reduce(topology.Window(in, sessions), "visits", func(a, b string) string { return a + b })
	topology.Final(visits).Stored("visits-final").To(out("visits", sessions))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	topologytest.Run(t, "testdata/final", top, topologytest.Config{})
}

// finalCase is an aggregate of windows, its records, and when it crashes and restarts.
type finalCase struct {
	windows topology.Windows
	closed  func(end, now int64) bool
	unit    int64
	kind    string
	records []processor.Record[string, string]
}

func drawFinal(t *rapid.T) finalCase {
	size, grace := rapid.Int64Range(1, 12).Draw(t, "size"), rapid.Int64Range(0, 8).Draw(t, "grace")
	c := finalCase{unit: 1, kind: rapid.SampledFrom([]string{"tumbling", "hopping", "sliding", "sessions", "daily"}).Draw(t, "kind")}
	c.closed = func(end, now int64) bool { return end <= now-grace*c.unit }
	switch c.kind {
	case "tumbling":
		c.windows = topology.Tumbling(milliseconds(size))
	case "hopping":
		c.windows = topology.Hopping(milliseconds(size), milliseconds(rapid.Int64Range(1, size).Draw(t, "advance")))
	case "sliding":
		c.windows = topology.Sliding(milliseconds(size))
		c.closed = func(end, now int64) bool { return end < now-grace }
	case "sessions":
		c.windows = topology.Sessions(milliseconds(size))
		c.closed = func(end, now int64) bool { return end < now-grace-size }
	case "daily":
		c.unit = (7 * time.Hour).Milliseconds()
		c.windows = topology.Daily(time.UTC)
	}
	c.windows = c.windows.Grace(milliseconds(grace * c.unit))
	now := int64(0)
	c.records = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) processor.Record[string, string] {
		now += rapid.SampledFrom([]int64{0, 1, 1, 2, 5, 17, 60}).Draw(t, "later")
		at := max(0, now-rapid.SampledFrom([]int64{0, 0, 0, 1, 4, 15}).Draw(t, "late"))
		return processor.Record[string, string]{
			Key: rapid.SampledFrom([]string{"a", "ab", "b"}).Draw(t, "key"), Timestamp: at * c.unit,
			Value:     rapid.SampledFrom([]string{"x", "y", "z", "drop", "fail", "delete"}).Draw(t, "value"),
			Tombstone: rapid.IntRange(0, 15).Draw(t, "tombstone") == 0,
		}
	}), 1, 50).Draw(t, "records")
	return c
}

func (c finalCase) topic(name string) topology.Topic[codec.WindowKey[string], string] {
	return topology.NewTopic(name, topology.WindowCodec(c.windows, codec.String), codec.String)
}

// topology returns an aggregate that writes all updates to live and the final rows to final. A record with the value
// fail fails at the end, so that everything before is rolled back.
func (c finalCase) topology(t *rapid.T) *topology.Topology {
	b := topology.NewBuilder("final")
	in := topology.From(b, texts("in"))
	windows := topology.Window(in, c.windows).Filter(func(v string) bool { return v != "drop" })
	sums := topology.Aggregate(windows, "sums", func(sum, v string) string { return sum + v }).DeleteWhen(func(sum string) bool { return len(sum) > 5 && sum[len(sum)-6:] == "delete" })
	if c.kind == "sessions" {
		sums.Merging(func(a, b string) string { return a + b })
	}
	sums.To(c.topic("live"))
	topology.Final(sums).To(c.topic("final"))
	topology.Process(in, "fail", func(c *processor.Context[string, string]) processor.Handler[string, string] {
		return func(r processor.Record[string, string]) error {
			if r.Value == "fail" {
				return fmt.Errorf("refused")
			}
			return nil
		}
	})
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// results returns what Final must emit, given the updates of the table after each record: for each record the rows of the
// windows that it closes, as they were before it.
func (c finalCase) results(updates [][]processor.Record[codec.WindowKey[string], string]) []string {
	var results []string
	table := map[codec.WindowKey[string]]processor.Record[codec.WindowKey[string], string]{}
	emitted := map[codec.WindowKey[string]]bool{}
	byOthers := c.kind == "sliding" || c.kind == "sessions"
	now := int64(-1)
	for i, r := range c.records {
		reaches := !byOthers || r.Value != "drop"
		if r.Tombstone {
			reaches = c.kind != "sliding"
		}
		if reaches && (r.Value != "fail" || r.Tombstone) {
			now = max(now, r.Timestamp)
		}
		var closed []processor.Record[codec.WindowKey[string], string]
		for key, row := range table {
			if c.closed(key.End.UnixMilli(), now) && !emitted[key] {
				closed = append(closed, row)
				emitted[key] = true
			}
		}
		slices.SortFunc(closed, func(a, b processor.Record[codec.WindowKey[string], string]) int {
			return cmp.Or(a.Key.End.Compare(b.Key.End), a.Key.Start.Compare(b.Key.Start), cmp.Compare(a.Key.Key, b.Key.Key))
		})
		for _, row := range closed {
			results = append(results, fmt.Sprintf("@%d %v=%s", row.Timestamp, row.Key, row.Value))
		}
		for _, update := range updates[i] {
			if update.Tombstone {
				delete(table, update.Key)
			} else {
				table[update.Key] = update
			}
		}
	}
	return results
}

// A final window equals the last value that the unsuppressed table had when the window closed, and leaves once, whatever
// is dropped, fails, crashes or restarts.
func TestFinalEqualsLastUpdate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawFinal(t)
		skip := processor.Policies{Process: processor.Policy{Action: processor.Skip}}
		live, err := topologytest.New(c.topology(t), topologytest.Config{Policies: skip})
		if err != nil {
			t.Fatal(err)
		}
		defer live.Close()
		updates := make([][]processor.Record[codec.WindowKey[string], string], len(c.records))
		seen := 0
		for i, r := range c.records {
			if err := topologytest.Send(live, texts("in"), r); err != nil {
				t.Fatal(err)
			}
			all, err := topologytest.Read(live, c.topic("live"))
			if err != nil {
				t.Fatal(err)
			}
			updates[i], seen = all[seen:], len(all)
		}
		want := c.results(updates)

		every := rapid.SampledFrom([]int{0, 1, 3, 1000}).Draw(t, "commit every")
		d, err := topologytest.New(c.topology(t), topologytest.Config{Policies: skip, CommitEvery: every, Batch: rapid.IntRange(0, 3).Draw(t, "batch")})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for _, r := range c.records {
			if err := topologytest.Send(d, texts("in"), r); err != nil {
				t.Fatal(err)
			}
			switch rapid.SampledFrom([]string{"", "", "", "", "crash", "restart"}).Draw(t, "then") {
			case "crash":
				err = d.Crash()
			case "restart":
				err = d.Restart()
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if err := d.Commit(); err != nil {
			t.Fatal(err)
		}
		final, err := topologytest.Read(d, c.topic("final"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, row := range final {
			got = append(got, fmt.Sprintf("@%d %v=%s", row.Timestamp, row.Key, row.Value))
		}
		if diff := gocmp.Diff(want, got); diff != "" {
			t.Fatalf("%v (-last updates +final):\n%s", c.windows, diff)
		}
	})
}

// The cost of a record in a windowed aggregate of which every update leaves, and of which only final windows leave.
func BenchmarkFinal(b *testing.B) {
	for name, windows := range map[string]topology.Windows{
		"tumbling": topology.Tumbling(time.Second), "sliding": topology.Sliding(time.Second), "sessions": topology.Sessions(time.Second),
	} {
		for _, final := range []bool{false, true} {
			b.Run(fmt.Sprintf("%s/final=%v", name, final), func(b *testing.B) {
				builder := topology.NewBuilder("bench")
				counts := topology.Count(topology.Window(topology.From(builder, joinTopics[0]), windows), "counts")
				if final {
					counts = topology.Final(counts)
				}
				counts.To(topology.NewTopic("out", topology.WindowCodec(windows, codec.String), codec.Int64))
				benchmark(b, builder, func(d *topologytest.Driver, n int64) error {
					r := processor.Record[string, int64]{Key: fmt.Sprint(n % 1000), Value: 1, Timestamp: n}
					return topologytest.Send(d, joinTopics[0], r)
				})
			})
		}
	}
}
