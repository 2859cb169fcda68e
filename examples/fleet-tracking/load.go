package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// loadID is the transactional id of what is planned. It is not that of positions, so that a plan can be loaded while they are sent.
const loadID = "fleet-tracking-plano"

// loaded counts what a plan has changed in the log.
type loaded struct {
	trips, paths   int // of the plan
	families, news int // records written to viagens and trajetos
}

func (l loaded) String() string {
	return fmt.Sprintf("%d trips on %d paths; written: %d groups of trips that are new or have changed, %d new paths",
		l.trips, l.paths, l.families, l.news)
}

// load writes what is planned, as far as the log has it not, or otherwise. Its time is the beginning of time, so that it is
// read before any position. Loading a plan once more changes nothing.
func (a *app) load(ctx context.Context, plan fleet.Plan) (loaded, error) {
	done := loaded{paths: len(plan.Paths)}
	if len(plan.Timetables) == 0 {
		return done, nil
	}
	known := fleet.Plan{Timetables: map[string]fleet.Timetable{}, Paths: map[string]fleet.Path{}}
	r := newReader(a.client, "")
	read(r, tracking.Trips, func(key string, t fleet.Timetable) { known.Timetables[key] = t })
	read(r, tracking.Paths, func(key string, p fleet.Path) { known.Paths[key] = p })
	if err := r.toEnd(ctx); err != nil {
		return done, err
	}
	s, err := newSender(ctx, a.client, kafka.ProducerConfig{TransactionalID: loadID})
	if err != nil {
		return done, err
	}
	defer s.producer.Close()
	open := 0
	written := func(err error) error {
		if open++; err == nil && open%sendAtOnce == 0 {
			err = s.producer.Commit(ctx)
		}
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(plan.Paths)) { // a trip comes after its path
		if _, ok := known.Paths[id]; ok {
			continue
		}
		done.news++
		if err := written(send(ctx, s, tracking.Paths, id, plan.Paths[id], 0)); err != nil {
			return done, err
		}
	}
	for _, key := range slices.Sorted(maps.Keys(plan.Timetables)) {
		before := known.Timetables[key]
		after := before
		for _, version := range plan.Timetables[key].Versions {
			done.trips += len(version.Trips)
			after = after.With(version)
		}
		if reflect.DeepEqual(before, after) {
			continue
		}
		done.families++
		if err := written(send(ctx, s, tracking.Trips, key, after, 0)); err != nil {
			return done, err
		}
	}
	if open%sendAtOnce == 0 {
		return done, nil
	}
	return done, s.producer.Commit(ctx)
}

const loadUsage = `Loads what is planned into the log, also while fleet-tracking runs. What the log has already is not written again.

  fleet-tracking load -gtfs FEED -brokers HOST:PORT        a timetable, for a log that a program serves
  fleet-tracking load -gtfs FEED -data DIR                 a timetable, for a log that nobody serves now

Trips hold from the first service day of the feed on (feed_info.txt, else calendar.txt or calendar_dates.txt), and those of
an earlier feed before it. A trip that a later feed lacks stays.

`

// loadOptions are the command line of load.
type loadOptions struct {
	options
	from string // service day YYYYMMDD; empty: the feed's
}

func parseLoad(args []string, output io.Writer) (loadOptions, error) {
	var o loadOptions
	flags := flag.NewFlagSet("fleet-tracking load", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.gtfs, "gtfs", "", "GTFS feed, `DIR` or zip archive")
	flags.Func("from", "first service day `YYYYMMDD` on which the trips hold (default: that of the feed)", func(s string) error {
		if _, err := time.Parse("20060102", s); err != nil {
			return errors.New("it is not a day YYYYMMDD")
		}
		o.from = s
		return nil
	})
	flags.StringVar(&o.data, "data", "", "`DIR` that keeps the log")
	flags.Func("brokers", "addresses `HOST:PORT,…` of a Kafka cluster, or of a fleet-tracking that runs", o.setBrokers)
	if err := flags.Parse(args); err != nil {
		return o, helped(err, flags, loadUsage, output)
	}
	var mistakes []error
	if flags.NArg() > 0 {
		mistakes = append(mistakes, fmt.Errorf("unexpected argument %q: options begin with a dash", strings.Join(flags.Args(), " ")))
	}
	if o.gtfs == "" {
		mistakes = append(mistakes, errors.New("load needs -gtfs, the feed"))
	} else if _, err := os.Stat(o.gtfs); err != nil {
		mistakes = append(mistakes, fmt.Errorf("there is no %s", o.gtfs))
	}
	if (o.data == "") == (len(o.brokers) == 0) {
		mistakes = append(mistakes, errors.New("load needs -data, the folder of the log, or -brokers, who serves it: one of them"))
	}
	return o, errors.Join(mistakes...)
}

func runLoad(ctx context.Context, o loadOptions, stdout, stderr *os.File) (err error) {
	feed, err := gtfs.Load(o.gtfs)
	if err != nil {
		return err
	}
	from := o.from
	if from == "" {
		from = feed.From
	}
	plan := feed.Plan(from)
	a, err := open(ctx, o.options, stdout, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	done, err := a.load(ctx, plan)
	if err != nil {
		return err
	}
	when := ""
	if from != "" {
		when = " from service day " + from + " on"
	}
	fmt.Fprintf(stdout, "Loaded%s: %v.\n", when, done)
	return nil
}
