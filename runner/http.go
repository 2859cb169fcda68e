package runner

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/pprof"

	"github.com/rio-streams/rio/metrics/prometheus"
)

// Handler returns an HTTP handler for operators, probes and scrapers. It serves:
//
//	/metrics        Metrics in Prometheus format, with metrics of the process and of the Go runtime
//	/healthz        200 while the application runs, 503 when it has ended: for a liveness probe
//	/readyz         200 while Ready returns nil, otherwise 503 with its error: for a readiness probe
//	/snapshot.json  Snapshot as JSON
//	/debug/pprof/   profiles of the process, if Config.Pprof is set
//
// It requires no authentication: serve it on an address that only operators can reach.
func (a *App) Handler() http.Handler {
	mux := http.NewServeMux()
	scrape, err := prometheus.Handler(a.Metrics())
	if err != nil { // cannot happen with a valid table of metrics, which tests of package metrics check
		scrape = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		})
	}
	mux.Handle("GET /metrics", scrape)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		var err error
		if state := a.State(); state == Stopped || state == Failed {
			err = fmt.Errorf("runner: application %s is %s", a.runner.cfg.Application, state)
		}
		a.probe(w, err)
	})
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) { a.probe(w, a.Ready()) })
	mux.HandleFunc("GET /snapshot.json", func(w http.ResponseWriter, _ *http.Request) {
		body, err := json.MarshalIndent(a.Snapshot(), "", "  ")
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		w.Write(append(body, '\n'))
	})
	if a.runner.cfg.Pprof {
		mux.HandleFunc("/debug/pprof/", pprof.Index)
		mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
		mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
		mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
		mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	}
	return mux
}

// probe responds to a probe with the state, or with status 503 and err.
func (a *App) probe(w http.ResponseWriter, err error) {
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	if err != nil {
		w.WriteHeader(http.StatusServiceUnavailable)
		fmt.Fprintln(w, err)
		return
	}
	fmt.Fprintln(w, a.State())
}
