package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"os"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/realtime"
	"github.com/rio-streams/rio/examples/fleet-tracking/recording"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/processor"
)

// options are what the command line says.
type options struct {
	gtfs         string
	positions    string        // a file, or with live the address of a feed
	every        time.Duration // how often the feed at an address is polled
	format       recording.Options
	arrivalOrder bool
	records      string // of drivers, beside positions

	freight  bool    // simulate delivery vehicles instead of buses
	write    string  // with freight: folder for the day as files
	days     float64 // to simulate; 0: without end, of deliveries one
	vehicles int
	seed     uint64
	duration time.Duration

	as          version         // what runs
	definitions tracking.Config // of results

	live    bool    // positions come from elsewhere
	web     string  // where the pages of consumers are
	http    string  // with live: where positions come by HTTP
	speed   float64 // 0: as fast as possible
	data    string
	out     string
	replay  bool
	span    span // of the replay
	brokers []string
	listen  string
	onError processor.Action

	management drivers.Config // what drivers are held to; zone and retention come from the log
	keep       retention
	planOnly   bool // load: topics of results are left to who makes them
}

const usage = `Follows a fleet of buses: average speeds, deviations from the route, delays, progress.

  fleet-tracking                                        a simulated fleet, live
  fleet-tracking -freight                               simulated deliveries, live
  fleet-tracking -gtfs FEED -positions FILE -out DIR    a recording, as CSV files
  fleet-tracking -live -gtfs FEED -data DIR             your own vehicles
  fleet-tracking -live -gtfs FEED -positions URL -data DIR
                                                        vehicles whose positions a server publishes
  fleet-tracking -data DIR -replay -out DIR             what the log in DIR holds, computed again
  fleet-tracking -live -as v2 -brokers HOST:PORT        a copy with other definitions, beside a program that runs
  fleet-tracking load -gtfs FEED -brokers HOST:PORT     another timetable, while it runs
  fleet-tracking logistics -brokers HOST:PORT           a consumer of the results alone; so are drivers and customers

`

// errHelp: the user asked for help and has got it.
var errHelp = flag.ErrHelp

