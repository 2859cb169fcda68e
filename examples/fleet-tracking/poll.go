package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/realtime"
)

const (
	answerLimit = 30 * time.Second // for a server to send its whole message
	tellEvery   = time.Minute      // at most, that a feed fails, or works again
	quietFor    = 10 * time.Minute // without a new position, after which a feed is said to be quiet
)

// isAddress reports whether -positions names a server instead of a file.
func isAddress(positions string) bool {
	u, err := url.Parse(positions)
	return err == nil && u.Host != "" && (strings.EqualFold(u.Scheme, "http") || strings.EqualFold(u.Scheme, "https"))
}

// poll asks a server for vehicle positions until ctx ends, and writes what is new to localizacao-veiculos.
func (a *app) poll(ctx context.Context) error {
	always := context.WithoutCancel(ctx) // what has begun to be written is written
	w := &writer{client: a.client}
	defer w.close()
	p := poller{
		feed:   realtime.NewFeed(a.options.positions, &http.Client{Timeout: answerLimit}),
		every:  a.options.every,
		write:  func(positions []fleet.Position) error { return w.write(always, positions) },
		logger: a.logger,
	}
	fmt.Fprintf(a.stdout, "Positions of %s every %v\n", p.feed.Name(), p.every)
	p.run(ctx)
	return nil
}

// poller writes what a feed has, and tells when it fails.
type poller struct {
	feed   *realtime.Feed
	every  time.Duration
	write  func([]fleet.Position) error
	logger *slog.Logger

	failures int       // in a row
	fresh    time.Time // when there was a new position; at first, when the feed was first asked

	told    time.Time // when the log last had a message about the feed
	failing bool      // what it said
	asked   int       // since then
	failed  int       // of those
	last    error     // of the last of those
}

// run asks the feed until ctx ends.
func (p *poller) run(ctx context.Context) {
	p.fresh = time.Now()
	for {
		err := p.once(ctx)
		if ctx.Err() != nil {
			return
		}
		p.tell(err)
		wait := p.every
		if err != nil {
			p.failures++
			wait = realtime.Backoff(p.every, p.failures, err)
		} else {
			p.failures = 0
		}
		if !sleep(ctx, wait) {
			return
		}
	}
}

// once asks the feed once. What could not be written is new at the next time, too.
func (p *poller) once(ctx context.Context) error {
	now := time.Now()
	positions, err := p.feed.Fetch(ctx, now)
	if err != nil {
		return err
	}
	if len(positions) > 0 {
		if err := p.write(positions); err != nil {
			return fmt.Errorf("%s: positions are not written, and will be asked for again: %w", p.feed.Name(), err)
		}
		p.fresh = now
	}
	p.feed.Done(positions, now)
	return nil
}

// tell logs that the feed fails, that it works again, or that it has nothing new, not more often than each minute.
func (p *poller) tell(err error) {
	now := time.Now()
	quiet := now.Sub(p.fresh)
	if p.asked++; err != nil {
		p.failed++
		p.last = err
	}
	switch {
	case !p.told.IsZero() && now.Sub(p.told) < tellEvery:
		return
	case err == nil && p.failing:
		p.logger.Warn("vehicle positions can be read again", "feed", p.feed.Name())
	case p.failed > 0:
		p.logger.Warn("cannot read vehicle positions; trying again", "error", p.last, "failed", p.failed, "of", p.asked)
	case quiet >= quietFor && now.Sub(p.told) >= quietFor:
		p.logger.Warn("the feed of vehicle positions answers, but has nothing new", "feed", p.feed.Name(), "since", quiet.Round(time.Second))
	default:
		return
	}
	p.told, p.failing, p.asked, p.failed = now, err != nil, 0, 0
}

// receive takes positions from all sources that the command line names, until ctx ends.
func (a *app) receive(ctx context.Context) error {
	var sources []func(context.Context) error
	if a.options.http != "" {
		sources = append(sources, func(ctx context.Context) error { return a.serve(ctx, a.options.http) })
	}
	if a.options.positions != "" {
		sources = append(sources, a.poll)
	}
	if len(sources) == 0 {
		<-ctx.Done()
		return nil
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	ended := make(chan error)
	for _, source := range sources {
		go func() { ended <- source(ctx) }()
	}
	var errs []error
	for range sources {
		errs = append(errs, <-ended)
		cancel() // one that has failed ends the others
	}
	return errors.Join(errs...)
}
