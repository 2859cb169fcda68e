package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/examples/fleet-tracking/fleet"
	"github.com/rio-streams/rio/examples/fleet-tracking/tracking"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// What has been sent is noted as the offsets of a group, in the transaction that sends it: the number of positions, and which
// input they came from. So a second start goes on where the first ended, however that ended. A recording has a group of its own:
// a log takes one after the other, and none twice.
const inputGroup = "fleet-tracking-entrada"

var sentPositions = kafka.TopicPartition{Topic: tracking.Positions.Name()}

const (
	sendAtOnce = 1000                   // positions in a transaction
	sendEvery  = 200 * time.Millisecond // a transaction, when positions come slower
)

// inTransactions makes a sender write in transactions, which its method commit ends.
var inTransactions = kafka.ProducerConfig{TransactionalID: inputGroup}

// sender writes records.
type sender struct {
	client   *kafka.Client
	producer *kafka.Producer
	counts   map[string]int32 // partitions of each topic
	key      []byte
	value    []byte
}

func newSender(ctx context.Context, client *kafka.Client, cfg kafka.ProducerConfig) (*sender, error) {
	producer, err := client.NewProducer(ctx, cfg)
	if err != nil {
		return nil, err
	}
	return &sender{client: client, producer: producer, counts: map[string]int32{}}, nil
}

// sendRow writes a position, a record of a driver, or the text of a row that is neither: it is kept in the log like any other, for
// whoever reads positions to account for.
func (s *sender) sendRow(ctx context.Context, row incoming) error {
	if r := row.record; r != nil {
		return send(ctx, s, tracking.DeliveryRecords, r.ID, *r, r.Instant)
	}
	if row.Err == nil {
		return send(ctx, s, tracking.Positions, row.Vehicle, row.Position, row.Instant)
	}
	return s.producer.Send(tracking.Positions.Name(), 0, kafka.Record{Value: []byte(row.Text)})
}

func send[V any](ctx context.Context, s *sender, topic topology.Topic[string, V], key string, value V, at fleet.Instant) (err error) {
	n, ok := s.counts[topic.Name()]
	if !ok {
		if n, err = s.client.Partitions(ctx, topic.Name()); err != nil {
			return err
		}
		s.counts[topic.Name()] = n
	}
	if s.key, err = codec.String.Append(s.key[:0], key); err != nil {
		return err
	}
	if s.value, err = topic.ValueCodec().Append(s.value[:0], value); err != nil {
		return err
	}
	// A time that a log cannot have is kept in the value only: whoever reads that accounts for it.
	written := min(max(0, int64(at)), state.LatestTime)
	return s.producer.Send(topic.Name(), kafka.Partition(s.key, n), kafka.Record{Timestamp: written, Key: s.key, Value: s.value})
}

// commit ends a transaction and notes how far it came.
func (s *sender) commit(ctx context.Context, group string, note kafka.TopicPartition, sent int64, what string) error {
	offsets := map[kafka.TopicPartition]kafka.CommittedOffset{note: {Offset: sent, Metadata: what}}
	if err := s.producer.SendOffsets(ctx, kafka.GroupRef{Group: group}, offsets); err != nil {
		return err
	}
	return s.producer.Commit(ctx)
}

// sent is how far earlier starts came, and with which input.
func (a *app) sent(ctx context.Context, group string, note kafka.TopicPartition) (int64, string, error) {
	offsets, err := a.client.CommittedOffsets(ctx, group, []kafka.TopicPartition{note})
	if err != nil && !errors.Is(err, kafka.ErrUnknownGroup) {
		return 0, "", err
	}
	return offsets[note].Offset, offsets[note].Metadata, nil
}

// same refuses to go on with an input other than that of the earlier starts.
func (a *app) same(what, before, now string) error {
	if before == now {
		return nil
	}
	where := "the log"
	if a.options.data != "" {
		where = a.options.data
	}
	return fmt.Errorf("%s was made with another %s (%s; now %s): give the same input, or another -data", where, what, before, now)
}

// sendPositions writes the positions that earlier starts have not written, at their time if a speed is given. When ctx ends it
// stops without an error.
func (a *app) sendPositions(ctx context.Context, in *input) error {
	sent, before, err := a.sent(ctx, in.group, sentPositions)
	if err != nil {
		return err
	}
	if sent > 0 {
		what := "simulation"
		if a.options.recorded() {
			what = "order of this recording"
		}
		if err := a.same(what, before, in.name); err != nil {
			return err
		}
	}
	for range sent {
		if _, err := in.next(); err != nil {
			return err
		}
	}
	always := context.WithoutCancel(ctx)
	s, err := newSender(always, a.client, inTransactions)
	if err != nil {
		return err
	}
	defer s.producer.Close()

	pace := pace{speed: a.options.speed}
	open := 0
	began := time.Now()
	commit := func() error {
		open, began = 0, time.Now()
		return s.commit(always, in.group, sentPositions, sent, in.name)
	}
	for ctx.Err() == nil {
		row, err := in.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		wait := time.Duration(0)
		if row.Err == nil && row.Fault() == "" { // the others say nothing of the time, or a wrong one
			wait = pace.until(in.due(row.Position), time.Now())
		}
		if open > 0 && (open == sendAtOnce || wait > sendEvery || time.Since(began) > sendEvery) {
			if err := commit(); err != nil {
				return err
			}
		}
		if !sleep(ctx, wait) {
			break
		}
		if err := s.sendRow(always, row); err != nil {
			return err
		}
		open++
		sent++
	}
	if open == 0 {
		return nil
	}
	return commit()
}

// pace says how long to wait until a position is due. The first is due at once; speed 0 waits for none.
type pace struct {
	speed float64
	first fleet.Instant
	start time.Time
}

func (p *pace) until(due fleet.Instant, now time.Time) time.Duration {
	if p.speed == 0 {
		return 0
	}
	if p.start.IsZero() {
		p.first, p.start = due, now
	}
	after := time.Duration(due.Since(p.first) / p.speed * float64(time.Second))
	return p.start.Add(after).Sub(now)
}

// sleep reports whether the whole time has passed before ctx ended.
func sleep(ctx context.Context, d time.Duration) bool {
	if d <= 0 {
		return true
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}
