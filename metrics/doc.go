// Package metrics defines the metrics of applications and brokers: a table with names, units, labels and advice on alerts.
// docs/metrics.md is generated from this table.
//
// Metrics are pulled from a [Source]; runner.App.Metrics and broker.Broker.Metrics return sources. Collecting metrics reads
// values that the working goroutines publish, usually once per commit, so it never delays the processing of records.
//
// Package metrics/prometheus registers a source with a Prometheus registry:
//
//	err := prometheus.Register(registry, app.Metrics())
//
// The values of labels are tasks, topics, stores, steps and reasons. They contain no keys, offsets or error texts, so their
// number is bounded by the topology, the number of partitions and the code.
//
// The package does not depend on Rio's other packages, on a clock, or on the Prometheus library.
package metrics

//go:generate go test . -run TestPage -rewrite
