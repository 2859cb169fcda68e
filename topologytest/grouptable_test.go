package topologytest_test

import (
	"fmt"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

var numbers = topology.NewTopic("numbers", codec.String, codec.Int64)

// groupNumbers sums and counts numbers below 80 by their last digit.
func groupNumbers(t *rapid.T) *topology.Topology {
	b := topology.NewBuilder("groups")
	small := topology.TableFrom(b, numbers).Filter(func(n int64) bool { return n < 80 })
	digit := func(n int64) string { return fmt.Sprint(n % 3) }
	add, subtract := func(a, b int64) int64 { return a + b }, func(a, b int64) int64 { return a - b }
	topology.AggregateTableBy(small, "sums", digit, add, subtract).Initially(func() int64 { return 1000 }).To(counted("sums"))
	topology.ReduceTableBy(small, "reduced", digit, add, subtract).To(counted("reduced"))
	groups := topology.CountTableBy(small, "counts", digit).DeleteWhen(func(n int64) bool { return n == 0 })
	groups.To(counted("counts"))
	topology.CountTableBy(groups, "sizes", func(n int64) string { return fmt.Sprint("groups of ", n) }).To(counted("sizes"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func counted(name string) topology.Topic[string, int64] {
	return topology.NewTopic(name, codec.String, codec.Int64)
}

// TestGroupedTablesAddUp: the groups of a table are those of its last rows, with any number of partitions, batch size,
// commit interval, cache, crash and restart.
//
// Proves: kafka-streams-semantics
func TestGroupedTablesAddUp(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) processor.Record[string, int64] {
			return processor.Record[string, int64]{
				Key:       rapid.SampledFrom([]string{"a", "b", "c", "d", "e"}).Draw(t, "key"),
				Value:     rapid.Int64Range(0, 99).Draw(t, "value"),
				Tombstone: rapid.IntRange(0, 4).Draw(t, "tombstone") == 0,
				Timestamp: rapid.Int64Range(0, 50).Draw(t, "time"),
			}
		}), 1, 40).Draw(t, "records")
		conditions := drawConditions(t)
		conditions.cfg.Partitions = rapid.IntRange(1, 3).Draw(t, "partitions")
		d, stop := conditions.start(t, groupNumbers(t), conditions.cfg)
		defer stop()
		rows := map[string]int64{}
		touched := map[string]bool{}
		for i, r := range records {
			if err := topologytest.Send(d, numbers, r); err != nil {
				t.Fatal(err)
			}
			conditions.after(t, d, i)
			delete(rows, r.Key)
			if !r.Tombstone && r.Value < 80 {
				rows[r.Key] = r.Value
				touched[fmt.Sprint(r.Value%3)] = true
			}
		}
		if err := d.Commit(); err != nil {
			t.Fatal(err)
		}
		want := map[string]map[string]int64{"sums": {}, "reduced": {}, "counts": {}, "sizes": {}}
		for group := range touched { // a group remains when its rows have gone
			want["sums"][group], want["reduced"][group] = 1000, 0
		}
		for _, n := range rows {
			group := fmt.Sprint(n % 3)
			want["sums"][group] += n
			want["reduced"][group] += n
			want["counts"][group]++
		}
		for _, n := range want["counts"] {
			want["sizes"][fmt.Sprint("groups of ", n)]++
		}
		for name, rows := range want {
			got := lastRows(t, d, name)
			if name == "sizes" { // of groups that had been of other sizes
				for group, n := range got {
					if n == 0 && strings.HasPrefix(group, "groups of ") {
						delete(got, group)
					}
				}
			}
			if diff := gocmp.Diff(rows, got); diff != "" {
				t.Fatalf("%s, %s, %d partitions (-model +got):\n%s", name, conditions, conditions.cfg.Partitions, diff)
			}
		}
	})
}

// lastRows returns the rows of a table by the records that it wrote to a topic.
func lastRows(t *rapid.T, d *topologytest.Driver, topic string) map[string]int64 {
	records, err := topologytest.Read(d, counted(topic))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]int64{}
	for _, r := range records {
		delete(rows, r.Key)
		if !r.Tombstone {
			rows[r.Key] = r.Value
		}
	}
	return rows
}

// The cost of a change of a row whose group stays, and of one that changes the group, through the repartition topic. As
// a comparison, that of a stream that is grouped by another key.
func BenchmarkGroupTable(b *testing.B) {
	group := func(n int64) string { return fmt.Sprint(n % 100) }
	add, subtract := func(a, b int64) int64 { return a + b }, func(a, b int64) int64 { return a - b }
	for _, c := range []struct {
		name    string
		step    int64 // of the value of a row
		declare func(*topology.Builder)
	}{
		{"stream", 1, func(b *topology.Builder) {
			topology.Aggregate(topology.KeyBy(topology.From(b, numbers), "by-group", group), "sums", add)
		}},
		{"same group", 100, func(b *topology.Builder) {
			topology.AggregateTableBy(topology.TableFrom(b, numbers), "sums", group, add, subtract)
		}},
		{"other group", 1, func(b *topology.Builder) {
			topology.AggregateTableBy(topology.TableFrom(b, numbers), "sums", group, add, subtract)
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			builder := topology.NewBuilder("bench")
			c.declare(builder)
			benchmark(b, builder, func(d *topologytest.Driver, n int64) error {
				key := n % 5000
				r := processor.Record[string, int64]{Key: fmt.Sprint(key), Value: key + n/5000*c.step, Timestamp: n}
				return topologytest.Send(d, numbers, r)
			})
		})
	}
}
