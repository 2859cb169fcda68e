package topologytest_test

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// The rules of suppression, as a script.
func TestSuppressRules(t *testing.T) {
	b := topology.NewBuilder("suppress")
	prices := topology.TableFrom(b, texts("prices"))
	slow := topology.Suppress(prices, "slow", topology.UntilTimeLimit(10*time.Millisecond))
	slow.To(texts("slow"))
	topology.Suppress(prices, "few", topology.UntilTimeLimit(time.Hour).MaxRecords(1).EmitEarlyWhenFull()).To(texts("few"))
	topology.Join(topology.From(b, texts("orders")), slow, func(order, price string) string { return order + "+" + price }).To(texts("priced"))
	days := topology.Daily(time.UTC).Grace(time.Hour)
	perDay := topology.NewTopic("per-day", topology.WindowCodec(days, codec.String), codec.Int64)
	counts := topology.Count(topology.Window(topology.From(b, texts("orders")), days), "per-day")
	topology.Suppress(counts, "closed-days", topology.UntilWindowCloses()).Encoded(codec.Int64).TopicConfig("retention.ms", "-1").To(perDay)
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	topologytest.Run(t, "testdata/suppress", top, topologytest.Config{})
}

// A full buffer stops the application even if failed records are skipped: a change would be lost.
func TestSuppressStopsWhenFull(t *testing.T) {
	for name, until := range map[string]topology.Suppression{
		"records": topology.UntilTimeLimit(time.Hour).MaxRecords(2),
		"bytes":   topology.UntilTimeLimit(time.Hour).MaxBytes(90), // of changes of 36 bytes
	} {
		b := topology.NewBuilder("suppress")
		topology.Suppress(topology.TableFrom(b, texts("in")), "held", until).To(texts("out"))
		top, err := b.Build()
		if err != nil {
			t.Fatal(err)
		}
		d, err := topologytest.New(top, topologytest.Config{Policies: processor.Policies{Process: processor.Policy{Action: processor.Skip}}})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for i := range 3 {
			err = topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: fmt.Sprint("k", i), Value: "v"})
			if full := err != nil; full != (i == 2) {
				t.Fatalf("%s, after %d records: %v", name, i+1, err)
			}
		}
		if !strings.Contains(err.Error(), "suppress held (suppress_test.go:") || !strings.Contains(err.Error(), "is full") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A change leaves with the headers of its record, also after a restart. Its changelog record has the header by which
// Kafka Streams knows the format.
func TestSuppressHeaders(t *testing.T) {
	b := topology.NewBuilder("suppress")
	topology.Suppress(topology.TableFrom(b, texts("in")), "held", topology.UntilTimeLimit(time.Second)).To(texts("out"))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	d, err := topologytest.New(top, topologytest.Config{})
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	of := func(name string) []processor.Header {
		return []processor.Header{{Key: name, Value: []byte{1}}, {Key: "null"}}
	}
	if err := topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "a", Value: "1", Headers: of("first")}); err != nil {
		t.Fatal(err)
	}
	if err := d.Restart(); err != nil {
		t.Fatal(err)
	}
	if err := topologytest.Send(d, texts("in"), processor.Record[string, string]{Key: "b", Value: "2", Timestamp: 1000, Headers: of("second")}); err != nil {
		t.Fatal(err)
	}
	got := map[string][][]processor.Header{}
	for _, o := range d.Outputs() {
		got[o.Topic] = append(got[o.Topic], o.Headers)
	}
	version := []processor.Header{{Key: "v", Value: []byte{3}}}
	want := map[string][][]processor.Header{"in": {of("first"), of("second")}, "out": {of("first")}, "suppress-held-changelog": {version, nil, version}}
	if diff := gocmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// held is a change in the buffer of the model.
type held struct {
	due, timestamp int64
	key            string
	prior, value   string // empty: none
}

