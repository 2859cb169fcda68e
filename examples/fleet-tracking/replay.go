package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// The replay runs beside what is there: as another application, into topics of its own, with fresh state.
const (
	replayedPositions = string(replayCopy) + "-localizacao-veiculos" // a part of them
	replaySilence     = 6 * time.Second                              // after which a replay that was killed is taken for gone; Kafka's least by default
)

// replay computes everything in the log again, or a span of it.
func (a *app) replay(ctx context.Context) error {
	if err := a.forgetReplay(ctx); err != nil { // one that was stopped
		return err
	}
	cfg := a.engine(replayCopy)
	cfg.Dir, cfg.StopAtEnd, cfg.SessionTimeout = a.scratch, true, replaySilence
	if s := a.options.span; !s.whole() {
		if err := a.copySpan(ctx, s, replayedPositions); err != nil {
			return err
		}
		cfg.InputNames = map[string]string{tracking.Positions.Name(): replayedPositions}
	}
	if err := a.finish(ctx, a.topology, cfg); err != nil {
		return err
	}
	if err := a.finishConsumers(ctx, replayCopy); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return errors.New("the replay was stopped before its end")
	}
	if err := a.tell(ctx, replayCopy); err != nil {
		return err
	}
	return a.forgetReplay(ctx)
}

// forgetReplay deletes the offsets and topics of a replay; the offsets first, because that fails while another one runs.
func (a *app) forgetReplay(ctx context.Context) error {
	groups := []string{replayCopy.application("")}
	for _, c := range consumers(drivers.Config{}) {
		groups = append(groups, replayCopy.application(c.name))
	}
	for _, group := range groups {
		if err := a.forgetReplayGroup(ctx, group); err != nil {
			return err
		}
	}
	topics, err := a.client.Topics(ctx)
	if err != nil {
		return err
	}
	var names []string
	for _, t := range topics {
		if isOfReplay(t.Name) {
			names = append(names, t.Name)
		}
	}
	return a.client.DeleteTopics(ctx, names...)
}

// isOfReplay tells its results and internal topics from what else a cluster holds.
func isOfReplay(topic string) bool {
	name, ok := strings.CutPrefix(topic, replayCopy.prefix())
	results := tracking.ResultTopics()
	for _, c := range consumers(drivers.Config{}) {
		results = append(results, c.results...)
	}
	return ok && slices.Contains(results, name) || topic == replayedPositions || strings.HasPrefix(topic, replayCopy.application("")+"-")
}

// forgetReplayGroup waits for the end of a replay that was killed, which cannot be told at once from one that runs.
func (a *app) forgetReplayGroup(ctx context.Context, group string) error {
	deadline := time.Now().Add(2 * replaySilence)
	for tries := 0; ; tries++ {
		err := a.client.DeleteGroup(ctx, group)
		switch {
		case err == nil || errors.Is(err, kafka.ErrUnknownGroup):
			return nil
		case !errors.Is(err, kafka.ErrGroupNotEmpty):
			return err
		case time.Now().After(deadline):
			return fmt.Errorf("another replay is running: let it end first (%w)", err)
		}
		if tries == 0 {
			a.logger.Warn("another replay is running, or was killed a moment ago; waiting for its end", "at most", 2*replaySilence)
		}
		sleep(ctx, 100*time.Millisecond)
	}
}
