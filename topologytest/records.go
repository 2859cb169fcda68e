package topologytest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/topology"
)

// Send writes records to a topic, each to the partition of its key, and lets the topology process them.
func Send[K, V any](d *Driver, topic topology.Topic[K, V], records ...processor.Record[K, V]) error {
	for _, r := range records {
		var key, value []byte
		var err error
		if !r.NoKey {
			if key, err = topic.KeyCodec().Append([]byte{}, r.Key); err != nil {
				return err
			}
		}
		if !r.Tombstone {
			if value, err = topic.ValueCodec().Append([]byte{}, r.Value); err != nil {
				return err
			}
		}
		if err := d.write(topic.Name(), key, value, r.Timestamp, r.Headers); err != nil {
			return err
		}
	}
	return d.run()
}

// Read returns all committed records of a topic, in the order in which they were committed.
func Read[K, V any](d *Driver, topic topology.Topic[K, V]) ([]processor.Record[K, V], error) {
	var records []processor.Record[K, V]
	for _, o := range d.log.arrived {
		if o.Topic != topic.Name() {
			continue
		}
		r := processor.Record[K, V]{Timestamp: o.Timestamp, Headers: o.Headers, NoKey: o.Key == nil, Tombstone: o.Value == nil}
		var err error
		if !r.NoKey {
			if r.Key, err = topic.KeyCodec().Decode(o.Key); err != nil {
				return nil, err
			}
		}
		if !r.Tombstone {
			if r.Value, err = topic.ValueCodec().Decode(o.Value); err != nil {
				return nil, err
			}
		}
		records = append(records, r)
	}
	return records, nil
}

// Outputs returns everything committed so far, including changelogs and repartition topics.
func (d *Driver) Outputs() []Output { return d.log.arrived }

// write appends an encoded record to a topic that the topology reads.
func (d *Driver) write(topic string, key, value []byte, timestamp int64, headers []processor.Header) error {
	t, ok := d.plan.Topics[topic]
	if !ok {
		return fmt.Errorf("topologytest: the topology has no topic %q; it has %s", topic, strings.Join(slices.Sorted(maps.Keys(d.plan.Topics)), ", "))
	}
	n := d.counts[topic]
	partition := int32(d.log.keyless) % n
	if key != nil {
		partition = t.Partition(key, n)
	} else {
		d.log.keyless++
	}
	d.log.append(task.Out{Topic: topic, Partition: partition, Key: key, Value: value, Timestamp: timestamp, Headers: headers})
	return nil
}

// millis returns the timestamp of a time.
func millis(t time.Time) int64 { return t.UnixMilli() }
