package topologytest

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/processor"
)

// log holds the committed records of all topics, and the order in which they were committed.
type log struct {
	partitions map[string][]plan.Raw
	arrived    []Output
	keyless    int // number of records without a key, which are distributed round-robin
}

// Output is a committed record of any topic, including internal ones and changelogs.
type Output struct {
	Topic     string
	Partition int32
	plan.Raw
}

func newLog() *log { return &log{partitions: map[string][]plan.Raw{}} }

func key(topic string, partition int32) string { return fmt.Sprintf("%s/%d", topic, partition) }

// append adds a record and returns its offset.
func (l *log) append(out task.Out) int64 {
	k := key(out.Topic, out.Partition)
	raw := plan.Raw{Offset: int64(len(l.partitions[k])), Timestamp: out.Timestamp, Key: clone(out.Key), Value: clone(out.Value), Headers: out.Headers}
	l.partitions[k] = append(l.partitions[k], raw)
	l.arrived = append(l.arrived, Output{out.Topic, out.Partition, raw})
	return raw.Offset
}

func (l *log) end(topic string, partition int32) int64 {
	return int64(len(l.partitions[key(topic, partition)]))
}

func (l *log) read(topic string, partition int32, from, to int64) []plan.Raw {
	return slices.Clone(l.partitions[key(topic, partition)][from:to])
}

func clone(b []byte) []byte {
	if b == nil {
		return nil
	}
	return append([]byte{}, bytes.Clone(b)...)
}

func cloneHeaders(headers []processor.Header) []processor.Header {
	var copies []processor.Header
	for _, h := range headers {
		copies = append(copies, processor.Header{Key: h.Key, Value: clone(h.Value)})
	}
	return copies
}
