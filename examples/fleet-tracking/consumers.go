package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/customers"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/logistics"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/site"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// consumer is a department of the company: an application of its own, with its own group, that reads what tracking writes.
type consumer struct {
	name    string   // of its command, and of its pages
	about   string   // what it makes, in a line
	sources []string // topics that it reads
	results []string // topics that it writes
	new     func() (*topology.Topology, error)
	show    func(p *pages, app *runner.App, about string) error
}

// consumers are the departments. management says what drivers are held to; times on pages are in its time zone.
func consumers(management drivers.Config) []consumer {
	return []consumer{
		{
			name: "logistics", about: "where and when legs lose the most time",
			sources: logistics.SourceTopics(), results: logistics.ResultTopics(),
			new: logistics.New,
			show: func(p *pages, app *runner.App, about string) error {
				handler, err := logistics.Handler(app, p.nav)
				if err == nil {
					p.add(staffPage{site.Link{Name: "logistics", Path: "/logistics"}, about}, handler, "/logistics", "/logistics/")
				}
				return err
			},
		},
		{
			name: "drivers", about: "how each driver drove on each day, with a ranking",
			sources: drivers.SourceTopics(), results: drivers.ResultTopics(),
			new: func() (*topology.Topology, error) { return drivers.New(management) },
			show: func(p *pages, app *runner.App, about string) error {
				handler, err := drivers.Handler(app, p.nav)
				if err == nil {
					p.add(staffPage{site.Link{Name: "drivers", Path: "/drivers"}, about}, handler, "/drivers", "/drivers/")
				}
				return err
			},
		},
		{
			name: "customers", about: "the status of each delivery, for its customer",
			sources: customers.SourceTopics(), results: customers.ResultTopics(),
			new: customers.New,
			show: func(p *pages, app *runner.App, about string) error {
				handler, err := customers.NewHandler(app, customers.Pages{Zone: management.Zone.String(), Nav: p.nav})
				if err == nil {
					p.add(staffPage{site.Link{Name: "customers", Path: handler.List()}, about}, handler, "/entregas/", "/lista/")
				}
				return err
			},
		},
	}
}

// config is how the consumer of a version is run.
func (c consumer) config(a *app, v version) runner.Config {
	cfg := a.engine(v)
	cfg.Application = v.application(c.name)
	cfg.Policies.Decode.Action, cfg.Policies.DeadLetters = processor.Skip, "" // tracking accounts for rows that are no position
	if v == "" {
		return cfg
	}
	cfg.InputNames = map[string]string{}
	written := tracking.ResultTopics()
	for _, name := range c.sources {
		if slices.Contains(written, name) {
			cfg.InputNames[name] = v.prefix() + name
		}
	}
	return cfg
}

// startConsumers starts all consumers beside tracking. The returned function stops them and returns what went wrong.
func (a *app) startConsumers(ctx context.Context, pages *pages) (stop func() error, err error) {
	management, err := a.management(ctx)
	if err != nil {
		return nil, err
	}
	var apps []*runner.App
	stop = func() error {
		var errs []error
		for _, app := range apps {
			app.Stop()
		}
		for _, app := range apps {
			errs = append(errs, app.Wait())
		}
		return errors.Join(errs...)
	}
	for _, c := range consumers(management) {
		app, err := a.startConsumer(ctx, c, pages)
		if err != nil {
			return nil, errors.Join(err, stop())
		}
		apps = append(apps, app)
	}
	return stop, nil
}

// startConsumer starts a consumer and shows its pages.
func (a *app) startConsumer(ctx context.Context, c consumer, pages *pages) (*runner.App, error) {
	top, err := c.new()
	if err != nil {
		return nil, err
	}
	app, err := runner.Start(ctx, top, c.config(a, a.options.as))
	if err != nil {
		return nil, err
	}
	if err := c.show(pages, app, c.about); err != nil {
		app.Stop()
		return nil, errors.Join(err, app.Wait())
	}
	return app, nil
}

