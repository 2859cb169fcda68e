package broker

import "github.com/rio-streams/rio/metrics"

// Metrics returns what the broker measures of itself. After Close it emits nothing.
func (b *Broker) Metrics() metrics.Source { return measured{b} }

// measured is a broker as a source of metrics.
type measured struct{ broker *Broker }

// Labels implements metrics.Source. A process has one broker as a rule; a program with several gives each a registry that
// adds a label (WrapRegistererWith of Prometheus' library).
func (m measured) Labels() map[string]string { return nil }

// Metrics implements metrics.Source.
func (m measured) Metrics() []*metrics.Metric { return metrics.Broker() }

// Collect implements metrics.Source.
func (m measured) Collect(emit func(metrics.Sample)) {
	b := m.broker
	if !b.closed.TryRLock() { // it is being closed
		return
	}
	defer b.closed.RUnlock()
	if b.isClosed {
		return
	}
	b.server.Collect(emit)
	b.engine.Collect(emit)
	b.store.Collect(emit)
}
