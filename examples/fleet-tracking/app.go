package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/examples/fleet-tracking/customers"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// app is the program under way: a log to write to and read from, and a topology that works on it.
type app struct {
	options  options
	stdout   *os.File
	logger   *slog.Logger
	topology *topology.Topology
	broker   *broker.Broker // nil with -brokers
	client   *kafka.Client
	dir      string         // of the state
	scratch  string         // removed at the end; empty with -data
	input    *input         // the source of positions; nil with -live and -replay
	location *time.Location // of the days of drivers; nil until it is known, see zone
}

// open starts the broker, or reaches the cluster, and makes the topics.
func open(ctx context.Context, o options, stdout, stderr *os.File) (_ *app, err error) {
	a := &app{
		options: o,
		stdout:  stdout,
		logger:  slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, a.close())
		}
	}()
	if a.topology, err = tracking.New(o.definitions); err != nil {
		return nil, err
	}
	if a.scratch, err = os.MkdirTemp("", "fleet-tracking-"); err != nil {
		return nil, err
	}
	a.dir = a.scratch
	if o.data != "" {
		a.dir = o.data
	}
	brokers := o.brokers
	if len(brokers) == 0 {
		cfg := broker.Config{Listen: o.listen, Logger: a.logger}
		if o.data != "" {
			cfg.DataDir, cfg.KeepPort = filepath.Join(o.data, "log"), true
		}
		if a.broker, err = broker.Start(cfg); err != nil {
			return nil, err
		}
		brokers = []string{a.broker.Addr()}
	}
	if a.client, err = kafka.Dial(ctx, kafka.Config{Brokers: brokers, ClientID: "fleet-tracking"}); err != nil {
		return nil, err
	}
	return a, a.createTopics(ctx)
}

func (a *app) close() error {
	var errs []error
	if a.client != nil {
		errs = append(errs, a.client.Close())
	}
	if a.broker != nil {
		errs = append(errs, a.broker.Close())
	}
	if a.scratch != "" {
		errs = append(errs, os.RemoveAll(a.scratch))
	}
	return errors.Join(errs...)
}

// partitions of each topic: as many tasks can work side by side.
const partitions = 4

// createTopics makes the topics that are not there yet. Recorded positions may be years old, so nothing is deleted by age but what names
// persons; see retention.
func (a *app) createTopics(ctx context.Context) error {
	var results []string
	if !a.options.planOnly {
		results = tracking.ResultTopics()
		for _, c := range consumers(drivers.Config{}) {
			results = append(results, c.results...)
		}
	}
	names := []string{
		tracking.Positions.Name(), tracking.Trips.Name(), tracking.Paths.Name(), tracking.Assignments.Name(), tracking.Deliveries.Name(),
		tracking.DeliveryRecords.Name(),
	}
	prefix := a.options.as.prefix()
	for _, name := range results {
		names = append(names, prefix+name)
	}
	for _, name := range names {
		spec := kafka.TopicSpec{Name: name, Partitions: partitions, Config: map[string]string{"retention.ms": "-1"}}
		switch name {
		case tracking.Positions.Name(): // a clock may be ahead by any time: the row is kept, and accounted for
			spec.Config["message.timestamp.after.max.ms"] = strconv.Itoa(math.MaxInt64)
		case tracking.Trips.Name(), tracking.Paths.Name(), tracking.Assignments.Name(), tracking.Deliveries.Name(), prefix + customers.Statuses.Name():
			spec.Config = map[string]string{"cleanup.policy": "compact"}
		case prefix + drivers.Days.Name():
			spec.Config = drivers.Config{Keep: a.options.keep.drivers.duration()}.TopicConfig()
		case prefix + customers.Messages.Name():
			spec.Config = customers.MessageConfig(a.options.keep.messages.duration())
		}
		err := a.client.CreateTopics(ctx, spec)
		if errors.Is(err, kafka.ErrTopicExists) && a.options.keep.given(strings.TrimPrefix(name, prefix)) {
			err = a.client.AlterTopicConfig(ctx, name, spec.Config)
		}
		if err != nil && !errors.Is(err, kafka.ErrTopicExists) {
			return err
		}
	}
	return nil
}

// engine is how a version of the topology is run.
func (a *app) engine(v version) runner.Config {
	cfg := runner.Config{
		Application: v.application(""), OutputPrefix: v.prefix(),
		Brokers: a.options.brokers, Dir: a.dir, CreateTopics: true, Partitions: partitions, Logger: a.logger,
		Memory: 64 << 20, // tracking and its consumers may run in one process
	}
	if a.broker != nil {
		cfg.Brokers = []string{a.broker.Addr()}
	}
	cfg.Policies.Decode.Action = a.options.onError
	if a.options.onError == processor.DeadLetter {
		cfg.Policies.DeadLetters = v.prefix() + tracking.Invalid
	}
	return cfg
}