// parseOptions reads the command line and tells all that is wrong with it at once.
func parseOptions(args []string, output io.Writer) (options, error) {
	o := options{onError: processor.DeadLetter, span: span{margins: safe}, management: heldTo}
	flags := flag.NewFlagSet("fleet-tracking", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	flags.StringVar(&o.gtfs, "gtfs", "", "GTFS feed, `DIR` or zip archive, that the recorded vehicles drive by; without it there are speeds only")
	flags.StringVar(&o.positions, "positions", "", "`FILE` of recorded positions: "+strings.Join(recording.Endings(), ", ")+
		"; columns of CSV are found by name. With -live: http or https address of vehicle positions of GTFS-realtime")
	flags.DurationVar(&o.every, "every", 15*time.Second, "how often the address in -positions is asked")
	flags.Func("columns", "names that the CSV file has for the columns: `NAME=ITS,…`, such as vehicle_id=placa,vehicle_timestamp=hora", func(s string) error {
		o.format.Columns = map[string]string{}
		for pair := range strings.SplitSeq(s, ",") {
			name, its, ok := strings.Cut(pair, "=")
			if !ok {
				return fmt.Errorf("%q is not NAME=ITS", pair)
			}
			o.format.Columns[name] = its
		}
		return nil
	})
	flags.Func("zone", "`IANA` time zone of recorded times that name none (default: UTC)", func(s string) (err error) {
		o.format.Zone, err = time.LoadLocation(s)
		return err
	})
	flags.StringVar(&o.format.Vehicle, "vehicle-id", "", "`ID` of the vehicle, for recordings that name none")
	flags.BoolVar(&o.arrivalOrder, "arrival-order", false, "send recorded positions in the order of the file, not of the time at which they were taken")
	flags.Func("as", "run a copy `NAME`, such as v2, of all applications: it reads the log from the beginning and writes to topics NAME-…", o.as.set)
	flags.Float64Var(&o.definitions.OffRoute, "off-route", 0, "`METRES` from its line beyond which a vehicle is off its route, if the plan does not say (default 100)")
	flags.BoolVar(&o.live, "live", false, "send nothing: take what others write to localizacao-veiculos")
	flags.StringVar(&o.http, "http", "", "with -live: address `HOST:PORT` for positions by HTTP, as OsmAnd and Traccar Client send them")
	flags.BoolVar(&o.freight, "freight", false, "simulate a day of delivery vehicles instead of buses: routes, promised windows, drivers, failed deliveries")
	flags.StringVar(&o.write, "write", "", "with -freight: only write the simulated day into `DIR`, as the files that load and -positions read")
	flags.Float64Var(&o.days, "days", 0, "days to simulate, one after the other; of buses also a part of one, such as 0.25 (default: 1 with -freight; buses drive without end)")
	flags.StringVar(&o.records, "records", "", "with -positions: `FILE` of what drivers noted about deliveries, JSON lines with the fields of topic registros-de-entrega")
	flags.StringVar(&o.web, "web", "127.0.0.1:0", "address `HOST:PORT` of the pages of logistics, drivers and deliveries, while the program is live; who reaches it sees all of them")
	flags.IntVar(&o.vehicles, "vehicles", 30, "vehicles of the simulated fleet")
	flags.Uint64Var(&o.seed, "seed", 1, "seed of the simulated fleet: the same seed makes the same day")
	flags.DurationVar(&o.duration, "duration", 0, "end the simulation, or -live, after this time, with a summary (default: at Ctrl-C)")
	flags.Float64Var(&o.speed, "speed", 0, "how many times faster than real time (default: 20 for the simulation, as fast as possible for a recording)")
	flags.StringVar(&o.data, "data", "", "`DIR` that keeps log and state, to go on with at the next start (default: nothing is kept)")
	flags.StringVar(&o.out, "out", "", "`DIR` for the CSV files of results")
	flags.BoolVar(&o.replay, "replay", false, "compute what the log of -data holds again from its beginning, with fresh state")
	flags.Func("from", "with -replay: only what happened from this `TIME` on, such as 2026-01-16T08:00:00-03:00", timeFlag(&o.span.from))
	flags.Func("to", "with -replay: only what happened before this `TIME`", timeFlag(&o.span.to))
	flags.Func("brokers", "addresses `HOST:PORT,…` of a Kafka cluster (default: a broker in this process)", o.setBrokers)
	flags.StringVar(&o.listen, "listen", "", "address `HOST:PORT` of the broker in this process (default: a free port of 127.0.0.1)")
	flags.Func("on-error", "what to do with a row that is no position: `fail`, skip or dead-letter (to the topic "+tracking.Invalid+"; default dead-letter)",
		func(s string) (err error) {
			o.onError, err = processor.ParseAction(s)
			return err
		})
	o.limitFlags(flags)
	o.keep.driverFlag(flags)
	o.keep.messageFlag(flags)
	if err := flags.Parse(args); err != nil {
		return o, helped(err, flags, usage, output)
	}
	if o.live {
		o.keep = o.keep.or(forgetting)
	}
	set := map[string]bool{}
	flags.Visit(func(f *flag.Flag) { set[f.Name] = true })
	if !set["speed"] && o.simulated() {
		o.speed = 20
	}
	return o, o.check(flags.Args(), set)
}

func (o *options) setBrokers(addresses string) error {
	o.brokers = nil
	for address := range strings.SplitSeq(addresses, ",") {
		if address = strings.TrimSpace(address); address != "" {
			o.brokers = append(o.brokers, address)
		}
	}
	return nil
}

// helped returns the error of parsing flags. If the user asked for help, it tells what there is.
func helped(err error, flags *flag.FlagSet, usage string, output io.Writer) error {
	if errors.Is(err, flag.ErrHelp) {
		fmt.Fprint(output, usage)
		flags.SetOutput(output)
		flags.PrintDefaults()
	}
	return err
}

// recorded reports whether positions come from a recording.
func (o options) recorded() bool { return !o.live && (o.positions != "" || o.gtfs != "") }

// simulated reports whether positions come from the simulation.
func (o options) simulated() bool { return !o.live && !o.recorded() && !o.replay }

// wholeDays is for how many days deliveries are simulated.
func (o options) wholeDays() int { return max(1, int(o.days)) }

func (o options) check(rest []string, set map[string]bool) error {
	var mistakes []error
	wrong := func(bad bool, format string, args ...any) {
		if bad {
			mistakes = append(mistakes, fmt.Errorf(format, args...))
		}
	}
	wrong(len(rest) > 0, "unexpected argument %q: options begin with a dash", strings.Join(rest, " "))
	wrong(o.gtfs != "" && o.positions == "" && !o.live, "-gtfs needs -positions, the recording, or -live, for positions that others send")
	wrong(o.as != "" && o.replay, "-replay is a copy that is deleted again: leave -as out")
	wrong(o.as != "" && o.simulated() && len(o.brokers) > 0, "-as beside a program that sends positions: give -live, so that they are not sent twice")
	wrong(set["off-route"] && !(o.definitions.OffRoute > 0 && o.definitions.OffRoute <= math.MaxFloat64), "-off-route %v: it must be positive", o.definitions.OffRoute)
	wrong(o.http != "" && !o.live, "-http needs -live")
	polls := isAddress(o.positions)
	wrong(o.live && o.positions != "" && !polls, "-live takes the positions that others send: leave -positions out, or give an http address of GTFS-realtime")
	wrong(polls && !o.live, "-positions %s: a server is asked for positions with -live: add it", realtime.Name(o.positions))
	wrong(set["every"] && !polls, "-every is for -positions with the address of a server")
	wrong(polls && o.every < time.Second, "-every %v: at least 1s", o.every)
	wrong(o.live && o.replay, "-live and -replay: give one of them")
	wrong(o.live && o.data == "" && len(o.brokers) == 0, "-live needs -data, a folder that keeps the log, or -brokers")
	wrong(o.live && set["speed"], "-live takes positions as they come: leave -speed out")
	for _, name := range []string{"freight", "vehicles", "seed", "days", "duration"} {
		wrong(set[name] && !o.simulated() && !(o.live && name == "duration"), "-%s is for the simulated fleet: leave it out", name)
	}
	wrong(o.vehicles < 1, "-vehicles %d: at least 1", o.vehicles)
	wrong(o.duration < 0, "-duration %v: it must be positive", o.duration)
	wrong(!(o.speed >= 0), "-speed %v: a number from 0 upwards", o.speed)
	wrong(o.write != "" && !o.freight, "-write is for -freight")
	wrong(set["days"] && !(o.days > 0), "-days %v: it must be positive", o.days)
	wrong(o.freight && o.days != math.Trunc(o.days), "-days %v: deliveries are simulated for whole days", o.days)
	wrong(o.simulated() && !o.freight && o.days == 0 && o.speed == 0, "-speed 0: a simulated fleet has no end to hurry to; give -days, or a positive number")
	wrong(o.listen != "" && len(o.brokers) > 0, "-listen is for the broker in this process, but -brokers names a cluster: leave one of them out")
	wrong(!o.span.whole() && !o.replay, "-from and -to are for -replay")
	wrong(!o.span.to.IsZero() && !o.span.from.Before(o.span.to), "-to: it must be later than -from")
	if o.replay {
		wrong(o.recorded(), "-replay takes timetable and positions from the log: leave -gtfs and -positions out")
		wrong(set["speed"], "-replay goes as fast as possible: leave -speed out")
		wrong(o.out == "", "-replay needs -out, a folder for the results")
		wrong(o.data == "" && len(o.brokers) == 0, "-replay needs -data, the folder that keeps the log")
		if _, err := os.Stat(o.data); o.data != "" && len(o.brokers) == 0 {
			wrong(err != nil, "-data %s: there is no log to replay; run without -replay first", o.data)
		}
	}
	for _, name := range []string{"columns", "zone", "vehicle-id", "arrival-order", "records"} {
		wrong(set[name] && (o.positions == "" || polls), "-%s is for a recording: give -positions FILE, too", name)
	}
	for _, path := range []string{o.gtfs, o.positions, o.records} {
		if _, err := os.Stat(path); path != "" && !(polls && path == o.positions) {
			wrong(err != nil, "there is no %s", path)
		}
	}
	return errors.Join(mistakes...)
}
