package server

import (
	"maps"
	"slices"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/rio-streams/rio/broker/internal/engine"
	"github.com/rio-streams/rio/metrics"
)

// meters are what connections measure. All of them write.
type meters struct {
	requests       map[int16]*metrics.Histogram // by key; never changed
	received, sent atomic.Int64                 // bytes
}

func newMeters() *meters {
	m := &meters{requests: map[int16]*metrics.Histogram{}}
	for key := range int16(kmsg.MaxKey + 1) {
		if _, _, ok := engine.Versions(key); ok {
			m.requests[key] = metrics.NewHistogram(metrics.BrokerRequests)
		}
	}
	return m
}

// answered notes a request whose response is there.
func (m *meters) answered(key int16, began time.Time) {
	if h := m.requests[key]; h != nil {
		h.Observe(time.Since(began).Seconds())
	}
}

// Collect emits what the connections have measured. Requests that nobody has sent yet have no samples.
func (s *Server) Collect(emit func(metrics.Sample)) {
	for _, key := range slices.Sorted(maps.Keys(s.meters.requests)) {
		if sample := metrics.BrokerRequests.OfHistogram(s.meters.requests[key], kmsg.NameForKey(key)); sample.Histogram.Count > 0 {
			emit(sample)
		}
	}
	emit(metrics.BrokerReceived.Of(float64(s.meters.received.Load())))
	emit(metrics.BrokerSent.Of(float64(s.meters.sent.Load())))
	emit(metrics.BrokerFailedLogins.Of(float64(s.failedLogins.count.Load())))
	s.mu.Lock()
	connections := len(s.conns)
	s.mu.Unlock()
	emit(metrics.BrokerConnections.Of(float64(connections)))
}
