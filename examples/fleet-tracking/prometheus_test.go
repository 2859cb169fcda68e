package main

import (
	"context"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/internal/prometheustest"
	"github.com/rio-streams/rio/runner"
)

// TestPrometheus has a real Prometheus scrape the example while it works, and asks it for what it has found.
func TestPrometheus(t *testing.T) {
	binary := prometheustest.Binary(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	o, err := parseOptions([]string{"-duration", "1s", "-vehicles", "50"}, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	a, err := open(ctx, o, os.Stdout, os.Stderr)
	if err != nil {
		t.Fatal(err)
	}
	defer a.close()
	in, err := newInput(o)
	if err != nil {
		t.Fatal(err)
	}
	if err := a.loadFeed(ctx, in.feed); err != nil {
		t.Fatal(err)
	}
	sending, stop := context.WithCancel(ctx)
	sent := make(chan error, 1)
	go func() { sent <- a.sendPositions(sending, in) }()
	defer func() {
		stop()
		if err := <-sent; err != nil {
			t.Error(err)
		}
	}()
	engine, err := runner.Start(ctx, a.topology, a.engine(""))
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Wait()
	defer engine.Stop()
	pages := newPages()
	if err := pages.watch(engine); err != nil {
		t.Fatal(err)
	}
	server := httptest.NewServer(pages)
	defer server.Close()
	prometheustest.Scrape(t, ctx, binary, strings.TrimPrefix(server.URL, "http://"),
		`up == 1`, `sum(rio_records_processed_total{application="fleet-tracking"}) > 0`, `count(rio_lag_records) > 0`,
		`fleet_rows_total > 0`, `fleet_rows_left_out_total{reason="repeat"} >= 0`, `rio_application_state{state="running"} == 1`, `histogram_quantile(0.5, rio_commit_duration_seconds_bucket) > 0`)
}