// track sends positions, or waits for those that others send, makes of them what there is to make, and tells the results.
func (a *app) track(ctx context.Context) error {
	if err := a.feed(ctx); err != nil {
		return err
	}
	// What is live ends when it is told to, and is then summed up; a recording that is told to end has not been worked through.
	if !a.options.recorded() {
		ctx = context.WithoutCancel(ctx)
	}
	cfg := a.engine(a.options.as)
	cfg.StopAtEnd = true
	if err := a.finish(ctx, a.topology, cfg); err != nil {
		return err
	}
	if err := a.finishConsumers(ctx, a.options.as); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("stopped before the end of the recording; the next start with the same -data goes on from there")
	}
	return a.tell(ctx, a.options.as)
}

// loadFeed loads a feed from its first service day on.
func (a *app) loadFeed(ctx context.Context, feed *gtfs.Feed) error {
	_, err := a.load(ctx, plan{Plan: feed.Plan(feed.From)})
	return err
}

// feed sends the timetable and the positions, if they do not come from elsewhere.
func (a *app) feed(ctx context.Context) error {
	if a.options.live {
		feed, err := timetable(a.options)
		if err != nil {
			return err
		}
		if err := a.loadFeed(ctx, feed); err != nil {
			return err
		}
		return a.live(ctx, feed.Zone, a.receive)
	}
	in, err := newInput(a.options)
	if err != nil {
		return err
	}
	a.input = in
	zone := in.feed.Zone
	if err := a.loadFeed(ctx, in.feed); err != nil {
		return err
	}
	if _, err := a.load(ctx, in.plan); err != nil {
		return err
	}
	in.feed, in.plan = nil, plan{} // a timetable may be large, and is in the log now
	debug.FreeOSMemory()
	send := func(ctx context.Context) error { return a.sendPositions(ctx, in) }
	if a.options.speed > 0 {
		return a.live(ctx, zone, send)
	}
	return send(ctx)
}

// finish runs the topology to the end of its inputs and says what it had to leave out.
func (a *app) finish(ctx context.Context, top *topology.Topology, cfg runner.Config) error {
	engine, err := runner.Start(ctx, top, cfg)
	if err != nil {
		return err
	}
	if err := engine.Wait(); err != nil {
		return err
	}
	debug.FreeOSMemory() // the next topology has no use for what this one had
	if leftOut := engine.Snapshot().Counters.LeftOut(); leftOut != "" {
		fmt.Fprintf(a.stdout, "Records left out: %s.\n", leftOut)
	}
	return nil
}

// tell reads the results of a version back from the derived topics, writes them if wanted, and sums them up.
func (a *app) tell(ctx context.Context, v version) error {
	results, err := readResults(ctx, a.client, v.prefix())
	if err != nil {
		return err
	}
	lost, err := a.unreadable(ctx, v)
	if err != nil {
		return err
	}
	results.AddUnreadable(lost)
	if s := a.options.span; !s.whole() {
		results = results.Within(s.bounds())
	}
	if a.options.out != "" {
		if err := results.Write(a.options.out); err != nil {
			return err
		}
	}
	fmt.Fprintf(a.stdout, "%s.\n", results.Account())
	windows, points, episodes, arrivals := results.Counts()
	fmt.Fprintf(a.stdout, "%d speed windows, %d fixes compared with their route, %d off-route episodes, %d arrivals along a shape.\n",
		windows, points, episodes, arrivals)
	fmt.Fprintf(a.stdout, "%s.\n", results.Stops())
	if text := results.Forecasts(); text != "" {
		fmt.Fprintf(a.stdout, "%s.\n", text)
	}
	if a.input != nil && a.input.truth != nil {
		if text := accuracy(results, a.input.truth, a.input.first); text != "" {
			fmt.Fprintln(a.stdout, text)
		}
	}
	if a.input != nil && a.input.drove != nil {
		if err := a.compareFreight(ctx, results); err != nil {
			return err
		}
	}
	if a.options.span.whole() {
		if err := a.tellConsumers(ctx, v.prefix(), results); err != nil {
			return err
		}
	}
	if a.options.out != "" {
		fmt.Fprintf(a.stdout, "Written to %s.\n", a.options.out)
	}
	return nil
}

// hint says how to look at the topics from outside.
func (a *app) hint(w io.Writer) {
	address := a.address()
	fmt.Fprintf(w, "Kafka broker on %s. From another terminal:\n", address)
	fmt.Fprintf(w, "  go run ./cmd/rio topics list -brokers %s\n", address)
	fmt.Fprintf(w, "  kcat -b %s -C -q -t %s\n", address, a.options.as.prefix()+tracking.Delays.Name())
}

// address returns where the brokers are reached.
func (a *app) address() string {
	if a.broker != nil {
		return a.broker.Addr()
	}
	return strings.Join(a.options.brokers, ",")
}

// indented puts each further line of an error below the first.
func indented(err error) string {
	return strings.ReplaceAll(strings.TrimSpace(err.Error()), "\n", "\n  ")
}