// suppressModel emits changes as Suppress does. It looks at all of the buffer for each change.
func suppressModel(records []processor.Record[string, string], limit int64, most int) (results []string) {
	table, buffer, now := map[string]string{}, []held{}, int64(0)
	emit := func() {
		first := slices.MinFunc(buffer, func(a, b held) int { return cmp.Or(cmp.Compare(a.due, b.due), cmp.Compare(a.key, b.key)) })
		buffer = slices.DeleteFunc(buffer, func(h held) bool { return h.key == first.key })
		results = append(results, fmt.Sprintf("@%d %s=%s, was %s", first.timestamp, first.key, first.value, first.prior))
	}
	for _, r := range records {
		if r.Value == "fail" {
			continue
		}
		now = max(now, r.Timestamp)
		change := held{due: r.Timestamp, key: r.Key, prior: table[r.Key], timestamp: r.Timestamp}
		if delete(table, r.Key); !r.Tombstone {
			table[r.Key], change.value = r.Value, r.Value
		}
		if i := slices.IndexFunc(buffer, func(h held) bool { return h.key == r.Key }); i >= 0 {
			change.due, change.prior = buffer[i].due, buffer[i].prior
			buffer = slices.Delete(buffer, i, i+1)
		}
		buffer = append(buffer, change)
		for slices.ContainsFunc(buffer, func(h held) bool { return h.due <= now-limit }) || len(buffer) > most {
			emit()
		}
	}
	return results
}

// Suppress equals the model, whatever fails, crashes or restarts. The old values of the changes are those that left last.
func TestSuppressEqualsModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		limit, most := rapid.Int64Range(0, 20).Draw(t, "limit"), rapid.IntRange(0, 4).Draw(t, "most")
		now := int64(0)
		records := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) processor.Record[string, string] {
			now += rapid.SampledFrom([]int64{0, 0, 1, 2, 5, 30}).Draw(t, "later")
			return processor.Record[string, string]{
				Key: rapid.SampledFrom([]string{"a", "ab", "b", "c", ""}).Draw(t, "key"), Timestamp: max(0, now-rapid.SampledFrom([]int64{0, 0, 3, 20}).Draw(t, "late")),
				Value:     rapid.SampledFrom([]string{"x", "y", "z", "fail"}).Draw(t, "value"),
				Tombstone: rapid.IntRange(0, 5).Draw(t, "tombstone") == 0,
			}
		}), 1, 40).Draw(t, "records")
		for i := range records {
			if records[i].Value == "fail" {
				records[i].Tombstone = false
			}
		}

		b := topology.NewBuilder("suppress")
		in := topology.From(b, texts("in"))
		until := topology.UntilTimeLimit(milliseconds(limit)).MaxRecords(int64(most)).EmitEarlyWhenFull()
		suppressed := topology.Suppress(topology.ToTable(in, "rows"), "held", until)
		olds := topology.ReduceTableBy(suppressed, "olds", func(v string) string { return "all" }, func(sum, v string) string { return sum + v }, func(sum, v string) string {
			if !strings.Contains(sum, v) {
				t.Fatalf("%q is subtracted from %q", v, sum)
			}
			return strings.Replace(sum, v, "", 1)
		})
		olds.To(texts("sums"))
		suppressed.To(texts("out"))
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
		d, err := topologytest.New(top, topologytest.Config{
			Policies:    processor.Policies{Process: processor.Policy{Action: processor.Skip}},
			CommitEvery: rapid.SampledFrom([]int{0, 1, 3, 1000}).Draw(t, "commit every"),
		})
		if err != nil {
			t.Fatal(err)
		}
		defer d.Close()
		for _, r := range records {
			if err := topologytest.Send(d, texts("in"), r); err != nil {
				t.Fatal(err)
			}
			switch rapid.SampledFrom([]string{"", "", "", "crash", "restart"}).Draw(t, "then") {
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
		out, err := topologytest.Read(d, texts("out"))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		last := map[string]string{}
		for _, r := range out {
			got = append(got, fmt.Sprintf("@%d %s=%s, was %s", r.Timestamp, r.Key, r.Value, last[r.Key]))
			last[r.Key] = r.Value
		}
		if diff := gocmp.Diff(suppressModel(records, limit, most), got); diff != "" {
			t.Fatalf("limit %d, at most %d (-model +suppressed):\n%s", limit, most, diff)
		}
	})
}

// The cost of an update of a table that is suppressed, as one that is not.
func BenchmarkSuppress(b *testing.B) {
	for _, suppress := range []bool{false, true} {
		b.Run(fmt.Sprint(suppress), func(b *testing.B) {
			builder := topology.NewBuilder("bench")
			counts := topology.Count(topology.From(builder, joinTopics[0]), "counts")
			if suppress {
				counts = topology.Suppress(counts, "held", topology.UntilTimeLimit(time.Second))
			}
			counts.To(topology.NewTopic("out", codec.String, codec.Int64))
			benchmark(b, builder, func(d *topologytest.Driver, n int64) error {
				r := processor.Record[string, int64]{Key: fmt.Sprint(n % 1000), Value: 1, Timestamp: n}
				return topologytest.Send(d, joinTopics[0], r)
			})
		})
	}
}
