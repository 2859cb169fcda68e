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
	show    func(*pages, *runner.App) error
}

// consumers are the departments, for vehicles whose days are those of a time zone.
func consumers(zone *time.Location) []consumer {
	management := drivers.Config{Zone: zone, Limits: drivers.Limits{Fleet: overspeed}, Keep: -1} // a recording may be years old
	return []consumer{
		{
			name: "logistics", about: "where and when legs lose the most time, as JSON",
			sources: logistics.SourceTopics(), results: logistics.ResultTopics(),
			new: logistics.New,
			show: func(p *pages, app *runner.App) error {
				handler, err := logistics.Handler(app)
				if err == nil {
					p.add("logistics", "/logistics", handler)
				}
				return err
			},
		},
		{
			name: "drivers", about: "how each driver drove on each day, with a ranking, as JSON",
			sources: drivers.SourceTopics(), results: drivers.ResultTopics(),
			new: func() (*topology.Topology, error) { return drivers.New(management) },
			show: func(p *pages, app *runner.App) error {
				handler, err := drivers.Handler(app)
				if err == nil {
					p.add("drivers", "/drivers", handler)
				}
				return err
			},
		},
		{
			name: "customers", about: "the status of each delivery, for its customer",
			sources: customers.SourceTopics(), results: customers.ResultTopics(),
			new: customers.New,
			show: func(p *pages, app *runner.App) error {
				handler, err := customers.NewHandler(app, customers.Pages{Zone: zone.String()})
				if err == nil {
					p.add("customers", handler.List(), handler, "/entregas/", "/lista/")
				}
				return err
			},
		},
	}
}

// overspeed is the speed in km/h above which a driver is too fast. No recording has the limits of roads.
const overspeed = 60

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
	zone, err := a.zone(ctx)
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
	for _, c := range consumers(zone) {
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
	if err := c.show(pages, app); err != nil {
		app.Stop()
		return nil, errors.Join(err, app.Wait())
	}
	return app, nil
}

// finishConsumers runs all consumers of a version to the end of what its tracking has written.
func (a *app) finishConsumers(ctx context.Context, v version) error {
	zone, err := a.zone(ctx)
	if err != nil {
		return err
	}
	for _, c := range consumers(zone) {
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
