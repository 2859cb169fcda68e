package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"time"
)

// load is the amount of work of a trial.
type load struct {
	small, large int // records with values of 120 bytes and of 1 KiB
	warmUp       int
	duration     time.Duration // of sending single records, and of transactions
	rate         int           // single records per second
	topics       int           // for the start-up with many partitions; 0 leaves that out
}

// quickLoad is the load of a short run. It omits the start-up with many partitions, because a Kafka that was killed takes more
// than ten seconds to start.
var quickLoad = load{small: 200_000, large: 40_000, warmUp: 20_000, duration: time.Second, rate: 200}

const (
	smallValue = 120
	largeValue = 1 << 10
	partitions = 6 // partitions of the topics that are read and written

	topicPartitions  = 10 // of each of the many topics
	recordsInEachOne = 10
)

// trial is one run of one contestant.
type trial struct {
	load
	server        server
	partitionsLed int // number of partitions that the server has so far
	running       bool
	figures       figures
	took          effort       // sum over all batches, to report the load of other programs
	report        func(figure) // called with each figure as soon as it is measured
}

// try runs all steps of a trial for one contestant, in an empty directory that it removes afterwards.
func try(ctx context.Context, c contestant, s settings, dir string, report func(figure)) (figures, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	t := &trial{load: s.load, report: report}
	steps := t.withRecords(c.serve(s, dir+"/records"))
	if t.topics > 0 {
		steps = append(steps, t.withPartitions(c.serve(s, dir+"/partitions"))...)
	}
	for _, step := range steps {
		if err := step(ctx); err != nil {
			return nil, errors.Join(err, t.abandon())
		}
	}
	t.say("other programs meanwhile", "processors", t.took.others.Seconds()/t.took.wall.Seconds())
	return t.figures, nil
}

type step func(context.Context) error

// withRecords returns the steps of writing and reading. The broker is killed after the writes and restarted before the first
// reads.
func (t *trial) withRecords(s server) []step {
	return []step{
		t.on(s),
		t.start("start-up, empty"),
		t.memory("idle after start"),
		t.warm,
		t.write,
		t.single,
		t.transact,
		t.memory("after the load"),
		t.peak,
		t.kill,
		t.start("start-up with the records, after kill -9"),
		t.stop,
		t.start("start-up with the records, after a clean stop"),
		t.read,
		t.stop,
	}
}

// withPartitions returns the steps of a start-up with many topics.
func (t *trial) withPartitions(s server) []step {
	many := fmt.Sprintf("with %d partitions", t.topics*topicPartitions)
	return []step{
		t.on(s),
		t.start(""),
		t.manyPartitions,
		t.kill,
		t.start("start-up " + many + ", after kill -9"),
		t.stop,
		t.start("start-up " + many + ", after a clean stop"),
		t.memory("idle " + many),
		t.stop,
	}
}

// on makes the next steps use another server.
func (t *trial) on(s server) step {
	return func(context.Context) error {
		t.server, t.partitionsLed = s, 0
		return nil
	}
}

// start starts the server. If name is "", the time is not reported.
func (t *trial) start(name string) step {
	return func(ctx context.Context) error {
		took, err := t.server.start(ctx, t.partitionsLed)
		if err != nil {
			return err
		}
		t.running = true
		if name != "" {
			t.say(name, "ms", milliseconds(took))
		}
		return nil
	}
}

func (t *trial) stop(context.Context) error {
	t.running = false
	return t.server.stop()
}

func (t *trial) kill(context.Context) error {
	t.running = false
	return t.server.kill()
}

func (t *trial) abandon() error {
	if !t.running {
		return nil
	}
	return t.server.kill()
}

func (t *trial) target() target {
	pid := t.server.pid()
	return target{addr: t.server.addr(), cpu: func() (time.Duration, error) { return cpuOf(pid) }}
}

func (t *trial) createTopics(ctx context.Context, partitions int, names ...string) error {
	t.partitionsLed += partitions * len(names)
	return t.target().createTopics(ctx, partitions, names...)
}

// warm runs the measured operations once before the measurement, so that the JVM compiles the hot code.
func (t *trial) warm(ctx context.Context) error {
	const topic = "warm-up"
	if err := t.createTopics(ctx, partitions, topic, topic+"-transactions"); err != nil {
		return err
	}
	b := t.target()
	if _, err := b.produce(ctx, topic, t.warmUp, smallValue); err != nil {
		return err
	}
	if _, err := b.fetch(ctx, topic, t.warmUp); err != nil {
		return err
	}
	_, err := b.transact(ctx, topic+"-transactions", t.duration/4)
	return err
}

