package main

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/rio-streams/rio/broker"
)

func newBroker() *cobra.Command {
	var cfg broker.Config
	cmd := &cobra.Command{
		Use:   "broker",
		Short: "Run a Kafka broker for this machine, until Ctrl-C",
		Long: `Run a Kafka broker for this machine, until Ctrl-C or SIGTERM.

Any Kafka client can use it. It listens on one address and tells clients that address, so it must be one that they can
reach. With --data, topics, records and group offsets are there again after a restart; without, they live in memory.`,
		Example: "  rio broker -data ./data -listen 127.0.0.1:9092",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cfg.Logger = slog.New(slog.NewTextHandler(cmd.ErrOrStderr(), &slog.HandlerOptions{Level: slog.LevelWarn}))
			return serve(cmd.Context(), cmd, cfg)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&cfg.DataDir, "data", "", "`directory` of the log; it is created if it is missing (default: keep everything in memory)")
	flags.StringVar(&cfg.Listen, "listen", defaultAddress, "`address` to listen on, host:port; port 0 takes a free one")
	flags.IntVar(&cfg.Partitions, "partitions", 1, "`number` of partitions of topics that are created without saying how many")
	flags.BoolVar(&cfg.AutoCreateTopics, "auto-create", false, "create a topic when a client asks for one that does not exist")
	flags.StringVar((*string)(&cfg.Durability), "durability", string(broker.Fsync),
		"`what` an acknowledged record survives: fsync, a power cut; os, kill -9 of the broker")
	return cmd
}

func serve(ctx context.Context, cmd *cobra.Command, cfg broker.Config) error {
	b, err := broker.Start(cfg)
	if err != nil {
		return err
	}
	kept := "everything in memory"
	if cfg.DataDir != "" {
		kept = "data in " + cfg.DataDir
	}
	fmt.Fprintf(cmd.OutOrStdout(), "broker listens on %s, %s\n", b.Addr(), kept)
	<-ctx.Done()
	if err := b.Close(); err != nil {
		return err
	}
	fmt.Fprintln(cmd.OutOrStdout(), "broker stopped")
	return nil
}
