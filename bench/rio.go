package main

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

const commitInterval = 100 * time.Millisecond

// vehicles builds the topology for the work: a table of vehicles, stored in pebble and in a changelog.
func vehicles(j job) (*topology.Topology, error) {
	b := topology.NewBuilder(j.Application)
	positions := topology.From(b, topology.NewTopic(j.Topic, codec.String, codec.JSON[Position]()))
	if j.KeyBy {
		vehicles := fleet{j.Vehicles}
		positions = topology.KeyBy(positions, "by-vehicle", func(p Position) string { return string(vehicles.key(int(p.Seq))) })
	}
	table := topology.Aggregate(positions, "vehicles", Vehicle.Add)
	if j.Sink != "" {
		table.To(topology.NewTopic(j.Sink, codec.String, codec.JSON[Vehicle]()))
	}
	return b.Build()
}

func runRio(atLeastOnce bool) func(context.Context, job) (map[string]Vehicle, error) {
	return func(ctx context.Context, j job) (map[string]Vehicle, error) {
		t, err := vehicles(j)
		if err != nil {
			return nil, err
		}
		app, err := runner.Start(ctx, t, runner.Config{
			Brokers: j.Brokers, Dir: j.Dir, StopAtEnd: true, CreateTopics: true,
			AtLeastOnce: atLeastOnce, CommitInterval: commitInterval, Workers: j.Workers,
			Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		})
		if err != nil {
			return nil, err
		}
		if j.Scraped {
			scraping, stop := context.WithCancel(ctx)
			defer stop()
			go scrape(scraping, app)
		}
		return nil, app.Wait()
	}
}

// scrape reads the metrics of an application once a second, as a Prometheus in a hurry does.
func scrape(ctx context.Context, app *runner.App) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
			app.Handler().ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/metrics", nil))
		case <-ctx.Done():
			return
		}
	}
}

// changelogOf returns the topic of Rio's table.
func changelogOf(j job) string { return j.Application + "-vehicles-changelog" }
