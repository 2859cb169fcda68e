package topologytest_test

import (
	"fmt"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// firstLetter is the id of the values in these tests.
func firstLetter(v string) string { return v[:1] }

// distinctOf returns a topology that passes the first record of each id. Durations are in ms.
func distinctOf(before, after, grace int64) *topology.Builder {
	b := topology.NewBuilder("distintos")
	interval := topology.Within(0).Before(milliseconds(before)).After(milliseconds(after)).Grace(milliseconds(grace))
	topology.Distinct(topology.From(b, texts("in")), "vistos", firstLetter, interval).To(texts("out"))
	return b
}

func TestDistinct(t *testing.T) {
	topologytest.Run(t, "testdata/distinct", built(t, distinctOf(5, 10, 20)), topologytest.Config{})
}

// repeated is a record of the test against the model.
type repeated struct {
	key, id          string
	at               int64
	noKey, tombstone bool
}

func drawRepeated(t *rapid.T) []repeated {
	now := int64(0)
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) repeated {
		now += rapid.SampledFrom([]int64{0, 1, 3, 8, 60}).Draw(t, "later")
		return repeated{
			key: rapid.SampledFrom([]string{"a", "ab"}).Draw(t, "key"),
			id:  rapid.SampledFrom([]string{"b", "c"}).Draw(t, "id"),
			at:  max(0, now-rapid.SampledFrom([]int64{0, 0, 1, 5, 20, 50}).Draw(t, "late")),

			noKey: rapid.IntRange(0, 15).Draw(t, "no key") == 0, tombstone: rapid.IntRange(0, 15).Draw(t, "tombstone") == 0,
		}
	}), 1, 50).Draw(t, "records")
}

// distinct is a simple model of the step: it forgets nothing.
func distinct(records []repeated, before, after, grace int64) (results []string) {
	now := int64(0)
	var passed []repeated
	for i, r := range records {
		if r.noKey || r.tombstone {
			continue
		}
		now = max(now, r.at)
		if r.at < now-before-after-grace {
			continue
		}
		duplicate := false
		for _, p := range passed {
			duplicate = duplicate || p.key == r.key && p.id == r.id && p.at-before <= r.at && r.at <= p.at+after
		}
		if !duplicate {
			passed = append(passed, r)
			results = append(results, fmt.Sprintf("@%d %s=%s%d", r.at, r.key, r.id, i))
		}
	}
	return results
}

// TestDistinctModel: Distinct passes the records that a model passes which forgets nothing, with any batch size, commit
// interval, cache, store, crash and restart.
func TestDistinctModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before, after, grace := rapid.Int64Range(0, 12).Draw(t, "before"), rapid.Int64Range(0, 12).Draw(t, "after"), rapid.Int64Range(0, 30).Draw(t, "grace")
		records := drawRepeated(t)
		conditions := drawConditions(t)
		top, err := distinctOf(before, after, grace).Build()
		if err != nil {
			t.Fatal(err)
		}
		d, stop := conditions.start(t, top, conditions.cfg)
		defer stop()
		for i, r := range records {
			record := processor.Record[string, string]{Key: r.key, NoKey: r.noKey, Value: fmt.Sprint(r.id, i), Tombstone: r.tombstone, Timestamp: r.at}
			if err := topologytest.Send(d, texts("in"), record); err != nil {
				t.Fatal(err)
			}
			conditions.after(t, d, i)
		}
		if err := d.Commit(); err != nil {
			t.Fatal(err)
		}
		passed, err := topologytest.Read(d, texts("out"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range passed {
			got = append(got, fmt.Sprintf("@%d %s=%s", r.Timestamp, r.Key, r.Value))
		}
		if diff := gocmp.Diff(distinct(records, before, after, grace), got); diff != "" {
			t.Fatalf("%d before, %d after, grace %d, %s (-model +distinct):\n%s", before, after, grace, conditions, diff)
		}
	})
}

// The cost of a record in a Distinct, half of them duplicates, and of a plain update as a comparison.
func BenchmarkDistinct(b *testing.B) {
	in := topology.NewTopic("in", codec.String, codec.Int64)
	for _, c := range []struct {
		name    string
		declare func(*topology.Stream[string, int64])
	}{
		{"plain update", func(s *topology.Stream[string, int64]) { topology.Count(s, "counts") }},
		{"distinct", func(s *topology.Stream[string, int64]) {
			topology.Distinct(s, "seen", func(id int64) int64 { return id }, topology.Within(time.Minute))
		}},
	} {
		b.Run(c.name, func(b *testing.B) {
			builder := topology.NewBuilder("bench")
			c.declare(topology.From(builder, in))
			benchmark(b, builder, func(d *topologytest.Driver, n int64) error {
				r := processor.Record[string, int64]{Key: fmt.Sprint(n / 2 % 5000), Value: n / 2, Timestamp: n}
				return topologytest.Send(d, in, r)
			})
		})
	}
}
