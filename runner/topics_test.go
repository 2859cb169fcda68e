package runner_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// hours counts the records of a topic by value, and by value and hour.
func (c *cluster) hours(counts string) (*topology.Topology, func() []string) {
	key := codec.Windowed(codec.String).Size(time.Hour)
	b := topology.NewBuilder(c.app)
	byValue := topology.KeyBy(topology.From(b, c.lines), "by-value", func(value string) string { return value })
	hours := topology.Window(byValue, topology.Tumbling(time.Hour).Grace(24*time.Hour))
	topology.Count(hours, "hours").To(topology.NewTopic(counts, codec.Codec[codec.WindowKey[string]](key), codec.Int64))
	return c.build(b), func() (rows []string) {
		for _, r := range c.read(counts) {
			k, errKey := key.Decode(r.Key)
			n, errValue := codec.Int64.Decode(r.Value)
			if errKey != nil || errValue != nil {
				c.t.Fatal(errKey, errValue)
			}
			rows = append(rows, fmt.Sprintf("%s %s=%d", k.Key, k.Start.UTC().Format("15h"), n))
		}
		slices.Sort(rows)
		return rows
	}
}

func (c *cluster) createWith(topic string, settings map[string]string) {
	c.t.Helper()
	if err := c.client.CreateTopics(c.t.Context(), kafka.TopicSpec{Name: topic, Partitions: 1, Config: settings}); err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) sendAt(topic string, at time.Time, values ...string) {
	c.t.Helper()
	p, err := c.client.NewProducer(c.t.Context(), kafka.ProducerConfig{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer p.Close()
	for _, value := range values {
		if err := p.Send(topic, 0, kafka.Record{Timestamp: at.UnixMilli(), Value: []byte(value)}); err != nil {
			c.t.Fatal(err)
		}
	}
	if err := p.Flush(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// Results keep event times of last week and of later today, although the internal topics were created with settings (here by
// hand, elsewhere by the cluster's defaults) that replace or reject such times. Nothing is deleted by the wall clock.
func TestInternalTopicsKeepEventTimes(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	counts := c.app + ".hours"
	own := map[string]string{"message.timestamp.after.max.ms": "9223372036854775807"}
	c.createWith(c.lines.Name(), own)
	c.createWith(counts, own)
	for topic, settings := range map[string]map[string]string{
		c.app + "-by-value-repartition": {"message.timestamp.type": "LogAppendTime"},
		c.app + "-hours-changelog":      {"message.timestamp.type": "LogAppendTime", "cleanup.policy": "compact,delete", "retention.ms": "1000"},
	} {
		c.createWith(topic, settings)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	last := time.Now().AddDate(0, 0, -7).UTC().Truncate(24 * time.Hour)
	cfg := c.config()
	for run := range 2 {
		hours, rows := c.hours(counts)
		c.sendAt(c.lines.Name(), last.Add(10*time.Hour), "ana", "ana")
		c.sendAt(c.lines.Name(), last.Add(13*time.Hour), "ana")
		if err := runner.Run(ctx, hours, cfg); err != nil {
			t.Fatal(err)
		}
		cfg.Dir = t.TempDir() // a new machine: the windows come from the changelog
		want := []string{"ana 10h=1", "ana 10h=2", "ana 13h=1"}
		if run == 1 {
			want = []string{"ana 10h=1", "ana 10h=2", "ana 10h=3", "ana 10h=4", "ana 13h=1", "ana 13h=2"}
		}
		if got := rows(); !slices.Equal(got, want) {
			t.Fatalf("run %d: %v, want %v", run, got, want)
		}
	}
	config, err := c.client.TopicConfigs(ctx, c.app+"-by-value-repartition", c.app+"-hours-changelog")
	if err != nil {
		t.Fatal(err)
	}
	for topic, settings := range config {
		if settings["message.timestamp.type"] != "CreateTime" || settings["retention.ms"] != "-1" {
			t.Errorf("%s is set to %v", topic, settings)
		}
	}
}

// An event time hours or centuries ahead does not end the run: the cluster's limits do not apply to internal topics.
func TestInternalTopicsTakeTimesAhead(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	counts := c.app + ".hours"
	own := map[string]string{"message.timestamp.after.max.ms": "9223372036854775807"}
	c.createWith(c.lines.Name(), own)
	c.createWith(counts, own)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()

	c.sendAt(c.lines.Name(), time.Now().Add(5*time.Hour), "ana")
	c.sendAt(c.lines.Name(), time.Date(2200, 1, 1, 0, 0, 0, 0, time.UTC), "ana")
	hours, rows := c.hours(counts)
	if err := runner.Run(ctx, hours, c.config()); err != nil {
		t.Fatal(err)
	}
	if got := rows(); len(got) != 2 {
		t.Errorf("results %v, want 2", got)
	}
}
