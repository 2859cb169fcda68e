// Package prometheustest lets a real Prometheus scrape a program in a test.
package prometheustest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// Binary returns the program prometheus, or skips the test if the environment does not name it.
func Binary(t *testing.T) string {
	t.Helper()
	binary := os.Getenv("RIO_PROMETHEUS")
	if binary == "" {
		t.Skip("set RIO_PROMETHEUS to the program prometheus")
	}
	return binary
}

// Scrape starts a Prometheus that scrapes target, host:port, until the test ends, and fails the test for each query that has no
// result by the end of ctx.
func Scrape(t *testing.T, ctx context.Context, binary, target string, queries ...string) {
	t.Helper()
	query := start(t, ctx, binary, target)
	for _, q := range queries {
		if err := query(q); err != nil {
			t.Errorf("%s: %v", q, err)
		}
	}
}

// start starts a Prometheus that scrapes a target. The function that it returns waits until a query has a result.
func start(t *testing.T, ctx context.Context, binary, target string) (query func(string) error) {
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
