// Vendas is a first program with Kafka and Rio: a producer sends five sales, a consumer prints them, and a topology computes
// totals by seller, by payment method and by hour.
//
//	go run ./examples/vendas
//
// runs all three parts with a broker inside the process. With a Kafka cluster, run the parts one by one:
//
//	vendas -brokers localhost:9092 -produce
//	vendas -brokers localhost:9092 -consume -follow
//	vendas -brokers localhost:9092 -totals
//
// The consumer is a member of group meu-grupo. Consumers in other languages may be members, too: it offers the assignors
// cooperative-sticky and range (-assignors), and the group uses one that all its members have. The directory python has a
// producer and a consumer for each of two Python clients. They run beside this program with any broker, for example with Rio's:
//
//	go run ./cmd/rio broker -auto-create -partitions 2    # listens on localhost:9092 and creates missing topics
//	pip install kafka-python                              # in another terminal
//	python examples/vendas/python/producer.py
//	go run ./examples/vendas -brokers localhost:9092 -totals
//	python examples/vendas/python/consumer.py             # until Ctrl-C; and beside it, with a share of the partitions:
//	go run ./examples/vendas -brokers localhost:9092 -consume -follow
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/runner"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	switch err := run(ctx, os.Args[1:], os.Stdout); {
	case errors.Is(err, flag.ErrHelp):
	case err != nil:
		fmt.Fprintln(os.Stderr, "vendas:", err)
		stop()
		os.Exit(1)
	}
}

// options are the parsed command-line flags.
type options struct {
	produce, consume, totals bool // if none is set, all three run
	follow                   bool
	brokers                  string
	data                     string
	onError                  processor.Action
	assignors                []kafka.Assignor
}

func parse(args []string) (options, error) {
	o := options{assignors: []kafka.Assignor{kafka.NewStickyAssignor(), kafka.NewRangeAssignor()}}
	flags := flag.NewFlagSet("vendas", flag.ContinueOnError)
	flags.BoolVar(&o.produce, "produce", false, "only send five sales")
	flags.BoolVar(&o.consume, "consume", false, "only read the sales and print them")
	flags.BoolVar(&o.totals, "totals", false, "only compute and print the totals")
	flags.BoolVar(&o.follow, "follow", false, "with -consume or -totals: wait for new sales until interrupted")
	flags.StringVar(&o.brokers, "brokers", "", "addresses of a Kafka cluster, `host:port,…` (default: a broker inside this process)")
	flags.StringVar(&o.data, "data", "", "`directory` for the broker's log and the state (default: a temporary directory)")
	flags.Func("on-error", "what to do with a record that is not a sale: fail, skip or dead-letter (to the topic "+deadLetters+"; default fail)",
		func(s string) (err error) {
			o.onError, err = processor.ParseAction(s)
			return err
		})
	flags.Func("assignors", "with -consume: `names` of the assignors to offer to the group, the preferred one first; the group uses one that all members have (default cooperative-sticky,range)",
		func(s string) (err error) {
			o.assignors, err = kafka.ParseAssignors(s)
			return err
		})
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	alone := o.produce || o.consume || o.totals
	switch {
	case flags.NArg() > 0:
		return o, fmt.Errorf("unknown argument %q: see -help", flags.Arg(0))
	case alone && o.brokers == "" && o.data == "":
		return o, errors.New("-produce, -consume and -totals need -brokers or -data: without them the log ends with the program")
	case o.follow && o.consume == o.totals:
		return o, errors.New("-follow goes with -consume or with -totals")
	}
	if !alone {
		o.produce, o.consume, o.totals = true, true, true
	}
	return o, nil
}

const deadLetters = "comercial-erros"

// run parses the flags and runs the selected parts.
func run(ctx context.Context, args []string, out io.Writer) (err error) {
	o, err := parse(args)
	if err != nil {
		return err
	}
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	if o.data == "" {
		if o.data, err = os.MkdirTemp("", "vendas-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(o.data)) }()
	}
	brokers := strings.Split(o.brokers, ",")
	if o.brokers == "" {
		b, err := broker.Start(broker.Config{DataDir: filepath.Join(o.data, "log"), Logger: log})
		if err != nil {
			return err
		}
		defer b.Close()
		brokers = []string{b.Addr()}
	}
	client, err := kafka.Dial(ctx, kafka.Config{Brokers: brokers, ClientID: "vendas"})
	if err != nil {
		return err
	}
	defer client.Close()

	if o.produce {
		if err := produce(ctx, client, fiveSales, out); err != nil {
			return err
		}
	}
	if o.consume {
		c := consumer{client: client, out: out, log: log, assignors: o.assignors, follow: o.follow, onError: o.onError}
		if err := c.run(ctx); err != nil {
			return err
		}
	}
	if !o.totals {
		return nil
	}
	if err := addUp(ctx, brokers, o, log, out); err != nil {
		return err
	}
	return report(context.WithoutCancel(ctx), client, out)
}

// addUp runs the topology and prints which records were left out.
func addUp(ctx context.Context, brokers []string, o options, log *slog.Logger, out io.Writer) error {
	totals, err := Totals()
	if err != nil {
		return err
	}
	cfg := runner.Config{Brokers: brokers, Dir: o.data, CreateTopics: true, StopAtEnd: !o.follow, Logger: log}
	cfg.Policies.Decode.Action = o.onError
	if o.onError == processor.DeadLetter {
		cfg.Policies.DeadLetters = deadLetters
	}
	app, err := runner.Start(ctx, totals, cfg)
	if err != nil {
		return err
	}
	if err := app.Wait(); err != nil {
		return err
	}
	if leftOut := app.Snapshot().Counters.LeftOut(); leftOut != "" {
		fmt.Fprintf(out, "\nrecords left out: %s\n", leftOut)
	}
	return nil
}
