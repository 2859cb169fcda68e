package topology

import (
	"errors"
	"fmt"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
)

// What a function of PartitionedBy may return instead of a partition.
const (
	NoPartition    = -1 // write the record to no partition: it is dropped and counted as "unrouted"
	EveryPartition = -2 // write the record to every partition
)

// NamedBy chooses the topic of each record that is written: name returns it. The topic declared here is only a name in
// the plan. The topics must exist; Rio does not create them. A record whose topic does not exist, or is an input of the
// application, fails in the produce stage.
func (t Topic[K, V]) NamedBy(name func(processor.Record[K, V]) string) Topic[K, V] {
	t.named = name
	t.options = t.options.withRoute(true, name == nil)
	return t
}

// PartitionedBy chooses the partition of each record that is written: partition gets the record and the number n of
// partitions, and returns 0 to n-1, NoPartition or EveryPartition. Any other number is an error of the produce stage.
// Default: the partition of the key, as in the Java clients. A topic that other applications join or aggregate by its
// key needs the default.
func (t Topic[K, V]) PartitionedBy(partition func(r processor.Record[K, V], n int) int) Topic[K, V] {
	t.partition = partition
	t.options = t.options.withRoute(false, partition == nil)
	return t
}

//go:noinline
func (o *topicOptions) withRoute(named, missing bool) *topicOptions {
	changed := o.get()
	if named {
		changed.named = true
	} else {
		changed.partitioned = true
	}
	changed.noRoute = changed.noRoute || missing
	return &changed
}

// useSink adds the topic of a sink. A topic that is chosen per record is not one of the plan's topics.
func useSink[K, V any](b *Builder, n *plan.Node, t Topic[K, V]) *plan.Topic {
	o := t.options.get()
	b.needs(n, !o.noRoute)
	switch {
	case o.named && o.partitioned:
		n.Chosen = "topic and partition"
	case o.named:
		n.Chosen = "topic"
	case o.partitioned:
		n.Chosen = "partition"
	}
	if !o.named || t.key == nil || t.value == nil {
		return use(b, n, t)
	}
	b.checkName(n.Where, "topic", t.name)
	if o.partitions != 0 {
		b.mistake(n.Where, "Partitions of %q has no effect: the topics of NamedBy must exist", t.name)
	}
	topic := describe(t)
	topic.PerRecord = true
	return topic
}

// routed returns the input of a sink whose topic chooses where each record is written.
func routed[K, V any](l *plan.Linker, n *plan.Node, topic *Topic[K, V], encode func(*processor.Record[K, V]) (key, value []byte, err error)) plan.Stream[K, V] {
	host := l.Host
	var current *processor.Record[K, V]
	var choose func(int) int
	if topic.partition != nil {
		choose = func(partitions int) int { return topic.partition(*current, partitions) }
	}
	return func(r *processor.Record[K, V]) error {
		l.Enter(n)
		key, value, err := encode(r)
		if err != nil {
			return host.SendFailed(n, err)
		}
		name := ""
		if topic.named != nil {
			name = topic.named(*r)
		}
		current = r
		return route(host, n, name, choose, plan.Raw{Key: key, Value: value, Timestamp: r.Timestamp, Headers: r.Headers})
	}
}

// route sends an encoded record to the topic name, or to that of the sink if it has only one, and to the partition that
// choose returns. If choose is nil, it is the partition of the key.
func route(host plan.Host, n *plan.Node, name string, choose func(partitions int) int, r plan.Raw) error {
	count, err := host.Partitions(n.Writes, name)
	var broken *plan.HostError
	switch {
	case errors.As(err, &broken):
		return err
	case err != nil:
		return host.SendFailed(n, err)
	case choose == nil:
		host.SendTo(n.Writes, name, plan.ByKey, r)
		return nil
	}
	switch p := choose(int(count)); {
	case p == NoPartition:
		host.Drop(n, plan.Unrouted)
	case p == EveryPartition:
		for i := range count {
			host.SendTo(n.Writes, name, i, r)
		}
	case p < 0 || p >= int(count):
		return host.SendFailed(n, fmt.Errorf("the function of PartitionedBy returned %d for a topic with %d partitions", p, count))
	default:
		host.SendTo(n.Writes, name, int32(p), r)
	}
	return nil
}
