package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/rio-streams/rio/examples/fleet-tracking/conduct"
	"github.com/rio-streams/rio/examples/fleet-tracking/drivers"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/logistics"
	"github.com/rio-streams/rio/examples/fleet-tracking/report"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/topology"
)

// reader reads topics and hands their records, decoded, to who wants them.
type reader struct {
	client *kafka.Client
	prefix string // of the topics' names
	takes  map[string]func(kafka.Record) error
	ends   map[kafka.TopicPartition]int64 // where reading ends; nil: nowhere
}

func newReader(client *kafka.Client, prefix string) *reader {
	return &reader{client: client, prefix: prefix, takes: map[string]func(kafka.Record) error{}}
}

// read declares who takes the records of a topic.
func read[K, V any](r *reader, topic topology.Topic[K, V], take func(K, V)) {
	name := r.prefix + topic.Name()
	r.takes[name] = func(record kafka.Record) error {
		key, err := topic.KeyCodec().Decode(record.Key)
		if err != nil {
			return fmt.Errorf("%s at %d: key: %w", name, record.Offset, err)
		}
		value, err := topic.ValueCodec().Decode(record.Value)
		if err != nil {
			return fmt.Errorf("%s at %d: value: %w", name, record.Offset, err)
		}
		take(key, value)
		return nil
	}
}

// readLatest declares that the latest value of each key of a topic is wanted. A key that was deleted has none.
func readLatest[K comparable, V any](r *reader, topic topology.Topic[K, V], latest map[K]V) {
	read(r, topic, func(key K, value V) { latest[key] = value })
	name := r.prefix + topic.Name()
	put := r.takes[name]
	r.takes[name] = func(record kafka.Record) error {
		if record.Value != nil {
			return put(record)
		}
		key, err := topic.KeyCodec().Decode(record.Key)
		if err != nil {
			return fmt.Errorf("%s at %d: key: %w", name, record.Offset, err)
		}
		delete(latest, key)
		return nil
	}
}

// partitions are those of all declared topics.
func (r *reader) partitions(ctx context.Context) ([]kafka.TopicPartition, error) {
	var all []kafka.TopicPartition
	for name := range r.takes {
		n, err := r.client.Partitions(ctx, name)
		if err != nil {
			return nil, err
		}
		for p := range n {
			all = append(all, kafka.TopicPartition{Topic: name, Partition: p})
		}
	}
	return all, nil
}

// toEnd reads the topics from some place to where they end now. That is the high watermark: what was committed a
// moment ago may not be visible yet, and reading to there waits for it.
func (r *reader) toEnd(ctx context.Context, from kafka.At) error {
	all, err := r.partitions(ctx)
	if err != nil {
		return err
	}
	ends, err := r.client.Offsets(ctx, all, kafka.Latest)
	if err != nil {
		return err
	}
	return r.upTo(ctx, all, from, ends)
}

// upTo reads partitions from some place up to given offsets, and no record further.
func (r *reader) upTo(ctx context.Context, all []kafka.TopicPartition, from kafka.At, ends map[kafka.TopicPartition]int64) error {
	r.ends = ends
	left := map[kafka.TopicPartition]bool{}
	for _, tp := range all {
		left[tp] = true
	}
	return r.each(ctx, all, from, func(tp kafka.TopicPartition, next int64) bool {
		if next >= ends[tp] {
			delete(left, tp)
		}
		return len(left) > 0
	})
}

// each reads partitions from some place on. After each portion it asks whether to go on.
func (r *reader) each(ctx context.Context, all []kafka.TopicPartition, from kafka.At, more func(tp kafka.TopicPartition, next int64) bool) error {
	starts, err := r.client.Offsets(ctx, all, from)
	if err != nil {
		return err
	}
	fetcher := r.client.NewFetcher(kafka.FetcherConfig{})
	defer fetcher.Close()
	goOn := false
	for _, tp := range all {
		fetcher.Add(tp, starts[tp])
		goOn = more(tp, starts[tp])
	}
	for goOn {
		fetched, err := fetcher.Poll(ctx)
		if err != nil {
			return err
		}
		for _, f := range fetched {
			if f.Err != nil {
				return f.Err
			}
			tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
			for _, record := range f.Records {
				if end, ok := r.ends[tp]; ok && record.Offset >= end {
					break
				}
				if err := r.takes[f.Topic](record); err != nil {
					return err
				}
			}
			goOn = more(tp, f.Next)
		}
	}
	return nil
}

// readResults gathers all that the derived topics hold that have a prefix.
func readResults(ctx context.Context, client *kafka.Client, prefix string) (report.Report, error) {
	var results report.Report
	r := newReader(client, prefix)
	read(r, tracking.Speeds, func(w speedKey, s fleet.Speed) { results.AddSpeed(w.Key, fleet.InstantOf(w.Start), s) })
	read(r, tracking.Motions, func(w speedKey, s fleet.PositionSpeed) { results.AddMotion(w.Key, fleet.InstantOf(w.Start), s) })
	read(r, tracking.Accounts, func(vehicle string, a fleet.Account) { results.AddAccount(vehicle, a) })
	read(r, tracking.Deviations, func(_ string, d fleet.Deviation) { results.AddDeviation(d) })
	read(r, tracking.Delays, func(_ string, a fleet.Arrival) { results.AddArrival(a) })
	read(r, tracking.Visits, func(_ string, v fleet.Visit) { results.AddVisit(v) })
	read(r, tracking.Unused, func(_ string, u fleet.Unused) { results.AddUnused(u) })
	read(r, tracking.Legs, func(_ string, l fleet.Leg) { results.AddLeg(l) })
	read(r, tracking.Forecasts, func(_ string, f fleet.ForecastRecord) { results.AddForecast(f) })
	read(r, logistics.Timetables, func(_ string, t fleet.CorrectedTrip) { results.AddCorrectedTrip(t) })
	days := map[string]conduct.Day{}
	readLatest(r, drivers.Days, days) // a driver may have been erased
	err := r.toEnd(ctx, kafka.Earliest)
	for _, day := range days {
		results.AddDay(day)
	}
	return results, err
}

// unreadable counts what the topology has read of the topic of positions that is none, whatever its policy for such records was. They
// are not in topic contas, because they do not reach the topology.
func (a *app) unreadable(ctx context.Context, v version) (count int64, err error) {
	application, topic := cmp.Or(v.application(""), a.topology.Name()), tracking.Positions.Name()
	if v == replayCopy && !a.options.span.whole() {
		topic = replayedPositions
	}
	r := newReader(a.client, "")
	r.takes[topic] = func(record kafka.Record) error {
		if tracking.CheckPosition(record.Key, record.Value) != nil {
			count++
		}
		return nil
	}
	all, err := r.partitions(ctx)
	if err != nil {
		return 0, err
	}
	committed, err := a.client.CommittedOffsets(ctx, application, all)
	if errors.Is(err, kafka.ErrUnknownGroup) { // it has read nothing
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	ends := map[kafka.TopicPartition]int64{} // others may go on writing
	for _, tp := range all {
		ends[tp] = committed[tp].Offset
	}
	return count, r.upTo(ctx, all, kafka.Earliest, ends)
}
