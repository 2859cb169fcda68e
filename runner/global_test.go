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

// TestGlobalTable runs two processes. Both see all rows before their first record, and the updates and deletions that
// come while they run. After a restart the table continues on disk; after a truncation of its topic it is restored.
func TestGlobalTable(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than a second")
	}
	const partitions = 4
	c := newCluster(t)
	countries := topology.NewTopic(c.app+".countries", codec.String, codec.String)
	out := topology.NewTopic(c.app+".out", codec.String, codec.String)
	for _, topic := range []string{c.lines.Name(), countries.Name(), out.Name()} {
		c.create(topic, partitions)
	}
	b := topology.NewBuilder(c.app)
	table := topology.GlobalTableFrom(b, countries)
	byCountry := func(v string) string { return v[:2] }
	topology.LeftJoinGlobal(topology.From(b, c.lines), table, byCountry, func(v, country string, ok bool) string {
		if !ok {
			country = "none"
		}
		return v + "+" + country
	}).To(out)
	top := c.build(b)

	country := func(key string, value []byte) {
		c.sendRecord(countries.Name(), int32(key[0])%partitions, kafka.Record{Timestamp: 1, Key: []byte(key), Value: value})
	}
	n := 0
	// seen sends a record to each partition, until the results of all are as wanted.
	seen := func(key, want string) {
		t.Helper()
		var got []string
		for end := time.Now().Add(20 * time.Second); time.Now().Before(end); {
			n++
			var lines []string
			for range partitions {
				lines = append(lines, fmt.Sprint(key, n))
			}
			c.send(c.lines.Name(), partitions, lines...)
			got = c.globalResults(out.Name(), partitions, fmt.Sprint(key, n), partitions)
			if !slices.ContainsFunc(got, func(v string) bool { return v != fmt.Sprintf("%s%d+%s", key, n, want) }) {
				return
			}
		}
		t.Fatalf("%v, want %s", got, want)
	}
	dirs := []string{t.TempDir(), t.TempDir()}
	run := func() (stop func()) {
		var apps []*runner.App
		for _, dir := range dirs {
			app, err := runner.Start(t.Context(), top, runner.Config{Brokers: []string{c.addr}, Dir: dir, CommitInterval: 20 * time.Millisecond})
			if err != nil {
				t.Fatal(err)
			}
			apps = append(apps, app)
		}
		shared := func() bool { // each process has half of the tasks
			return !slices.ContainsFunc(apps, func(app *runner.App) bool { return len(app.Snapshot().Tasks) != partitions/2 })
		}
		for end := time.Now().Add(20 * time.Second); !shared(); {
			if time.Now().After(end) {
				t.Fatal("one of the processes has no tasks")
			}
			seen("XX", "none")
		}
		return func() {
			for _, app := range apps {
				app.Stop()
			}
			for _, app := range apps {
				if err := app.Wait(); err != nil {
					t.Error(err)
				}
			}
		}
	}

	country("BR", []byte("Brasil"))
	country("PT", []byte("Portugal"))
	stop := run()
	seen("BR", "Brasil")
	seen("PT", "Portugal")
	country("PT", nil)
	country("BR", []byte("Brazil"))
	seen("PT", "none")
	seen("BR", "Brazil")
	stop()

	// The deletion of BR is lost with the beginning of the topic: only a table that is restored from there notices.
	before := map[kafka.TopicPartition]int64{}
	country("AR", []byte("Argentina"))
	country("BR", nil)
	country("BR", nil)
	for p := range int32(partitions) {
		tp := kafka.TopicPartition{Topic: countries.Name(), Partition: p}
		ends, err := c.client.Offsets(t.Context(), []kafka.TopicPartition{tp}, kafka.Latest)
		if err != nil {
			t.Fatal(err)
		}
		if p == int32('B')%partitions {
			before[tp] = ends[tp]
		}
	}
	if err := c.client.DeleteRecords(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	defer run()()
	seen("BR", "none")
	seen("AR", "Argentina")
}

// sendRecord writes a record.
func (c *cluster) sendRecord(topic string, partition int32, r kafka.Record) {
	c.t.Helper()
	p, err := c.client.NewProducer(c.t.Context(), kafka.ProducerConfig{})
	if err != nil {
		c.t.Fatal(err)
	}
	defer p.Close()
	if err := p.Send(topic, partition, r); err != nil {
		c.t.Fatal(err)
	}
	if err := p.Flush(c.t.Context()); err != nil {
		c.t.Fatal(err)
	}
}

// globalResults waits for n records of a topic whose values begin with a prefix and "+".
func (c *cluster) globalResults(topic string, partitions int32, prefix string, n int) []string {
	c.t.Helper()
	f := c.client.NewFetcher(kafka.FetcherConfig{MaxWait: 10 * time.Millisecond})
	defer f.Close()
	for p := range partitions {
		f.Add(kafka.TopicPartition{Topic: topic, Partition: p}, 0)
	}
	ctx, cancel := context.WithTimeout(c.t.Context(), 20*time.Second)
	defer cancel()
	var values []string
	for len(values) < n {
		fetched, err := f.Poll(ctx)
		if err != nil {
			c.t.Fatalf("%d of %d results for %s: %v", len(values), n, prefix, err)
		}
		for _, x := range fetched {
			for _, r := range x.Records {
				if v := string(r.Value); len(v) > len(prefix) && v[:len(prefix)+1] == prefix+"+" {
					values = append(values, v)
				}
			}
		}
	}
	return values
}
