package metrics

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestTable: names follow the conventions of Prometheus, and every metric has a unit and a help text.
func TestTable(t *testing.T) {
	seen := map[string]bool{}
	for _, m := range All() {
		wrong := func(bad bool, what string) {
			if bad {
				t.Errorf("%s: %s", m.Name, what)
			}
		}
		total := strings.HasSuffix(m.Name, "_total")
		wrong(seen[m.Name], "is defined twice")
		wrong(!strings.HasPrefix(m.Name, "rio_"), "does not begin with rio_")
		wrong(total != (m.Kind == CounterKind), "counters, and only they, end with _total")
		wrong(m.Unit == Seconds && !strings.HasSuffix(strings.TrimSuffix(m.Name, "_total"), "_seconds"), "its name has no unit")
		wrong(m.Unit == Bytes && !strings.HasSuffix(strings.TrimSuffix(m.Name, "_total"), "_bytes"), "its name has no unit")
		wrong(m.Unit == "" || !strings.HasSuffix(m.Help, "."), "has no unit, or its help is not a sentence")
		wrong((m.Kind == HistogramKind) != (len(m.Buckets) > 0), "histograms, and only they, have buckets")
		seen[m.Name] = true
	}
}

func TestHistogram(t *testing.T) {
	h := NewHistogram(&Metric{Buckets: []float64{1, 10}})
	for _, v := range []float64{0.5, 1, 2, 10, 11, 100} {
		h.Observe(v)
	}
	want := Snapshot{Count: 6, Sum: 124.5, Buckets: []Bucket{{1, 2}, {10, 4}}}
	if diff := cmp.Diff(want, h.Snapshot()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTally(t *testing.T) {
	var tally Tally
	tally.Add(0, "b", "x")
	tally.Add(2, "a", "x")
	tally.Add(1, "a", "x")
	var got []Sample
	m := &Metric{Name: "rio_x_total", Labels: []string{"one", "two"}}
	tally.Collect(m, func(s Sample) { got = append(got, s) })
	want := []Sample{m.Of(3, "a", "x"), m.Of(0, "b", "x")}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(Metric{})); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
