package topologytest

import (
	"encoding/binary"
	"fmt"
	"time"

	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// Step runs a custom step of topology.Process or ProcessKV alone, in a unit test. Its records are Go values of any type: they
// are not encoded. The step has everything that it has in a topology: stores, outputs, timers, counters.
type Step[K, V, L, W any] struct {
	driver *Driver
	in     topology.Topic[K, V]
	out    topology.Topic[L, W]
	taken  int // results that Take has returned
}

// NewStep starts a step. uses are its stores and outputs; tables cannot be attached, because they belong to a topology. An
// error of the step is returned by the call that has caused it. Close it in the end.
func NewStep[K, V, L, W any](start func(*processor.Context[L, W]) processor.Handler[K, V], uses ...topology.Attachment) (*Step[K, V, L, W], error) {
	s := &Step[K, V, L, W]{
		in:  topology.NewTopic("in", new(boxes[K]), new(boxes[V])),
		out: topology.NewTopic("out", new(boxes[L]), new(boxes[W])),
	}
	b := topology.NewBuilder("step")
	topology.ProcessKV(topology.From(b, s.in), "step", start, uses...).To(s.out)
	t, err := b.Build()
	if err != nil {
		return nil, err
	}
	s.driver, err = New(t, Config{})
	return s, err
}

// Handle passes records to the step. A record without a timestamp has the time of the simulated clock.
func (s *Step[K, V, L, W]) Handle(records ...processor.Record[K, V]) error {
	for i := range records {
		if records[i].Timestamp == 0 {
			records[i].Timestamp = millis(s.driver.clock)
		}
	}
	return Send(s.driver, s.in, records...)
}

// Take returns what the step has emitted since the last call.
func (s *Step[K, V, L, W]) Take() ([]processor.Record[L, W], error) {
	all, err := Read(s.driver, s.out)
	if err != nil {
		return nil, err
	}
	news := all[s.taken:]
	s.taken = len(all)
	return news, nil
}

// Advance advances the wall clock, and fires timers.
func (s *Step[K, V, L, W]) Advance(by time.Duration) error { return s.driver.Advance(by) }

// Restart ends the step and starts it again; its stores are restored.
func (s *Step[K, V, L, W]) Restart() error { return s.driver.Restart() }

// Close ends the step.
func (s *Step[K, V, L, W]) Close() error { return s.driver.Close() }

// boxes is a codec that keeps the values and encodes their numbers.
type boxes[T any] struct{ values []T }

// Append appends the number of v.
func (b *boxes[T]) Append(dst []byte, v T) ([]byte, error) {
	b.values = append(b.values, v)
	return binary.BigEndian.AppendUint64(dst, uint64(len(b.values)-1)), nil
}

// Decode returns the value with a number.
func (b *boxes[T]) Decode(data []byte) (v T, err error) {
	if len(data) != 8 {
		return v, fmt.Errorf("topologytest: a value of %d bytes that the step did not emit", len(data))
	}
	return b.values[binary.BigEndian.Uint64(data)], nil
}

// String returns "any".
func (b *boxes[T]) String() string { return "any" }
