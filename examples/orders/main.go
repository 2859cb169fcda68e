// Orders is a service as one would run it: orders are joined with their customers, the revenue of each region is added up by the
// hour, and large orders are reported to a webhook. What cannot be processed goes to a topic of dead letters. On a broker inside
// the process, it is started, sent an order, and asked like this:
//
//	go run ./examples/orders
//	echo '{"key":"1","value":"{\"cliente\":\"c1\",\"centavos\":1250,\"quando\":\"2026-01-05T08:50:00Z\"}"}' | go run ./cmd/rio produce pedidos -format json -brokers 127.0.0.1:9092
//	curl '127.0.0.1:8080/receita/desconhecida?hora=2026-01-05T08:00:00Z'
//
// The same address serves /metrics, /healthz, /readyz and /snapshot.json. The environment configures it: see config.
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

// config is what the environment says.
type config struct {
	brokers []string // ORDERS_BROKERS: host:port,…; empty is a broker inside the process
	listen  string   // ORDERS_LISTEN: host:port of that broker; empty is 127.0.0.1:9092
	dir     string   // ORDERS_DIR: where state is kept; empty is the user's cache directory
	address string   // ORDERS_ADDRESS: host:port of HTTP; empty is 127.0.0.1:8080
	limit   int64    // ORDERS_ALERT_ABOVE: cents; empty is 100000
	webhook string   // ORDERS_WEBHOOK: a URL that gets the alerts; empty writes them to the log
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

// serve runs the service until ctx ends, and calls listening with its address.
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

// query answers with the revenue of a region in an hour: ?hora=2026-01-05T08:00:00Z, the current one by default.
func query(store *runner.LocalStore[codec.WindowKey[string], Revenue]) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		hour, err := time.Parse(time.RFC3339, cmp.Or(r.FormValue("hora"), time.Now().Format(time.RFC3339)))
		if err != nil {
			http.Error(w, "hora: want a time such as 2026-01-05T08:00:00Z", http.StatusBadRequest)
			return
		}
		revenue, found, err := store.Get(codec.WindowKey[string]{Key: r.PathValue("regiao"), Start: hour.UTC().Truncate(time.Hour)})
		switch {
		case err != nil: // try again, or ask another process of the service
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		case !found:
			http.Error(w, "no orders in this region and hour", http.StatusNotFound)
		default:
			w.Header().Set("Content-Type", "application/json")
			json.NewEncoder(w).Encode(revenue)
		}
	}
}

// notify tells somebody of a large order. The id is the same when it is told again.
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
		return fmt.Errorf("%s answers %s", cfg.webhook, answer.Status)
	}
	return nil
}
