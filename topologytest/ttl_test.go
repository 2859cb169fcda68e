package topologytest_test

import (
	"cmp"
	"fmt"
	"slices"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// ttlModel is a simple model of tables whose rows live for ttl ms.
type ttlModel struct {
	ttl     int64
	now     int64
	sums    bool // an aggregate, not the latest values
	rows    map[string]processor.Record[string, string]
	results []string
}

func (m *ttlModel) emit(key string, at int64, value string) {
	m.results = append(m.results, fmt.Sprintf("@%d %s=%s", at, key, value))
}

func (m *ttlModel) add(r processor.Record[string, string]) {
	if r.Tombstone && m.sums {
		return
	}
	m.now = max(m.now, r.Timestamp)
	var ended []processor.Record[string, string]
	for _, row := range m.rows {
		if row.Timestamp+m.ttl < m.now {
			ended = append(ended, row)
		}
	}
	slices.SortFunc(ended, func(a, b processor.Record[string, string]) int {
		return cmp.Or(cmp.Compare(a.Timestamp, b.Timestamp), cmp.Compare(a.Key, b.Key))
	})
	for _, row := range ended {
		delete(m.rows, row.Key)
		m.emit(row.Key, row.Timestamp+m.ttl, "gone")
	}
	old, had := m.rows[r.Key]
	late := r.Timestamp+m.ttl < m.now
	switch {
	case m.sums && had:
		r.Value, r.Timestamp = plus(old.Value, r.Value), max(r.Timestamp, old.Timestamp)
	case m.sums:
		r.Value = plus("", r.Value)
	}
	switch {
	case m.sums && late && !had:
	case !m.sums && (late || r.Tombstone):
		if delete(m.rows, r.Key); had {
			m.emit(r.Key, r.Timestamp, "gone")
		}
	default:
		m.rows[r.Key] = r
		m.emit(r.Key, r.Timestamp, r.Value)
	}
}

// TestTTLModel: tables with a TTL give the results of a simple model, with any batch size, commit interval, cache, crash
// and restart, and if records fail.
func TestTTLModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		ttl := rapid.Int64Range(1, 40).Draw(t, "ttl")
		b := topology.NewBuilder("ttl")
		in := topology.From(b, texts("in"))
		topology.Aggregate(in, "sums", plus).TTL(milliseconds(ttl)).To(texts("sums-out"))
		topology.ToTable(in, "latest").TTL(milliseconds(ttl)).To(texts("latest-out"))
		topology.Process(in, "fail", func(*processor.Context[string, string]) processor.Handler[string, string] {
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
		conditions := drawConditions(t)
		conditions.cfg.Policies.Process.Action = processor.Skip
		d, stop := conditions.start(t, top, conditions.cfg)
		defer stop()
		sums := ttlModel{ttl: ttl, sums: true, rows: map[string]processor.Record[string, string]{}}
		latest := ttlModel{ttl: ttl, rows: map[string]processor.Record[string, string]{}}
		now := int64(0)
		for i, r := range rapid.SliceOfN(rapid.Custom(func(t *rapid.T) processor.Record[string, string] {
			now += rapid.SampledFrom([]int64{0, 1, 1, 2, 5, 30, 200}).Draw(t, "later")
			return processor.Record[string, string]{
				Key:       rapid.SampledFrom([]string{"a", "ab", "b", "c"}).Draw(t, "key"),
				Value:     rapid.SampledFrom([]string{"x", "y", "fail"}).Draw(t, "value"),
				Timestamp: max(0, now-rapid.SampledFrom([]int64{0, 0, 0, 1, 9, 50}).Draw(t, "late")),
				Tombstone: rapid.IntRange(0, 9).Draw(t, "tombstone") == 0,
			}
		}), 1, 60).Draw(t, "records") {
			if err := topologytest.Send(d, texts("in"), r); err != nil {
				t.Fatal(err)
			}
			if r.Value != "fail" || r.Tombstone {
				sums.add(r)
				latest.add(r)
			}
			conditions.after(t, d, i)
		}
		if err := d.Commit(); err != nil {
			t.Fatal(err)
		}
		for topic, model := range map[string]*ttlModel{"sums-out": &sums, "latest-out": &latest} {
			records, err := topologytest.Read(d, texts(topic))
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range records {
				if r.Tombstone {
					r.Value = "gone"
				}
				got = append(got, fmt.Sprintf("@%d %s=%s", r.Timestamp, r.Key, r.Value))
			}
			if diff := gocmp.Diff(model.results, got); diff != "" {
				t.Fatalf("%s, TTL %d ms, %s (-model +table):\n%s", topic, ttl, conditions, diff)
			}
		}
	})
}

// The cost of an update of a row that lives for a minute, among 5,000 that end one after the other, and without TTL.
func BenchmarkTTL(b *testing.B) {
	for _, ttl := range []time.Duration{0, time.Minute} {
		b.Run(ttl.String(), func(b *testing.B) {
			builder := topology.NewBuilder("bench")
			counts := topology.Count(topology.From(builder, numbers), "counts")
			if ttl > 0 {
				counts.TTL(ttl)
			}
			benchmark(b, builder, func(d *topologytest.Driver, n int64) error {
				r := processor.Record[string, int64]{Key: fmt.Sprint(n), Timestamp: n * 12}
				return topologytest.Send(d, numbers, r)
			})
		})
	}
}
