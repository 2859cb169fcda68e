package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the program at once
	code := run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// run is the program: 0 is success, 1 something that failed, 2 a command line that cannot be understood.
func run(ctx context.Context, args []string, stdout, stderr *os.File) int {
	work, err := parse(args, stdout)
	switch {
	case errors.Is(err, errHelp):
		return 0
	case err != nil:
		fmt.Fprintf(stderr, "fleet-tracking: %s\nfleet-tracking -help tells what there is.\n", indented(err))
		return 2
	}
	if err := work(ctx, stdout, stderr); err != nil {
		fmt.Fprintf(stderr, "fleet-tracking: %s\n", indented(err))
		return 1
	}
	return 0
}

// parse returns what the command line asks for.
func parse(args []string, output io.Writer) (func(ctx context.Context, stdout, stderr *os.File) error, error) {
	if len(args) > 0 && args[0] == "load" {
		o, err := parseLoad(args[1:], output)
		return func(ctx context.Context, stdout, stderr *os.File) error { return runLoad(ctx, o, stdout, stderr) }, err
	}
	if len(args) > 0 {
		if c, ok := consumerNamed(args[0], drivers.Config{}); ok {
			o, err := parseConsumer(c, args[1:], output)
			return func(ctx context.Context, stdout, stderr *os.File) error {
				return runConsumer(ctx, c.name, o, stdout, stderr)
			}, err
		}
	}
	o, err := parseOptions(args, output)
	if o.write != "" {
		return func(_ context.Context, stdout, _ *os.File) error { return writeFreight(o, stdout) }, err
	}
	return func(ctx context.Context, stdout, stderr *os.File) error { return execute(ctx, o, stdout, stderr) }, err
}

func execute(ctx context.Context, o options, stdout, stderr *os.File) (err error) {
	app, err := open(ctx, o, stdout, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, app.close()) }()
	if o.replay {
		return app.replay(ctx)
	}
	return app.track(ctx)
}
