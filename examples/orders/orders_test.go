package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/internal/prometheustest"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topologytest"
)

func TestService(t *testing.T) {
	calls := 0
	top, _, err := Service(100_000, func(context.Context, string, string) error {
		if calls++; calls < 3 {
			return errors.New("no response")
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	topologytest.Run(t, filepath.Join("testdata", "service"), top, topologytest.Config{Policies: policies})
	if calls != 3 {
		t.Errorf("notify was called %d times, want 3", calls)
	}
}

// TestServe tests the running service: it becomes ready, responds to queries, reports large orders, counts dropped records, and
// is scraped by a real Prometheus.
func TestServe(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	b, err := broker.Start(broker.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	var alerts atomic.Value
	webhook := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		text, _ := io.ReadAll(r.Body)
		alerts.Store(fmt.Sprintf("%s: %s", r.Header.Get("Idempotency-Key"), text))
	}))
	defer webhook.Close()

	serving, stop := context.WithCancel(ctx)
	cfg := config{brokers: []string{b.Addr()}, dir: t.TempDir(), address: "127.0.0.1:0", limit: 1000, webhook: webhook.URL}
	address, done := make(chan string, 1), make(chan error, 1)
	go func() { done <- serve(serving, cfg, func(a string) { address <- a }) }()
	var url string
	select {
	case a := <-address:
		url = "http://" + a
	case err := <-done:
		t.Fatal(err)
	}
	get := func(path string) (int, string) {
		answer, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, _ := io.ReadAll(answer.Body)
		return answer.StatusCode, strings.TrimSpace(string(body))
	}
	await := func(what string, ok func() bool) {
		t.Helper()
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for !ok() {
			select {
			case <-tick.C:
			case err := <-done:
				t.Fatalf("%s: the service has ended: %v", what, err)
			case <-ctx.Done():
				t.Fatalf("%s: timed out", what)
			}
		}
	}
	await("ready", func() bool { code, _ := get("/readyz"); return code == 200 })

	client, err := kafka.Dial(ctx, kafka.Config{Brokers: []string{b.Addr()}})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	producer, err := client.NewProducer(ctx, kafka.ProducerConfig{})
	if err != nil {
		t.Fatal(err)
	}
	defer producer.Close()
	send := func(topic, key, value string) {
		t.Helper()
		n, err := client.Partitions(ctx, topic)
		if err == nil {
			err = producer.Send(topic, kafka.Partition([]byte(key), n), kafka.Record{Timestamp: time.Now().UnixMilli(), Key: []byte(key), Value: []byte(value)})
		}
		if err == nil {
			err = producer.Flush(ctx)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	send(Orders.Name(), "1", `{"cliente":"c9","centavos":1250,"quando":"2026-01-05T08:50:00Z"}`)
	send(Orders.Name(), "2", `{"cliente":`)
	const hour = "/receita/desconhecida?hora=2026-01-05T08:00:00Z"
	await("query", func() bool { code, _ := get(hour); return code == 200 })
	if _, body := get(hour); body != `{"pedidos":1,"centavos":1250}` {
		t.Errorf("the revenue is %s", body)
	}
	if code, _ := get("/receita/sul?hora=2026-01-05T08:00:00Z"); code != 404 {
		t.Errorf("a region without orders: status %d", code)
	}
	if code, _ := get("/receita/sul?hora=ontem"); code != 400 {
		t.Errorf("an invalid hour: status %d", code)
	}
	await("alert", func() bool { return alerts.Load() != nil })
	if got := fmt.Sprint(alerts.Load()); !strings.HasPrefix(got, "alertas/") || !strings.HasSuffix(got, " pediu por 12,50") {
		t.Errorf("the alert is %q", got)
	}
	await("dead letter in the metrics", func() bool {
		_, body := get("/metrics")
		return strings.Contains(body, "rio_records_dead_lettered_total{") && strings.Contains(body, `stage="decode",subtopology="0"} 1`)
	})
	t.Run("Prometheus", func(t *testing.T) {
		prometheustest.Scrape(t, ctx, prometheustest.Binary(t), strings.TrimPrefix(url, "http://"),
			`up == 1`, `sum(rio_records_processed_total) > 0`, `rio_application_state{state="running"} == 1`,
			`sum(rio_records_dead_lettered_total{stage="decode"}) == 1`)
	})
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestEnvironment(t *testing.T) {
	cfg, err := fromEnvironment(func(name string) string {
		return map[string]string{"ORDERS_BROKERS": "a:1,b:2", "ORDERS_ALERT_ABOVE": "5"}[name]
	})
	if err != nil || len(cfg.brokers) != 2 || cfg.limit != 5 || cfg.address != "127.0.0.1:8080" {
		t.Errorf("%+v, %v", cfg, err)
	}
	if _, err := fromEnvironment(func(string) string { return "muito" }); err == nil || !strings.Contains(err.Error(), "ORDERS_ALERT_ABOVE") {
		t.Errorf("a limit that is not a number: %v", err)
	}
}
