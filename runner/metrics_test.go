package runner_test

import (
	"context"
	"strings"
	"testing"
	"time"

	client "github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/rio-streams/rio/metrics"
	"github.com/rio-streams/rio/metrics/prometheus"
	"github.com/rio-streams/rio/runner"
)

// TestMetrics checks the exposed metrics of an application that has processed all records.
func TestMetrics(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	c.send(c.lines.Name(), 1, "rio mar", "rio", "mar rio")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := c.config()
	cfg.StopAtEnd = false
	app, err := runner.Start(ctx, c.wordCount(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer app.Wait()
	defer app.Stop()
	c.await(ctx, func() bool { // control records of transactions have offsets, too; the next fetch skips them
		return app.Snapshot().Counters.Processed == 3+5 && value(app, metrics.Lag) == 0
	})
	expectMetrics(t, app, `
# HELP rio_records_processed_total Records read from the inputs, including dropped, skipped and dead-lettered ones.
# TYPE rio_records_processed_total counter
rio_records_processed_total{application="APP",subtopology="0"} 3
rio_records_processed_total{application="APP",subtopology="1"} 5
`, metrics.RecordsProcessed)
	expectMetrics(t, app, `
# HELP rio_lag_records Offsets between the committed offset of an input and its last known end.
# TYPE rio_lag_records gauge
rio_lag_records{application="APP",task="0_0",topic="APP.lines"} 0
rio_lag_records{application="APP",task="1_0",topic="APP-by-word-repartition"} 0
`, metrics.Lag)
	expectMetrics(t, app, `
# HELP rio_store_cache_hits_total Lookups of keys that were in memory.
# TYPE rio_store_cache_hits_total counter
rio_store_cache_hits_total{application="APP",store="counts",subtopology="1"} 3
# HELP rio_store_cache_misses_total Lookups of keys that were read from the database.
# TYPE rio_store_cache_misses_total counter
rio_store_cache_misses_total{application="APP",store="counts",subtopology="1"} 2
`, metrics.CacheHits, metrics.CacheMisses)
	lintMetrics(t, app.Metrics())
	if seen := emitted(app.Metrics()); seen[metrics.StateBytes] == 0 || seen[metrics.CommitDuration] == 0 || seen[metrics.BlockCacheBytes] == 0 {
		t.Errorf("metrics of databases, commits or shared resources are missing: %v", seen)
	}
}

// emitted counts the samples of a source by metric. For a histogram it counts the observations.
func emitted(source metrics.Source) map[*metrics.Metric]int {
	seen := map[*metrics.Metric]int{}
	source.Collect(func(s metrics.Sample) {
		seen[s.Metric]++
		if s.Metric.Kind == metrics.HistogramKind {
			seen[s.Metric] += int(s.Histogram.Count) - 1
		}
	})
	return seen
}

// expectMetrics compares some metrics of an application with want, in which APP stands for the application's name.
func expectMetrics(t *testing.T, app *runner.App, want string, of ...*metrics.Metric) {
	t.Helper()
	registry := client.NewPedanticRegistry()
	if err := prometheus.Register(registry, app.Metrics()); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, m := range of {
		names = append(names, m.Name)
	}
	want = strings.ReplaceAll(want, "APP", app.Snapshot().Application)
	if err := testutil.GatherAndCompare(registry, strings.NewReader(want), names...); err != nil {
		t.Error(err)
	}
}

// lintMetrics checks that a source follows the rules of metrics.Source and the conventions of Prometheus.
func lintMetrics(t *testing.T, source metrics.Source) {
	t.Helper()
	problems, err := testutil.CollectAndLint(prometheus.NewCollector(source))
	if err != nil {
		t.Error(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
}
