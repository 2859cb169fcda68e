package main

import (
	"context"
	"errors"
	"math"
	"strconv"
	"time"

	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
)

// span is a part of the time that positions were taken in: from inclusive, to exclusive. The zero value is all of it.
type span struct {
	from, to time.Time // zero: the beginning, and the end
	margins  margins
}

// margins are how much more than the span is read, because results inside it hang on positions outside.
//
// Before: a forecast uses the legs of the latest seven days, and a run whose first fix is in these seven days may have begun a day
// earlier; nothing else that tracking keeps is older, since a run ends a day after its last fix. After: a run may reach and leave
// the stop it is on the way to later than the span, within a day for the same reason.
type margins struct{ before, after time.Duration }

var safe = margins{before: fleet.HistoryKept + 24*time.Hour, after: 24 * time.Hour}

func (s span) whole() bool { return s.from.IsZero() && s.to.IsZero() }

// bounds are the first moment of the span and the first after it.
func (s span) bounds() (from, to fleet.Instant) {
	to = math.MaxInt64
	if !s.from.IsZero() {
		from = fleet.InstantOf(s.from)
	}
	if !s.to.IsZero() {
		to = fleet.InstantOf(s.to)
	}
	return from, to
}

// read are the bounds of the positions that the span needs.
func (s span) read() (from, to fleet.Instant) {
	wide := s
	if !s.from.IsZero() {
		wide.from = s.from.Add(-s.margins.before)
	}
	if !s.to.IsZero() {
		wide.to = s.to.Add(s.margins.after)
	}
	return wide.bounds()
}

// timeFlag returns how a flag sets an end of a span.
func timeFlag(end *time.Time) func(string) error {
	return func(text string) (err error) {
		if *end, err = time.Parse(time.RFC3339, text); err != nil {
			return errors.New("want a time with its zone, such as 2026-01-16T08:00:00-03:00")
		}
		return nil
	}
}

// copySpan writes the positions that the span needs to a topic for the replay. Those of a vehicle stay in the order of the log, and a record
// keeps its time, which is that of its position.
func (a *app) copySpan(ctx context.Context, s span, name string) error {
	n, err := a.client.Partitions(ctx, tracking.Positions.Name())
	if err != nil {
		return err
	}
	spec := kafka.TopicSpec{Name: name, Partitions: n, Config: map[string]string{
		"retention.ms": "-1", "message.timestamp.after.max.ms": strconv.Itoa(math.MaxInt64),
	}}
	if err := a.client.CreateTopics(ctx, spec); err != nil {
		return err
	}
	producer, err := a.client.NewProducer(ctx, kafka.ProducerConfig{})
	if err != nil {
		return err
	}
	defer producer.Close()

	from, to := s.read()
	copied := 0
	r := newReader(a.client, "")
	r.takes[tracking.Positions.Name()] = func(record kafka.Record) error {
		if at := fleet.Instant(record.Timestamp); at < from || at >= to {
			return nil
		}
		partition := int32(0)
		if record.Key != nil {
			partition = kafka.Partition(record.Key, n)
		}
		if copied++; copied%copiedAtOnce == 0 {
			if err := producer.Flush(ctx); err != nil {
				return err
			}
		}
		return producer.Send(name, partition, record)
	}
	if err := r.toEnd(ctx, kafka.Since(from.Time())); err != nil {
		return err
	}
	return producer.Flush(ctx)
}

// copiedAtOnce is how many positions wait for the broker at most.
const copiedAtOnce = 10_000
