package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/runner"
)

// speedKey is the key of topic velocidade-media.
type speedKey = codec.WindowKey[string]

// live sends positions, runs the topology beside, and shows what it makes of them, until send or ctx ends, or the time given for
// it. Times are shown in a time zone.
func (a *app) live(ctx context.Context, zone string, send func(context.Context) error) error {
	if a.options.duration > 0 {
		timed, cancel := context.WithTimeout(ctx, a.options.duration)
		defer cancel()
		ctx = timed
	}
	engine, err := runner.Start(context.WithoutCancel(ctx), a.topology, a.engine(a.options.as))
	if err != nil {
		return err
	}
	pages := newPages()
	if err := pages.watch(engine); err != nil {
		engine.Stop()
		return errors.Join(err, engine.Wait())
	}
	stopConsumers, err := a.startConsumers(context.WithoutCancel(ctx), pages)
	if err != nil {
		engine.Stop()
		return errors.Join(err, engine.Wait())
	}
	at, stopPages, err := pages.serve(a.options.web)
	if err != nil {
		engine.Stop()
		return errors.Join(err, engine.Wait(), stopConsumers())
	}
	fmt.Fprintf(a.stdout, "Logistics, drivers and deliveries on http://%s/, metrics on http://%[1]s/metrics\n", at)
	running, ended := context.WithCancel(context.WithoutCancel(ctx))
	shown := make(chan error, 1)
	go func() { shown <- a.show(running, zone, engine) }()

	sending, cancel := context.WithCancel(ctx)
	go func() {
		<-engine.Done()
		cancel() // if the topology has failed, there is nothing more to send
	}()
	err = send(sending)
	engine.Stop()
	err = errors.Join(err, engine.Wait(), stopPages(), stopConsumers())
	ended()
	return errors.Join(err, <-shown)
}

// show keeps the terminal up to date until ctx ends.
func (a *app) show(ctx context.Context, zone string, engine *runner.App) error {
	a.hint(a.stdout)
	board := newBoard(zone, a.address())
	events := make(chan func(), 1000)
	following := make(chan error, 1)
	go func() {
		following <- a.follow(ctx, board, events)
		close(events)
	}()
	screen := newScreen(a.stdout)
	ticker := time.NewTicker(screen.every)
	defer ticker.Stop()
	for {
		select {
		case event, ok := <-events:
			if !ok {
				screen.draw(board)
				return <-following
			}
			event()
		case <-ticker.C:
			board.engine = condition(engine.Snapshot())
			screen.draw(board)
		}
	}
}

// condition says what keeps the results from being up to date; nothing if they are.
func condition(s runner.Snapshot) string {
	if s.State != runner.Running {
		return s.State.String()
	}
	behind := int64(0)
	for _, task := range s.Tasks {
		for _, in := range task.Inputs {
			behind += in.Lag()
		}
	}
	if behind > 1000 {
		return fmt.Sprintf("%d records behind", behind)
	}
	return ""
}

// follow reads the derived topics from now on. What changes the board it hands over, because the board belongs to who shows it.
func (a *app) follow(ctx context.Context, board *board, events chan<- func()) error {
	r := newReader(a.client, a.options.as.prefix())
	read(r, tracking.Speeds, func(w speedKey, s fleet.Speed) { events <- func() { board.speed(w.Key, w.Start, s) } })
	read(r, tracking.Motions, func(w speedKey, s fleet.PositionSpeed) { events <- func() { board.motion(w.Key, w.Start, s) } })
	read(r, tracking.Deviations, func(_ string, d fleet.Deviation) { events <- func() { board.deviation(d) } })
	read(r, tracking.Delays, func(_ string, d fleet.Arrival) { events <- func() { board.arrival(d) } })
	read(r, tracking.Progress, func(_ string, p fleet.Progress) { events <- func() { board.progress(p) } })
	all, err := r.partitions(ctx)
	if err == nil {
		err = r.each(ctx, all, kafka.LatestStable, func(kafka.TopicPartition, int64) bool { return true })
	}
	if ctx.Err() != nil {
		return nil
	}
	return err
}
