package kafka

import (
	"strings"

	"github.com/rcrowley/go-metrics"
)

// noMetrics is a metrics registry that discards everything. Sarama measures every request; its sampled histograms and
// meters cost more than encoding the request, and the runner measures what matters.
type noMetrics struct{}

func (noMetrics) Each(func(string, any)) {}
func (noMetrics) Get(string) any         { return nil }

// GetOrRegister returns a no-op instrument of the requested kind. Callers pass a constructor.
func (noMetrics) GetOrRegister(_ string, kind any) any {
	switch kind.(type) {
	case func() metrics.Meter, metrics.Meter:
		return metrics.NilMeter{}
	case func() metrics.Counter, metrics.Counter:
		return metrics.NilCounter{}
	case func() metrics.Histogram, metrics.Histogram:
		return metrics.NilHistogram{}
	}
	return kind
}

func (noMetrics) Register(string, any) error        { return nil }
func (noMetrics) RunHealthchecks()                  {}
func (noMetrics) GetAll() map[string]map[string]any { return nil }
func (noMetrics) Unregister(string)                 {}
func (noMetrics) UnregisterAll()                    {}

// silenceFetchMeter keeps sarama from starting a meter for topic, and with it a goroutine that never ends: when sarama
// computes the size of a fetch request, it marks a meter of go-metrics' default registry, whatever registry it was
// given.
func silenceFetchMeter(topic string) {
	metrics.GetOrRegister("consumer-fetch-rate-for-topic-"+strings.ReplaceAll(topic, ".", "_"), metrics.NilMeter{})
}
