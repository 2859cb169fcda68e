package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/runner"
)

// TestPrometheus has a real Prometheus scrape the example while it works, and asks it for what it has found.
func TestPrometheus(t *testing.T) {
	binary := os.Getenv("RIO_PROMETHEUS")
	if binary == "" {
		t.Skip("set RIO_PROMETHEUS to the program prometheus")
	}
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
	if err := a.sendTrips(ctx, in.feed); err != nil {
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
	server := httptest.NewServer(engine.Handler())
	defer server.Close()
	query := startPrometheus(t, ctx, binary, strings.TrimPrefix(server.URL, "http://"))
	for _, q := range []string{
		`up == 1`, `sum(rio_records_processed_total{application="fleet-tracking"}) > 0`, `count(rio_lag_records) > 0`,
		`rio_application_state{state="running"} == 1`, `histogram_quantile(0.5, rio_commit_duration_seconds_bucket) > 0`,
	} {
		if err := query(q); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// startPrometheus starts a Prometheus that scrapes a target. The function that it returns waits until a query has a result.
func startPrometheus(t *testing.T, ctx context.Context, binary, target string) (query func(string) error) {
	t.Helper()
	dir := t.TempDir()
	config := fmt.Sprintf("global: {scrape_interval: 200ms, scrape_timeout: 200ms}\nscrape_configs: [{job_name: rio, static_configs: [{targets: [%q]}]}]\n", target)
	file := filepath.Join(dir, "prometheus.yml")
	if err := os.WriteFile(file, []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	var log strings.Builder
	cmd := exec.CommandContext(ctx, binary, "--config.file="+file, "--storage.tsdb.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	cmd.Stdout, cmd.Stderr = &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Log(log.String())
		}
	})
	return func(q string) error {
		look := time.NewTicker(100 * time.Millisecond)
		defer look.Stop()
		for {
			err := found(ctx, "http://"+address+"/api/v1/query?query="+url.QueryEscape(q))
			if err == nil {
				return nil
			}
			select {
			case <-look.C:
			case <-ctx.Done():
				return err
			}
		}
	}
}

// found returns an error if a query of Prometheus has no result.
func found(ctx context.Context, address string) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	var answer struct {
		Data struct{ Result []any }
	}
	if err := json.Unmarshal(body, &answer); err != nil || len(answer.Data.Result) == 0 {
		return fmt.Errorf("no result: %s (%v)", body, err)
	}
	return nil
}
