package prometheus

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rio-streams/rio/metrics"
)

// Handler returns an HTTP handler that serves sources to Prometheus, together with client_golang's metrics of the process and
// the Go runtime. A program with its own registry should call Register instead.
func Handler(sources ...metrics.Source) (http.Handler, error) {
	registry := prometheus.NewRegistry()
	errs := []error{
		registry.Register(collectors.NewGoCollector()),
		registry.Register(collectors.NewProcessCollector(collectors.ProcessCollectorOpts{})),
	}
	for _, source := range sources {
		errs = append(errs, Register(registry, source))
	}
	return promhttp.HandlerFor(registry, promhttp.HandlerOpts{}), errors.Join(errs...)
}
