// Package metrics names what a running application and a broker tell of themselves in numbers: the table of all metrics,
// with unit, labels and what to alert on. The table is also the page docs/metrics.md.
//
// A [Source] is asked when somebody looks: runner.App.Metrics and broker.Broker.Metrics are sources. Nothing is pushed, and
// nothing is counted for those who do not ask. What a source answers is published by the goroutines that do the work, as
// a rule once for each commit, so that no record waits for a reader of metrics.
//
// Package metrics/prometheus gives a source to a registry of Prometheus:
//
//	err := prometheus.Register(registry, app.Metrics())
//
// Labels are bounded by the topology, the number of partitions and the code: there are tasks, topics, stores, steps and
// reasons among them, but no keys, no offsets and no error texts.
//
// The package knows nothing of Rio's other packages, of clocks or of Prometheus' library.
package metrics

//go:generate go test . -run TestPage -rewrite
