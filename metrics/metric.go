package metrics

// Metric is one line of the table.
type Metric struct {
	Name   string // after Prometheus' conventions: base units, and _total behind counters
	Kind   Kind
	Unit   Unit
	Labels []string // beside those of the source
	Help   string   // one sentence
	Alert  string   // what to alert on, and what it means; empty if it only explains others

	// Buckets are the upper bounds of a histogram, in order and without infinity.
	Buckets []float64

	group string // of the page
}

// Kind says how a metric moves.
type Kind string

const (
	CounterKind   Kind = "counter"   // only grows, as long as the process lives
	GaugeKind     Kind = "gauge"     // goes up and down
	HistogramKind Kind = "histogram" // counts observations by their size
)

// Unit is what a metric counts or measures.
type Unit string

const (
	Bytes   Unit = "bytes"
	Events  Unit = "events" // what is counted says the name
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

// Of makes a sample of a counter or gauge.
func (m *Metric) Of(value float64, labels ...string) Sample {
	return Sample{Metric: m, Labels: labels, Value: value}
}

// OfHistogram makes a sample of a histogram.
func (m *Metric) OfHistogram(h *Histogram, labels ...string) Sample {
	return Sample{Metric: m, Labels: labels, Histogram: h.Snapshot()}
}

// Source is something that has metrics. Its methods may be called from any goroutine.
type Source interface {
	// Labels are what all samples of the source have in common, such as {"application": "fleet"}. They tell two sources
	// of one process apart, and never change.
	Labels() map[string]string

	// Metrics are those that Collect may emit samples of.
	Metrics() []*Metric

	// Collect calls emit for each sample, at most once for a metric and its labels. It does not wait for the processing of
	// records.
	Collect(emit func(Sample))
}

// All returns the table: all metrics there are, those that belong together in a row. Nobody may change them.
func All() []*Metric { return append([]*Metric(nil), table...) }

var table []*Metric

// in returns a function that puts metrics of one group into the table.
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
