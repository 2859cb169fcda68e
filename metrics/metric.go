package metrics

// Metric is one line of the table.
type Metric struct {
	Name   string // by the conventions of Prometheus: base units, and the suffix _total for counters
	Kind   Kind
	Unit   Unit
	Labels []string // in addition to those of the source
	Help   string   // one sentence
	Alert  string   // when to alert, and what that means; empty for metrics without an alert

	// Buckets are the upper bounds of a histogram, in order and without infinity.
	Buckets []float64

	group string // heading on the page
}

// Kind is the type of a metric.
type Kind string

const (
	CounterKind   Kind = "counter"   // only grows while the process is running
	GaugeKind     Kind = "gauge"     // goes up and down
	HistogramKind Kind = "histogram" // counts observations in buckets
)

// Unit is the unit of a metric.
type Unit string

const (
	Bytes   Unit = "bytes"
	Events  Unit = "events" // the name says what is counted
	Offsets Unit = "offsets"
	Records Unit = "records"
	Seconds Unit = "seconds"
	Yes     Unit = "0 or 1"
)

// Sample is the value of a metric for one set of labels at one moment.
type Sample struct {
	Metric    *Metric
	Labels    []string // values, in the order of Metric.Labels
	Value     float64  // of a counter or gauge
	Histogram Snapshot // of a histogram
}

// Of returns a sample of a counter or gauge.
func (m *Metric) Of(value float64, labels ...string) Sample {
	return Sample{Metric: m, Labels: labels, Value: value}
}

// OfHistogram returns a sample of a histogram.
func (m *Metric) OfHistogram(h *Histogram, labels ...string) Sample {
	return Sample{Metric: m, Labels: labels, Histogram: h.Snapshot()}
}

// Source provides metrics, for example of an application. Its methods may be called from any goroutine.
type Source interface {
	// Labels returns the labels of all samples of the source, such as {"application": "fleet"}. They distinguish the sources
	// of a process and never change.
	Labels() map[string]string

	// Metrics returns the metrics for which Collect may emit samples.
	Metrics() []*Metric

	// Collect calls emit for each sample, at most once per metric and labels. It does not wait for the processing of records.
	Collect(emit func(Sample))
}

// All returns all metrics, ordered by group. The caller must not modify them.
func All() []*Metric { return append([]*Metric(nil), table...) }

var table []*Metric

// in returns a function that adds metrics of one group to the table.
func in(group string) func(Metric) *Metric {
	return func(m Metric) *Metric {
		m.group = group
		table = append(table, &m)
		return &m
	}
}

// of returns the metrics of some groups.
func of(groups ...string) []*Metric {
	var metrics []*Metric
	for _, m := range table {
		for _, group := range groups {
			if m.group == group {
				metrics = append(metrics, m)
			}
		}
	}
	return metrics
}
