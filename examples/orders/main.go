// Orders is an example of a complete service. It joins orders with their customers, computes the revenue of each region and
// hour, and reports large orders to a webhook. Records that cannot be processed go to a dead-letter topic. To try it with a
// broker inside the process, start it, send an order, and query the revenue:
//
//	go run ./examples/orders
//	echo '{"key":"1","value":"{\"cliente\":\"c1\",\"centavos\":1250,\"quando\":\"2026-01-05T08:50:00Z\"}"}' | go run ./cmd/rio produce pedidos -format json -brokers 127.0.0.1:9092
//	curl '127.0.0.1:8080/receita/desconhecida?hora=2026-01-05T08:00:00Z'
//
// The same address serves /metrics, /healthz, /readyz and /snapshot.json. Environment variables configure the service: see
// config.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/runner"
)

func main() {
	cfg, err := fromEnvironment(os.Getenv)
	if err == nil {
		ctx, _ := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
		err = serve(ctx, cfg, func(address string) { slog.Info("serving", "address", "http://"+address) })
	}
	if err != nil {
		slog.Error("orders has ended", "error", err)
		os.Exit(1)
	}
}

// config is the configuration from environment variables.
type config struct {
	brokers []string // ORDERS_BROKERS: host:port,…; default: a broker inside the process
	listen  string   // ORDERS_LISTEN: host:port of that broker; default: 127.0.0.1:9092
	dir     string   // ORDERS_DIR: directory for state; default: in the user's cache directory
	address string   // ORDERS_ADDRESS: host:port of the HTTP server; default: 127.0.0.1:8080
	limit   int64    // ORDERS_ALERT_ABOVE: cents; default: 100000
	webhook string   // ORDERS_WEBHOOK: URL for alerts; default: none, alerts are logged
}

func fromEnvironment(get func(string) string) (config, error) {
	cfg := config{dir: get("ORDERS_DIR"), address: cmp.Or(get("ORDERS_ADDRESS"), "127.0.0.1:8080"), webhook: get("ORDERS_WEBHOOK")}
	if brokers := get("ORDERS_BROKERS"); brokers != "" {
		cfg.brokers = strings.Split(brokers, ",")
	} else {
		cfg.listen = cmp.Or(get("ORDERS_LISTEN"), "127.0.0.1:9092")
	}
	var err error
	above := cmp.Or(get("ORDERS_ALERT_ABOVE"), "100000")
	if cfg.limit, err = strconv.ParseInt(above, 10, 64); err != nil {
		return cfg, fmt.Errorf("ORDERS_ALERT_ABOVE is %q: want a number of cents, such as 100000", above)
	}
	return cfg, nil
}

// serve runs the service until ctx ends. It calls listening with the address of the HTTP server.
func serve(ctx context.Context, cfg config, listening func(address string)) error {
	top, revenue, err := Service(cfg.limit, cfg.notify)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", cfg.address)
	if err != nil {
		return err
	}
	defer listener.Close()
	app, err := runner.Start(ctx, top, runner.Config{
		Brokers: cfg.brokers, Listen: cfg.listen, Dir: cfg.dir, CreateTopics: true,
		Policies: policies,
	})
	if err != nil {
		return err
	}
	store, err := runner.Local(app, revenue)
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.Handle("/", app.Handler())
	mux.Handle("GET /receita/{regiao}", query(store))
	go (&http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}).Serve(listener)
	listening(listener.Addr().String())
	return app.Wait()
}

// query responds with the revenue of a region in an hour: ?hora=2026-01-05T08:00:00Z, by default the current hour.
func query(store *runner.LocalStore[codec.WindowKey[string], Revenue]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		hour, err := time.Parse(time.RFC3339, cmp.Or(r.FormValue("hora"), time.Now().Format(time.RFC3339)))
		if err != nil {
			http.Error(w, "hora: want a time such as 2026-01-05T08:00:00Z", http.StatusBadRequest)
			return
		}
		revenue, found, err := store.Get(codec.WindowKey[string]{Key: r.PathValue("regiao"), Start: hour.UTC().Truncate(time.Hour)})
		switch {
		case err != nil: // retry, or query another process of the service
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case !found:
			http.Error(w, "no orders in this region and hour", http.StatusNotFound)
		default:
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(revenue)
		}
	}
}

// notify reports a large order. If it is called again for the same order, the id is the same.
func (cfg config) notify(ctx context.Context, id, alert string) error {
	if cfg.webhook == "" {
		slog.InfoContext(ctx, "alert", "id", id, "text", alert)
		return nil
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, cfg.webhook, strings.NewReader(alert))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "text/plain; charset=utf-8")
	request.Header.Set("Idempotency-Key", id)
	answer, err := (&http.Client{Timeout: 10 * time.Second}).Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode >= 300 {
		return fmt.Errorf("%s responded with %s", cfg.webhook, answer.Status)
	}
	return nil
}
