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
	"github.com/rio-streams/rio/examples/fleet-tracking/freight"
	"github.com/rio-streams/rio/examples/fleet-tracking/gtfs"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

// loadID is the transactional id of what is planned. It is not that of positions, so that a plan can be loaded while they are sent.
const loadID = "fleet-tracking-plano"

// plan is what a company plans: the values of topics viagens, trajetos, atribuicoes and entregas, by key.
type plan struct {
	fleet.Plan
	about       string // what the files say, in a sentence
	assignments map[string]fleet.Assignments
	deliveries  map[string]fleet.Delivery
}

func (p plan) empty() bool {
	return len(p.Timetables) == 0 && len(p.Paths) == 0 && len(p.assignments) == 0 && len(p.deliveries) == 0
}

// planOf returns what the files of a freight company say.
func planOf(files freight.Plan) plan {
	p := plan{Plan: files.Timetables(), assignments: files.Assignments, deliveries: map[string]fleet.Delivery{}}
	for _, d := range files.Deliveries {
		p.deliveries[d.ID] = d
	}
	p.about = fmt.Sprintf("%s on %s for %s", counted(len(p.deliveries), "delivery", "deliveries"), counted(len(files.Trips), "trip", "trips"),
		counted(len(p.assignments), "vehicle", "vehicles"))
	if n := len(files.Idle); n > 0 {
		p.about += fmt.Sprintf("; %s without a vehicle: %s", counted(n, "trip", "trips"), listed(files.Idle))
	}
	return p
}

// counted is a number and what it is of.
func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// listed names the first ten of all.
func listed(all []string) string {
	const most = 10
	if more := len(all) - most; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(all[:most], ", "), more)
	}
	return strings.Join(all, ", ")
}

// written counts the records that a plan has added to the log.
type written struct{ trips, paths, assignments, deliveries int }

func (w written) String() string {
	var parts []string
	for _, part := range []struct {
		n         int
		one, many string
	}{
		{w.trips, "group of trips", "groups of trips"},
		{w.paths, "path", "paths"},
		{w.assignments, "vehicle's assignments", "vehicles' assignments"},
		{w.deliveries, "delivery", "deliveries"},
	} {
		if part.n > 0 {
			parts = append(parts, counted(part.n, part.one, part.many))
		}
	}
	if parts == nil {
		return "nothing"
	}
	return strings.Join(parts, ", ")
}

// load writes what is planned, as far as the log has it not, or otherwise. Its time is the beginning of time, so that it is
// read before any position. Loading a plan once more changes nothing.
func (a *app) load(ctx context.Context, p plan) (added written, err error) {
	if p.empty() {
		return added, nil
	}
	s, err := newSender(ctx, a.client, kafka.ProducerConfig{TransactionalID: loadID})
	if err != nil {
		return added, err
	}
	defer s.producer.Close()
	last := func(_, after fleet.Path) fleet.Path { return after }
	if _, added.paths, err = upload(ctx, s, tracking.Paths, p.Paths, last); err != nil { // a trip comes after its path
		return added, err
	}
	var trips map[string]fleet.Timetable
	if trips, added.trips, err = upload(ctx, s, tracking.Trips, p.Timetables, fleet.Timetable.Merge); err != nil {
		return added, err
	}
	if len(trips) > 0 { // known now: the topic need not be read again
		if _, err := a.locate(trips); err != nil {
			return added, err
		}
	}
	if _, added.assignments, err = upload(ctx, s, tracking.Assignments, p.assignments, fleet.Assignments.Merge); err != nil {
		return added, err
	}
	replace := func(_, after fleet.Delivery) fleet.Delivery { return after }
	_, added.deliveries, err = upload(ctx, s, tracking.Deliveries, p.deliveries, replace)
	return added, err
}

// upload brings a topic up to date: it merges each value with that of the topic and writes those that differ. It returns what the
// topic then holds, and how many records it has written. It commits now and then, because a part of a plan does no harm.
func upload[V any](
	ctx context.Context, s *sender, topic topology.Topic[string, V], planned map[string]V, merge func(before, after V) V,
) (known map[string]V, count int, err error) {
	if len(planned) == 0 {
		return nil, 0, nil
	}
	known = map[string]V{}
	r := newReader(s.client, "")
	read(r, topic, func(key string, value V) { known[key] = value })
	if err := r.toEnd(ctx, kafka.Earliest); err != nil {
		return nil, 0, err
	}
	for _, key := range slices.Sorted(maps.Keys(planned)) {
		before := known[key]
		after := merge(before, planned[key])
		if reflect.DeepEqual(before, after) {
			continue
		}
		known[key] = after
		if err := send(ctx, s, topic, key, after, 0); err != nil {
			return nil, count, err
		}
		if count++; count%sendAtOnce == 0 {
			if err := s.producer.Commit(ctx); err != nil {
				return nil, count, err
			}
		}
	}
	if count%sendAtOnce == 0 {
		return known, count, nil
	}
	return known, count, s.producer.Commit(ctx)
}

