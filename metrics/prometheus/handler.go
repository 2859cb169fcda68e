package prometheus

import (
	"errors"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rio-streams/rio/metrics"
)

// Handler serves sources to a scraper, with what client_golang knows of the process and of Go's runtime. A program that has a
// registry of its own calls Register instead.
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
