package broker_test

import (
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/metrics"
	"github.com/rio-streams/rio/metrics/prometheus"
)

// TestMetrics checks the metrics of a broker with two records of an open transaction.
func TestMetrics(t *testing.T) {
	t.Parallel()
	b := start(t, broker.Config{DataDir: t.TempDir(), AutoCreateTopics: true})
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr()), kgo.TransactionalID("writer"), kgo.AllowAutoTopicCreation(), kgo.DefaultProduceTopic("rides"))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if err := client.BeginTransaction(); err != nil {
		t.Fatal(err)
	}
	if err := client.ProduceSync(t.Context(), kgo.StringRecord("one"), kgo.StringRecord("two")).FirstErr(); err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for ; values["rio_broker_open_transactions"] == 0 && t.Context().Err() == nil; <-again.C { // counted once a second
		b.Metrics().Collect(func(s metrics.Sample) {
			key := s.Metric.Name
			for _, label := range s.Labels {
				key += " " + label
			}
			values[key] = s.Value + float64(s.Histogram.Count)
		})
	}
	for key, want := range map[string]float64{
		"rio_broker_topics": 1, "rio_broker_partitions": 1, "rio_broker_open_transactions": 1, "rio_broker_groups Stable": 0,
		"rio_broker_request_duration_seconds Produce": 1, "rio_broker_disk_full": 0,
	} {
		if got := values[key]; got != want {
			t.Errorf("%s is %v, want %v", key, got, want)
		}
	}
	for _, key := range []string{
		"rio_broker_connections", "rio_broker_received_bytes_total", "rio_broker_sent_bytes_total", "rio_broker_log_bytes",
		"rio_broker_sync_duration_seconds", "rio_broker_disk_free_bytes",
	} {
		if values[key] <= 0 {
			t.Errorf("%s is %v, want more than 0", key, values[key])
		}
	}
	problems, err := testutil.CollectAndLint(prometheus.NewCollector(b.Metrics()))
	if err != nil || len(problems) > 0 {
		t.Error(problems, err)
	}
	closed(t, b)
	b.Metrics().Collect(func(s metrics.Sample) { t.Errorf("after Close it emits %s", s.Metric.Name) })
}