const loadUsage = `Loads what is planned into the log, also while fleet-tracking runs. What the log has already is not written again.

  fleet-tracking load -gtfs FEED -brokers HOST:PORT            a timetable, for a log that a program serves
  fleet-tracking load -gtfs FEED -data DIR                     a timetable, for a log that nobody serves now
  fleet-tracking load -routes FILE -deliveries FILE -drivers FILE -brokers HOST:PORT
                                                               what a freight company plans

The trips of a feed hold from its first service day on (feed_info.txt, else calendar.txt or calendar_dates.txt), and those
of an earlier feed before it. A trip that a later feed lacks stays.

`

// loadOptions are the command line of load.
type loadOptions struct {
	options
	from    string // service day YYYYMMDD of the feed; empty: as the feed says
	freight freight.Files
}

func parseLoad(args []string, output io.Writer) (loadOptions, error) {
	o := loadOptions{options: options{planOnly: true}}
	flags := flag.NewFlagSet("fleet-tracking load", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.gtfs, "gtfs", "", "GTFS feed, `DIR` or zip archive")
	flags.Func("from", "first service day `YYYYMMDD` on which the trips of the feed hold (default: that of the feed)", func(s string) error {
		if _, err := time.Parse("20060102", s); err != nil {
			return errors.New("it is not a day YYYYMMDD")
		}
		o.from = s
		return nil
	})
	flags.StringVar(&o.freight.Routes, "routes", "", "`FILE` of the lines of routes: .geojson, .gpx, or .csv with points in order")
	flags.StringVar(&o.freight.Deliveries, "deliveries", "", "CSV `FILE` of deliveries with their promised windows")
	flags.StringVar(&o.freight.Drivers, "drivers", "", "CSV `FILE` of who drives which vehicle when")
	flags.Float64Var(&o.freight.Corridor, "corridor", 0, "`METRES` from the line of a route within which a vehicle is on it (default 250)")
	flags.Func("zone", "`IANA` time zone of times in -deliveries and -drivers that name none", func(s string) (err error) {
		o.freight.Zone, err = time.LoadLocation(s)
		return err
	})
	flags.StringVar(&o.data, "data", "", "`DIR` that keeps the log")
	flags.Func("brokers", "addresses `HOST:PORT,…` of a Kafka cluster, or of a fleet-tracking that runs", o.setBrokers)
	if err := flags.Parse(args); err != nil {
		return o, helped(err, flags, loadUsage, output)
	}
	return o, o.check(flags.Args())
}

func (o loadOptions) check(rest []string) error {
	var mistakes []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	wrong(len(rest) > 0, "unexpected argument %q: options begin with a dash", strings.Join(rest, " "))
	wrong(o.gtfs == "" && o.freight.Deliveries == "", "load needs -gtfs, a timetable, or -deliveries, what a freight company plans")
	wrong(o.from != "" && o.gtfs == "", "-from is for the timetable of -gtfs: a delivery has its own time")
	wrong(o.freight.Corridor < 0, "-corridor %v: it must be positive", o.freight.Corridor)
	wrong((o.data == "") == (len(o.brokers) == 0), "load needs -data, the folder of the log, or -brokers, who serves it: one of them")
	for _, path := range []string{o.gtfs, o.freight.Routes, o.freight.Deliveries, o.freight.Drivers} {
		if _, err := os.Stat(path); path != "" {
			wrong(err != nil, "there is no %s", path)
		}
	}
	return errors.Join(mistakes...)
}

// plans reads the files.
func (o loadOptions) plans() (all []plan, err error) {
	if o.gtfs != "" {
		feed, err := gtfs.Load(o.gtfs)
		if err != nil {
			return nil, err
		}
		from := o.from
		if from == "" {
			from = feed.From
		}
		p := plan{Plan: feed.Plan(from)}
		p.about = fmt.Sprintf("%s on %s", counted(len(feed.Trips), "trip", "trips"), counted(len(p.Paths), "path", "paths"))
		if from != "" {
			p.about += ", from service day " + from + " on"
		}
		all = append(all, p)
	}
	if o.freight.Deliveries != "" {
		files, err := freight.Load(o.freight)
		if err != nil {
			return nil, err
		}
		all = append(all, planOf(files))
	}
	return all, nil
}

func runLoad(ctx context.Context, o loadOptions, stdout, stderr *os.File) (err error) {
	plans, err := o.plans()
	if err != nil {
		return err
	}
	a, err := open(ctx, o.options, stdout, stderr)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, a.close()) }()
	for _, p := range plans {
		added, err := a.load(ctx, p)
		if err != nil {
			return err
		}
		fmt.Fprintf(stdout, "Read: %s.\nWritten to the log, because it is new or has changed: %v.\n", p.about, added)
	}
	return nil
}
