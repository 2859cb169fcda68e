package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/metrics/prometheus"
)

func newBroker() *cobra.Command {
	var cfg broker.Config
	var metricsAddr string
	cmd := &cobra.Command{
		Use:   "broker",
		Short: "Run a Kafka broker for this machine, until Ctrl-C",
		Long: `Run a Kafka broker for this machine, until Ctrl-C or SIGTERM.

Any Kafka client can use the broker. It listens on one address and sends this address to clients, so they must be able to
reach it. With --data, topics, records and committed offsets survive a restart; otherwise they are kept in memory.`,
		Example: "  rio broker --data ./data --listen 127.0.0.1:9092",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Logger = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			return serve(cmd.Context(), cmd, cfg, metricsAddr)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&cfg.DataDir, "data", "", "`directory` of the log; it is created if it is missing (default: keep everything in memory)")
	flags.StringVar(&cfg.Listen, "listen", defaultAddress, "`address` to listen on, host:port; port 0 picks a free port")
	flags.IntVar(&cfg.Partitions, "partitions", 1, "default `number` of partitions of a topic")
	flags.BoolVar(&cfg.AutoCreateTopics, "auto-create", false, "create a topic when a client requests one that does not exist")
	flags.StringVar((*string)(&cfg.Durability), "durability", string(broker.Fsync),
		"`what` an acknowledged record survives: fsync, a power failure; os, kill -9 of the broker")
	flags.StringVar(&metricsAddr, "metrics", "", "`address` to serve metrics to Prometheus on, host:port, at /metrics; without credentials, so "+
		"one that only operators reach, such as 127.0.0.1:9464 (default: do not)")
	cmd.AddCommand(newBrokerCheck())
	return cmd
}

func newBrokerCheck() *cobra.Command {
	return &cobra.Command{
		Use:   "check DIRECTORY",
		Short: "Verify the data directory of a stopped broker",
		Long: `Verify the data directory of a stopped broker: checksums and order of batches, offsets, segments, producers, transactions
and committed offsets. The command changes nothing. It prints a line for each problem and fails if there is any.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			problems := 0
			s, err := broker.Check(args[0], func(problem string) {
				problems++
				fmt.Fprintln(cmd.OutOrStdout(), problem)
			})
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d topics, %d partitions, %d batches with %d records in %d bytes, %d groups, %d transactional ids\n",
				s.Topics, s.Partitions, s.Batches, s.Records, s.Bytes, s.Groups, s.Transactions)
			if problems > 0 {
				return fmt.Errorf("%s has problems: %d", args[0], problems)
			}
			return nil
		},
	}
}

func serve(ctx context.Context, cmd *cobra.Command, cfg broker.Config, metricsAddr string) error {
	b, err := startBroker(ctx, cfg)
	if err != nil {
		return err
	}
	kept := "everything in memory"
	if cfg.DataDir != "" {
		kept = fmt.Sprintf("data in %s, durability %s", cfg.DataDir, cfg.Durability)
	}
	fmt.Fprintf(cmd.OutOrStdout(), "broker listens on %s, %s\n", b.Addr(), kept)
	if metricsAddr != "" {
		stop, err := serveMetrics(cmd, b, metricsAddr)
		if err != nil {
			return errors.Join(err, b.Close())
		}
		defer stop()
	}
	<-ctx.Done()
	if err := b.Close(); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "broker stopped")
	return nil
}

// serveMetrics serves the metrics of a broker until stop is called.
func serveMetrics(cmd *cobra.Command, b *broker.Broker, address string) (stop func() error, err error) {
	handler, err := prometheus.Handler(b.Metrics())
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("serve metrics: %w", err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", handler)
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}
	go server.Serve(listener)
	fmt.Fprintf(cmd.OutOrStdout(), "metrics are at http://%s/metrics\n", listener.Addr())
	return server.Close, nil
}

// startBroker starts a broker. If the process is told to stop meanwhile, it does not wait: an interrupted start leaves
// the same state as kill -9.
func startBroker(ctx context.Context, cfg broker.Config) (*broker.Broker, error) {
	type started struct {
		*broker.Broker
		err error
	}
	result := make(chan started, 1)
	go func() {
		b, err := broker.Start(cfg)
		result <- started{b, err}
	}()
	select {
	case s := <-result:
		return s.Broker, s.err
	case <-ctx.Done():
		return nil, fmt.Errorf("broker: stopped while it was starting on %s", cfg.Listen)
	}
}
