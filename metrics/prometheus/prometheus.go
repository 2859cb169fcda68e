// Package prometheus registers the metrics of an application or a broker with a registry of the Prometheus client library.
// With the program's own registry, its metrics and Rio's are served together:
//
//	app, err := runner.Start(ctx, topology, config)
//	…
//	err = rioprometheus.Register(prometheus.DefaultRegisterer, app.Metrics())
//	http.Handle("/metrics", promhttp.Handler())
package prometheus

import (
	"fmt"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/rio-streams/rio/metrics"
)

// Register registers a source. Its samples are collected at each scrape. It returns the error of the registry, for example if
// metrics with the same names and labels are already registered.
func Register(registry prometheus.Registerer, source metrics.Source) error {
	if err := registry.Register(NewCollector(source)); err != nil {
		return fmt.Errorf("metrics: register: %w", err)
	}
	return nil
}

// NewCollector returns a collector for a source, which can be registered and unregistered.
func NewCollector(source metrics.Source) prometheus.Collector {
	c := &collector{source: source, descs: map[*metrics.Metric]*prometheus.Desc{}}
	for _, m := range source.Metrics() {
		c.descs[m] = prometheus.NewDesc(m.Name, m.Help, m.Labels, source.Labels())
	}
	return c
}

// collector implements prometheus.Collector for a source.
type collector struct {
	source metrics.Source
	descs  map[*metrics.Metric]*prometheus.Desc
}

// Describe implements prometheus.Collector.
func (c *collector) Describe(descs chan<- *prometheus.Desc) {
	for _, desc := range c.descs {
		descs <- desc
	}
}

// Collect implements prometheus.Collector.
func (c *collector) Collect(out chan<- prometheus.Metric) {
	c.source.Collect(func(s metrics.Sample) {
		desc := c.descs[s.Metric]
		if desc == nil {
			err := fmt.Errorf("metrics: a source emits %s, which is not among its metrics", s.Metric.Name)
			out <- prometheus.NewInvalidMetric(prometheus.NewInvalidDesc(err), err)
			return
		}
		metric, err := constant(desc, s)
		if err != nil {
			metric = prometheus.NewInvalidMetric(desc, err)
		}
		out <- metric
	})
}

// constant returns a constant metric with the value of a sample.
func constant(desc *prometheus.Desc, s metrics.Sample) (prometheus.Metric, error) {
	switch s.Metric.Kind {
	case metrics.HistogramKind:
		buckets := make(map[float64]uint64, len(s.Histogram.Buckets))
		for _, b := range s.Histogram.Buckets {
			buckets[b.UpTo] = b.Count
		}
		return prometheus.NewConstHistogram(desc, s.Histogram.Count, s.Histogram.Sum, buckets, s.Labels...)
	case metrics.CounterKind:
		return prometheus.NewConstMetric(desc, prometheus.CounterValue, s.Value, s.Labels...)
	}
	return prometheus.NewConstMetric(desc, prometheus.GaugeValue, s.Value, s.Labels...)
}
