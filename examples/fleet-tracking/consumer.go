package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/processor"
)

// consumerNamed finds the consumer that a command runs alone.
func consumerNamed(name string, management drivers.Config) (consumer, bool) {
	all := consumers(management)
	i := slices.IndexFunc(all, func(c consumer) bool { return c.name == name })
	if i < 0 {
		return consumer{}, false
	}
	return all[i], true
}

const consumerUsage = `Runs %s alone, until it is told to end: %s.
It shares its work with every other process that runs it, also with fleet-tracking itself.

  fleet-tracking %s -brokers HOST:PORT

`

func parseConsumer(c consumer, args []string, output io.Writer) (options, error) {
	o := options{onError: processor.DeadLetter, management: heldTo, keep: forgetting}
	flags := flag.NewFlagSet("fleet-tracking "+c.name, flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.Func("brokers", "addresses `HOST:PORT,…` of a Kafka cluster, or of a fleet-tracking that runs", o.setBrokers)
	flags.Func("as", "run the consumer of the copy `NAME`, as it was given to fleet-tracking", o.as.set)
	flags.StringVar(&o.data, "data", "", "`DIR` that keeps the state, to go on with at the next start (default: it is read from the log again)")
	flags.StringVar(&o.web, "web", "127.0.0.1:0", "address `HOST:PORT` of the pages; who reaches it sees all of them")
	flags.Func("zone", "`IANA` time zone of days and of times on pages (default: that of the trips in the log, else UTC)", func(s string) (err error) {
		o.format.Zone, err = time.LoadLocation(s)
		return err
	})
	switch c.name {
	case "drivers":
		o.limitFlags(flags)
		o.keep.driverFlag(flags)
	case "customers":
		o.keep.messageFlag(flags)
	}
	if err := flags.Parse(args); err != nil {
		return o, helped(err, flags, fmt.Sprintf(consumerUsage, c.name, c.about, c.name), output)
	}
	var mistakes []error
	if flags.NArg() > 0 {
		mistakes = append(mistakes, fmt.Errorf("unexpected argument %q: options begin with a dash", strings.Join(flags.Args(), " ")))
	}
	if len(o.brokers) == 0 {
		mistakes = append(mistakes, fmt.Errorf("%s needs -brokers: it reads what fleet-tracking writes", c.name))
	}
	return o, errors.Join(mistakes...)
}

// runConsumer runs one consumer and shows its pages until ctx ends.
func runConsumer(ctx context.Context, name string, o options, stdout, stderr *os.File) (err error) {
	a, err := open(ctx, o, stdout, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	management, err := a.management(ctx)
	if err != nil {
		return err
	}
	c, _ := consumerNamed(name, management)
	pages := newPages()
	app, err := a.startConsumer(context.WithoutCancel(ctx), c, pages)
	if err != nil {
		return err
	}
	at, stopPages, err := pages.serve(o.web)
	if err != nil {
		app.Stop()
		return errors.Join(err, app.Wait())
	}
	fmt.Fprintf(stdout, "%s on http://%s/\n", name, at)
	select {
	case <-ctx.Done():
		app.Stop()
	case <-app.Done():
	}
	return errors.Join(stopPages(), app.Wait())
}