// batch is a topic that is written and read as fast as possible.
type batch struct {
	topic string
	name  string
	n     int
	size  int
}

func (t *trial) batches() []batch {
	return []batch{
		{topic: "small", name: "120 B", n: t.small, size: smallValue},
		{topic: "large", name: "1 KiB", n: t.large, size: largeValue},
	}
}

func (t *trial) write(ctx context.Context) error {
	for _, b := range t.batches() {
		if err := t.createTopics(ctx, partitions, b.topic); err != nil {
			return err
		}
		took, err := t.target().produce(ctx, b.topic, b.n, b.size)
		if err != nil {
			return err
		}
		t.sayEffort("produce "+b.name, b, took)
	}
	return nil
}

// read reads everything twice. Even at the first time the files are in the operating system's cache, so only the broker is
// cold.
func (t *trial) read(ctx context.Context) error {
	for _, when := range []string{"first after restart", "again"} {
		for _, b := range t.batches() {
			took, err := t.target().fetch(ctx, b.topic, b.n)
			if err != nil {
				return err
			}
			t.sayEffort(fmt.Sprintf("fetch %s, %s", b.name, when), b, took)
		}
	}
	return nil
}

func (t *trial) single(ctx context.Context) error {
	const topic = "single"
	if err := t.createTopics(ctx, partitions, topic); err != nil {
		return err
	}
	l, err := t.target().single(ctx, topic, t.rate, t.duration)
	if err != nil {
		return err
	}
	t.sayDurations(fmt.Sprintf("acknowledged at %d/s", t.rate), l.acknowledged)
	t.sayDurations(fmt.Sprintf("delivered at %d/s", t.rate), l.delivered)
	return nil
}

func (t *trial) transact(ctx context.Context) error {
	const topic = "transactions"
	if err := t.createTopics(ctx, partitions, topic); err != nil {
		return err
	}
	done, err := t.target().transact(ctx, topic, t.duration)
	if err != nil {
		return err
	}
	n := float64(len(done.commits))
	t.say("transactions", "transactions/s", n/done.took.wall.Seconds())
	t.say("transactions, broker CPU", "µs/transaction", float64(done.took.broker.Microseconds())/n)
	t.sayDurations("transaction", done.whole)
	t.sayDurations("its commit", done.commits)
	return nil
}

func (t *trial) manyPartitions(ctx context.Context) error {
	names := make([]string, t.topics)
	for i := range names {
		names[i] = fmt.Sprintf("topic-%03d", i)
	}
	if err := t.createTopics(ctx, topicPartitions, names...); err != nil {
		return err
	}
	return t.target().produceEach(ctx, names, topicPartitions, recordsInEachOne)
}

func (t *trial) memory(when string) step {
	return func(context.Context) error {
		m, err := memoryOf(t.server.pid())
		if err != nil {
			return err
		}
		t.say("memory, "+when, "MiB", float64(m.now)/(1<<20))
		return nil
	}
}

// peak reports the server's peak memory since its start.
func (t *trial) peak(context.Context) error {
	m, err := memoryOf(t.server.pid())
	if err != nil {
		return err
	}
	t.say("memory, peak until then", "MiB", float64(m.most)/(1<<20))
	return nil
}

func (t *trial) say(name, unit string, value float64) {
	f := figure{name: name, unit: unit, value: value}
	t.figures = append(t.figures, f)
	t.report(f)
}

func (t *trial) sayEffort(name string, b batch, took effort) {
	t.took.wall += took.wall
	t.took.others += took.others
	n := float64(b.n)
	t.say(name, "MB/s", n*float64(b.size)/1e6/took.wall.Seconds())
	t.say(name, "records/s", n/took.wall.Seconds())
	t.say(name+", broker CPU", "ns/record", float64(took.broker.Nanoseconds())/n)
	t.say(name+", client CPU", "ns/record", float64(took.client.Nanoseconds())/n)
}

func (t *trial) sayDurations(name string, took []time.Duration) {
	slices.Sort(took)
	t.say(name+", p50", "ms", milliseconds(took[len(took)/2]))
	t.say(name+", p99", "ms", milliseconds(took[len(took)*99/100]))
}

func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1e3 }