// finishConsumers runs all consumers of a version to the end of what its tracking has written.
func (a *app) finishConsumers(ctx context.Context, v version) error {
	management, err := a.management(ctx)
	if err != nil {
		return err
	}
	for _, c := range consumers(management) {
		top, err := c.new()
		if err != nil {
			return err
		}
		cfg := c.config(a, v)
		cfg.StopAtEnd = true
		if v == replayCopy {
			cfg.Dir, cfg.SessionTimeout = a.scratch, replaySilence
		}
		if err := a.finish(ctx, top, cfg); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
	}
	return nil
}

// management is what drivers are held to. Their figures are kept for as long as their topic is, so that every process of the group forgets the
// same.
func (a *app) management(ctx context.Context) (drivers.Config, error) {
	cfg := a.options.management
	topic, err := a.client.TopicConfig(ctx, a.options.as.prefix()+drivers.Days.Name())
	if err != nil {
		return cfg, err
	}
	if cfg.Keep, err = drivers.KeptFor(topic); err != nil {
		return cfg, err
	}
	cfg.Zone, err = a.zone(ctx)
	return cfg, err
}

// zone is the time zone of the days of drivers: that of -zone, else that of the trips in the log when it is first asked for, else UTC. It
// stays the same while the program runs, so that the pages and the report at the end have the same days.
func (a *app) zone(ctx context.Context) (*time.Location, error) {
	switch {
	case a.options.format.Zone != nil:
		return a.options.format.Zone, nil
	case a.location != nil:
		return a.location, nil
	}
	trips := map[string]fleet.Timetable{}
	r := newReader(a.client, "")
	read(r, tracking.Trips, func(key string, t fleet.Timetable) { trips[key] = t })
	if err := r.toEnd(ctx, kafka.Earliest); err != nil {
		return nil, err
	}
	return a.locate(trips)
}

// locate takes the time zone of all that topic viagens holds: that of the first key, if they differ.
func (a *app) locate(trips map[string]fleet.Timetable) (*time.Location, error) {
	name := ""
	for _, key := range slices.Sorted(maps.Keys(trips)) {
		if name = trips[key].Zone(); name != "" {
			break
		}
	}
	location, err := time.LoadLocation(name)
	if err != nil {
		return nil, fmt.Errorf("the time zone of the trips in topic %s: %w", tracking.Trips.Name(), err)
	}
	a.location = location
	return location, nil
}

// tellConsumers prints what is most notable in the results of the consumers.
func (a *app) tellConsumers(ctx context.Context, prefix string, results report.Report) error {
	legs, statuses := map[fleet.LegKey]fleet.LegSummary{}, map[string]customers.Status{}
	r := newReader(a.client, prefix)
	readLatest(r, logistics.LegHours, legs)
	readLatest(r, customers.Statuses, statuses)
	if err := r.toEnd(ctx, kafka.Earliest); err != nil {
		return err
	}
	if worst := logistics.Worst(maps.Values(legs), worstLegs); len(worst) > 0 {
		fmt.Fprintln(a.stdout, "Legs that lose the most time:")
		if err := logistics.WriteWorst(a.stdout, worst); err != nil {
			return err
		}
	}
	if ranks := drivers.Ranking(slices.Collect(results.Days())); len(ranks) > 0 {
		fmt.Fprintf(a.stdout, "%s:\n", results.DriverDays())
		if err := drivers.WriteRanking(a.stdout, ranks[:min(len(ranks), rankedDays)]); err != nil {
			return err
		}
		if more := len(ranks) - rankedDays; more > 0 {
			fmt.Fprintf(a.stdout, "and %d more days\n", more)
		}
	}
	if len(statuses) > 0 {
		fmt.Fprintf(a.stdout, "Deliveries: %s.\n", customers.Summary(maps.Values(statuses)))
	}
	return nil
}

const (
	worstLegs  = 5
	rankedDays = 10
)
