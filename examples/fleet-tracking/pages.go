package main

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/site"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/metrics/prometheus"
	"github.com/rio-streams/rio/runner"
)

// pages are what consumers show by HTTP. They are for the staff: the first one has links to all.
type pages struct {
	mux  *http.ServeMux
	list []staffPage
}

// staffPage is a page in the index.
type staffPage struct {
	site.Link
	About string
}

func newPages() *pages {
	p := &pages{mux: http.NewServeMux()}
	p.mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { site.Write(w, indexPage, "index", p.list) })
	return p
}

//go:embed index.html
var indexHTML string

var indexPage = site.Parse(indexHTML)

// nav returns links to the index and to all pages.
func (p *pages) nav() []site.Link {
	links := []site.Link{{Name: "fleet-tracking", Path: "/"}}
	for _, page := range p.list {
		links = append(links, page.Link)
	}
	return links
}

// add shows a handler under some patterns, and lists one of its pages. Call it before serve.
func (p *pages) add(page staffPage, handler http.Handler, patterns ...string) {
	p.list = append(p.list, page)
	for _, pattern := range patterns {
		p.mux.Handle(pattern, handler)
	}
}

// watch serves the metrics and the probes of the tracking application. They are not pages, so the index does not list them.
func (p *pages) watch(engine *runner.App) error {
	rows, err := tracking.Metrics(engine)
	if err != nil {
		return err
	}
	scrape, err := prometheus.Handler(engine.Metrics(), rows)
	if err != nil {
		return err
	}
	p.mux.Handle("GET /metrics", scrape)
	for _, probe := range []string{"GET /healthz", "GET /readyz", "GET /snapshot.json"} {
		p.mux.Handle(probe, engine.Handler())
	}
	return nil
}

// ServeHTTP implements http.Handler.
func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	site.Private(p.mux).ServeHTTP(w, r)
}

// serve shows the pages on an address until the returned function is called.
func (p *pages) serve(address string) (at net.Addr, stop func() error, err error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, nil, fmt.Errorf("-web %s: %w", address, err)
	}
	server := &http.Server{Handler: p, ReadHeaderTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	return listener.Addr(), func() error {
		closing, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		if server.Shutdown(closing) != nil { // a reader that is slow
			server.Close()
		}
		if err := <-ended; !errors.Is(err, http.ErrServerClosed) {
			return err
		}
		return nil
	}, nil
}
