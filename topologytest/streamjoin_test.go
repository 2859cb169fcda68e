package topologytest_test

import (
	"cmp"
	"fmt"
	"math"
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

// joinCase is a join of two streams. Both come from one topic, so that their order is fixed.
type joinCase struct {
	kind                 string // inner, left, outer, self
	before, after, grace int64
	records              []joinRecord
}

// joinRecord is a record of one side. Tombstones are on the right.
type joinRecord struct {
	left, noKey, tombstone bool
	key                    string
	at                     int64
}

// value returns the value of the i-th record.
func (r joinRecord) value(i int) string {
	if r.left {
		return fmt.Sprint("l", i)
	}
	return fmt.Sprint("r", i)
}

func drawJoin(t *rapid.T) joinCase {
	c := joinCase{kind: rapid.SampledFrom([]string{"inner", "left", "outer", "self"}).Draw(t, "kind")}
	c.before, c.grace = rapid.Int64Range(-3, 12).Draw(t, "before"), rapid.Int64Range(0, 8).Draw(t, "grace")
	c.after = rapid.Int64Range(max(-c.before, -3), 12).Draw(t, "after")
	now := int64(0)
	c.records = rapid.SliceOfN(rapid.Custom(func(t *rapid.T) joinRecord {
		now += rapid.SampledFrom([]int64{0, 0, 1, 2, 5, 40}).Draw(t, "later")
		r := joinRecord{
			left:      c.kind == "self" || rapid.Bool().Draw(t, "left"),
			key:       rapid.SampledFrom([]string{"a", "b"}).Draw(t, "key"),
			at:        max(0, now-rapid.SampledFrom([]int64{0, 0, 0, 1, 4, 15, 40}).Draw(t, "late")),
			noKey:     rapid.IntRange(0, 15).Draw(t, "no key") == 0,
			tombstone: rapid.IntRange(0, 15).Draw(t, "tombstone") == 0,
		}
		r.left = r.left && !r.tombstone
		return r
	}), 1, 40).Draw(t, "records")
	return c
}

func (c joinCase) topology(t *rapid.T) *topology.Topology {
	b := topology.NewBuilder("join")
	left, right := topology.From(b, texts("in")).Branch(func(v string) bool { return v[0] == 'l' })
	interval := topology.Within(0).Before(milliseconds(c.before)).After(milliseconds(c.after)).Grace(milliseconds(c.grace))
	plus := func(l, r string) string { return l + "+" + r }
	var joined *topology.Stream[string, string]
	switch c.kind {
	case "inner":
		joined = topology.JoinStreams(left, right, "joined", interval, plus)
	case "left":
		joined = topology.LeftJoinStreams(left, right, "joined", interval, func(l, r string, ok bool) string { return l + "+" + orNone(r, ok) })
	case "outer":
		joined = topology.OuterJoinStreams(left, right, "joined", interval, func(l string, hasL bool, r string, hasR bool) string {
			return orNone(l, hasL) + "+" + orNone(r, hasR)
		})
	case "self":
		joined = topology.JoinStreams(left, left, "joined", interval, plus)
	}
	joined.To(texts("out"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

// kept is a record that the model remembers.
type kept struct {
	joinRecord
	value     string
	unmatched bool
}

// results is a simple model of the join, which looks at all earlier records for each record.
func (c joinCase) results() []string {
	var results []string
	emit := func(key string, at int64, l, r string) {
		results = append(results, fmt.Sprintf("@%d %s=%s+%s", at, key, l, r))
	}
	alone := func(k kept) {
		if k.left {
			emit(k.key, k.at, k.value, "none")
		} else {
			emit(k.key, k.at, "none", k.value)
		}
	}
	now := int64(math.MinInt64)
	greatest := map[bool]int64{true: math.MinInt64 / 2, false: math.MinInt64 / 2} // of the stored records, by side
	var all []*kept
	join := func(r kept, self bool) {
		now = max(now, r.at)
		outer := c.kind == "outer" || c.kind == "left" && r.left
		before, after := c.before, c.after
		if !r.left {
			before, after = after, before
		}
		if r.noKey || r.tombstone {
			if outer && !r.tombstone {
				r.key = "no key"
				alone(r)
			}
			return
		}
		if r.at == now {
			var closed []*kept
			for _, k := range all {
				if bound := k.at + c.grace; k.unmatched && (k.left && bound+c.after < now || !k.left && bound+c.before < now) {
					closed = append(closed, k)
				}
			}
			slices.SortStableFunc(closed, func(a, b *kept) int {
				side := 0
				if a.left != b.left {
					side = 1
					if b.left {
						side = -1
					}
				}
				return cmp.Or(cmp.Compare(a.at, b.at), side, cmp.Compare(a.key, b.key))
			})
			for _, k := range closed {
				k.unmatched = false
				alone(*k)
			}
		}
		var partners []*kept
		for _, k := range all {
			side := !r.left
			if c.kind == "self" {
				side = true
			}
			// Without any length, records are kept for 1 ms.
			if k.left == side && k.key == r.key && r.at-before <= k.at && k.at <= r.at+after && k.at > greatest[side]-max(c.before+c.after+c.grace, 1) {
				partners = append(partners, k)
			}
		}
		slices.SortStableFunc(partners, func(a, b *kept) int { return cmp.Compare(a.at, b.at) })
		for _, k := range partners {
			k.unmatched = false
			if r.left {
				emit(r.key, max(r.at, k.at), r.value, k.value)
			} else {
				emit(r.key, max(r.at, k.at), k.value, r.value)
			}
		}
		if len(partners) == 0 && outer {
			if r.at+after < now {
				alone(r)
			} else {
				r.unmatched = true
			}
		}
		if !self {
			all = append(all, &r)
			greatest[r.left] = max(greatest[r.left], r.at)
		}
	}
	for i, r := range c.records {
		k := kept{joinRecord: r, value: r.value(i)}
		join(k, false)
		if c.kind == "self" {
			k.left = false
			join(k, true)
		}
	}
	return results
}

// TestStreamJoinModel: joins of streams give the results of a simple model, with any batch size, commit interval, cache,
// crash and restart.
//
// Proves: kafka-streams-semantics
func TestStreamJoinModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		c := drawJoin(t)
		conditions := drawConditions(t)
		d, stop := conditions.start(t, c.topology(t), conditions.cfg)
		defer stop()
		for i, r := range c.records {
			record := processor.Record[string, string]{Key: r.key, NoKey: r.noKey, Value: r.value(i), Tombstone: r.tombstone, Timestamp: r.at}
			if err := topologytest.Send(d, texts("in"), record); err != nil {
				t.Fatal(err)
			}
			conditions.after(t, d, i)
		}
		if err := d.Commit(); err != nil {
			t.Fatal(err)
		}
		records, err := topologytest.Read(d, texts("out"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range records {
			if r.NoKey {
				r.Key = "no key"
			}
			got = append(got, fmt.Sprintf("@%d %s=%s", r.Timestamp, r.Key, r.Value))
		}
		if diff := gocmp.Diff(c.results(), got); diff != "" {
			t.Fatalf("%s join, %d before to %d after, grace %d, %s (-model +join):\n%s", c.kind, c.before, c.after, c.grace, conditions, diff)
		}
	})
}

var joinTopics = []topology.Topic[string, int64]{topology.NewTopic("left", codec.String, codec.Int64), topology.NewTopic("right", codec.String, codec.Int64)}

// The cost of a record in a join, with one partner for each, in the production task on a store in memory. As a
// comparison, that of a windowed and of a plain aggregate of the same records.
func BenchmarkStreamJoin(b *testing.B) {
	sum := func(a, b int64) int64 { return a + b }
	within := topology.Within(time.Minute)
	for _, c := range []struct {
		name    string
		declare func(left, right *topology.Stream[string, int64])
	}{
		{"plain update", func(left, right *topology.Stream[string, int64]) {
			topology.Reduce(left.Merge(right), "sum", sum)
		}},
		{"windowed update", func(left, right *topology.Stream[string, int64]) {
			topology.Reduce(topology.Window(left.Merge(right), topology.Tumbling(time.Minute)), "sum", sum)
		}},
		{"inner", func(left, right *topology.Stream[string, int64]) {
			topology.JoinStreams(left, right, "joined", within, sum)
		}},
		{"outer", func(left, right *topology.Stream[string, int64]) {
			topology.OuterJoinStreams(left, right, "joined", within, func(v int64, _ bool, w int64, _ bool) int64 { return v + w })
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			builder := topology.NewBuilder("bench")
			c.declare(topology.From(builder, joinTopics[0]), topology.From(builder, joinTopics[1]))
			benchmark(b, builder, func(d *topologytest.Driver, n int64) error {
				r := processor.Record[string, int64]{Key: fmt.Sprint(n / 2 % 5000), Value: 1, Timestamp: n}
				return topologytest.Send(d, joinTopics[n%2], r)
			})
		})
	}
}
