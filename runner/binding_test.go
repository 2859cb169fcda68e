package runner_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/runner"
	"github.com/rio-streams/rio/topology"
)

// byKey counts the records of each key without a repartition: there is one store and one input.
func (c *cluster) byKey() *topology.Topology {
	b := topology.NewBuilder(c.app)
	topology.Count(topology.From(b, c.lines), "n").To(c.counts)
	return c.build(b)
}

func (c *cluster) changelog() string { return c.app + "-n-changelog" }

// results returns the counts that byKey has written, in order.
func (c *cluster) results() []int64 {
	var counts []int64
	for _, r := range c.read(c.counts.Name()) {
		n, err := codec.Int64.Decode(r.Value)
		if err != nil {
			c.t.Fatal(err)
		}
		counts = append(counts, n)
	}
	return counts
}

func (c *cluster) wantResults(want ...int64) {
	c.t.Helper()
	if got := c.results(); !slices.Equal(got, want) {
		c.t.Fatalf("counts %v, want %v", got, want)
	}
}

// sendKey writes a record of one key.
func (c *cluster) sendKey(topic string, values ...string) {
	c.t.Helper()
	for _, value := range values {
		c.send(topic, 1, value) // send numbers its keys from 0
	}
}

func (c *cluster) run(cfg runner.Config, t *topology.Topology) error {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), time.Minute)
	defer cancel()
	return runner.Run(ctx, t, cfg)
}

func (c *cluster) mustRun(cfg runner.Config, t *topology.Topology) {
	c.t.Helper()
	if err := c.run(cfg, t); err != nil {
		c.t.Fatal(err)
	}
}

func wantErr(t *testing.T, err, want error, texts ...string) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Fatalf("error %v, want %v", err, want)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			t.Errorf("error %q does not say %q", err, text)
		}
	}
}

// One directory can be used with several clusters in turn. Each has its own state.
//
// Proves: state-belongs-to-its-cluster
func TestEachClusterHasItsState(t *testing.T) {
	long(t)
	a := newCluster(t)
	b, err := broker.Start(broker.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	other := joinCluster(t, b.Addr(), a.app)
	cfg := a.config()
	onB := cfg
	onB.Brokers = []string{b.Addr()}
	for _, c := range []*cluster{a, other} {
		c.create(c.lines.Name(), 1)
	}

	a.sendKey(a.lines.Name(), "x", "x", "x")
	a.mustRun(cfg, a.byKey())
	other.sendKey(a.lines.Name(), "x")
	other.mustRun(onB, other.byKey())
	other.wantResults(1)
	a.sendKey(a.lines.Name(), "x")
	a.mustRun(cfg, a.byKey())
	a.wantResults(1, 2, 3, 4)
	other.sendKey(a.lines.Name(), "x", "x")
	other.mustRun(onB, other.byKey())
	other.wantResults(1, 2, 3)
}

// If a changelog was deleted, the local state is the only copy. It is kept, and the error says what to do. After Rebuild the
// counts continue.
//
// Proves: only-copy-is-kept, new-machine-restores-all
func TestDeletedChangelog(t *testing.T) {
	long(t)
	for name, how := range map[string]func(*cluster){
		"deleted": func(c *cluster) {},
		"made again by hand": func(c *cluster) {
			c.create(c.changelog(), 1)
			c.leave(c.changelog(), (*kafka.Producer).Commit)
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCluster(t)
			c.create(c.lines.Name(), 1)
			cfg := c.config()
			c.sendKey(c.lines.Name(), "x", "x", "x")
			c.mustRun(cfg, c.byKey())
			if err := c.client.DeleteTopics(t.Context(), c.changelog()); err != nil {
				t.Fatal(err)
			}
			how(c)
			c.sendKey(c.lines.Name(), "x")

			for range 2 { // the first run must not have deleted anything
				wantErr(t, c.run(cfg, c.byKey()), runner.ErrStateLost, c.changelog(), "only copy", "runner.Rebuild", cfg.Dir, "reset")
			}
			elsewhere := cfg
			elsewhere.Dir = t.TempDir()
			wantErr(t, c.run(elsewhere, c.byKey()), runner.ErrStateLost, c.changelog(), "runner.Rebuild", "reset")
			c.wantResults(1, 2, 3)

			for range 2 { // the second time there is nothing to do
				if err := runner.Rebuild(t.Context(), c.byKey(), cfg); err != nil {
					t.Fatal(err)
				}
			}
			c.mustRun(cfg, c.byKey())
			c.wantResults(1, 2, 3, 4)
			c.sendKey(c.lines.Name(), "x")
			c.mustRun(elsewhere, c.byKey()) // the changelog is complete again
			c.wantResults(1, 2, 3, 4, 5)
		})
	}
}

// If a changelog is deleted while the application is running, the run ends and the local state is kept.
//
// Proves: only-copy-is-kept
func TestChangelogDeletedWhileItRuns(t *testing.T) {
	long(t)
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	cfg := c.config()
	forever := cfg
	forever.StopAtEnd = false
	done := make(chan error, 1)
	top := c.byKey()
	go func() { done <- runner.Run(ctx, top, forever) }()
	c.sendKey(c.lines.Name(), "x", "x")
	c.await(ctx, func() bool { return len(c.results()) == 2 })
	if err := c.client.DeleteTopics(ctx, c.changelog()); err != nil {
		t.Fatal(err)
	}
	c.sendKey(c.lines.Name(), "x")
	wantErr(t, <-done, runner.ErrStateLost, c.changelog(), "runner.Rebuild")
	if err := runner.Rebuild(ctx, c.byKey(), cfg); err != nil {
		t.Fatal(err)
	}
	c.mustRun(cfg, c.byKey())
	c.wantResults(1, 2, 3)
}

// Rebuild from a state that is older than the committed offsets resets the offsets: the results in between are written
// twice, and none is lost.
func TestRebuildFromAnOlderState(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	cfg := c.config()
	c.sendKey(c.lines.Name(), "x", "x")
	c.mustRun(cfg, c.byKey())
	elsewhere := cfg
	elsewhere.Dir = t.TempDir()
	c.sendKey(c.lines.Name(), "x")
	c.mustRun(elsewhere, c.byKey())
	if err := c.client.DeleteTopics(t.Context(), c.changelog()); err != nil {
		t.Fatal(err)
	}
	if err := runner.Rebuild(t.Context(), c.byKey(), cfg); err != nil {
		t.Fatal(err)
	}
	c.sendKey(c.lines.Name(), "x")
	c.mustRun(cfg, c.byKey())
	c.wantResults(1, 2, 3, 3, 4)
}

// After a reset, another machine does not use the state that it still has.
func TestResetVoidsTheStateOfOtherMachines(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	cfg, elsewhere := c.config(), c.config()
	elsewhere.Dir = t.TempDir()
	c.sendKey(c.lines.Name(), "x", "x")
	c.mustRun(elsewhere, c.byKey())
	if err := runner.Reset(t.Context(), c.byKey(), cfg, kafka.Earliest); err != nil {
		t.Fatal(err)
	}
	c.mustRun(elsewhere, c.byKey())
	c.wantResults(1, 2, 1, 2)
}

// Offsets of a deleted topic are not used for a new topic of the same name.
//
// Proves: state-belongs-to-its-topics
func TestInputThatWasMadeAgain(t *testing.T) {
	long(t)
	again := func(c *cluster) {
		if err := c.client.DeleteTopics(c.t.Context(), c.lines.Name()); err != nil {
			c.t.Fatal(err)
		}
		c.create(c.lines.Name(), 1)
		c.sendKey(c.lines.Name(), "y", "y", "y", "y", "y", "y")
	}
	t.Run("while it is stopped", func(t *testing.T) {
		c := newCluster(t)
		c.create(c.lines.Name(), 1)
		cfg := c.config()
		c.sendKey(c.lines.Name(), "x", "x", "x")
		c.mustRun(cfg, c.byKey())
		again(c)
		if err := c.run(cfg, c.byKey()); err != nil {
			wantErr(t, err, runner.ErrTopicsChanged, c.lines.Name(), "reset")
			return
		}
		// Apache Kafka deletes the offsets of deleted topics. Then the new topic is read from its beginning.
		c.wantResults(1, 2, 3, 4, 5, 6, 7, 8, 9)
	})
	t.Run("while it runs", func(t *testing.T) {
		c := newCluster(t)
		c.create(c.lines.Name(), 1)
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		cfg := c.config()
		cfg.StopAtEnd = false
		done := make(chan error, 1)
		top := c.byKey()
		go func() { done <- runner.Run(ctx, top, cfg) }()
		c.sendKey(c.lines.Name(), "x", "x", "x")
		c.await(ctx, func() bool { return len(c.results()) == 3 })
		again(c)
		wantErr(t, <-done, runner.ErrTopicsChanged, c.lines.Name(), "reset")
	})
}

// The formats of stores are also checked on a machine without local state. A Go type may be renamed.
//
// Proves: store-format-is-checked
func TestFormatsAreCheckedOnANewMachine(t *testing.T) {
	t.Parallel()
	type total struct{ N int64 }
	type sum struct{ N int64 }
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	inJSON := func(add func(*topology.Stream[string, string])) *topology.Topology {
		b := topology.NewBuilder(c.app)
		add(topology.From(b, c.lines))
		return c.build(b)
	}
	totals := inJSON(func(s *topology.Stream[string, string]) {
		topology.Aggregate(s, "n", func(t total, _ string) total { return total{t.N + 1} }).To(topology.NewTopic(c.counts.Name(), codec.String, codec.JSON[total]()))
	})
	sums := inJSON(func(s *topology.Stream[string, string]) {
		topology.Aggregate(s, "n", func(t sum, _ string) sum { return sum{t.N + 1} }).To(topology.NewTopic(c.counts.Name(), codec.String, codec.JSON[sum]()))
	})
	floats := inJSON(func(s *topology.Stream[string, string]) {
		topology.Aggregate(s, "n", func(f float64, _ string) float64 { return f + 1 })
	})
	cfg := c.config()
	c.sendKey(c.lines.Name(), "x", "x")
	c.mustRun(cfg, totals)
	c.sendKey(c.lines.Name(), "x")
	c.mustRun(cfg, sums)
	if got := c.read(c.counts.Name()); string(got[len(got)-1].Value) != `{"N":3}` {
		t.Fatalf("the last result is %s, want that the count continues", got[len(got)-1].Value)
	}
	for _, dir := range []string{cfg.Dir, t.TempDir()} {
		cfg.Dir = dir
		wantErr(t, c.run(cfg, floats), runner.ErrIncompatibleState, `"n"`, "json", "float64", "another Config.Application")
	}
}

// State of an earlier version, which had no directory per cluster, is migrated if it belongs to the cluster.
func TestStateOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	c.create(c.lines.Name(), 1)
	cfg := c.config()
	c.sendKey(c.lines.Name(), "x", "x")
	c.mustRun(cfg, c.byKey())

	application := filepath.Join(cfg.Dir, "state", c.app)
	clusters, err := filepath.Glob(filepath.Join(application, "cluster-*"))
	if err != nil || len(clusters) != 1 {
		t.Fatalf("state of %v, %v; want of one cluster", clusters, err)
	}
	place := filepath.Join(clusters[0], "0")
	old := filepath.Join(application, "0")
	if err := os.Rename(place, old); err != nil {
		t.Fatal(err)
	}
	c.sendKey(c.lines.Name(), "x")
	c.mustRun(cfg, c.byKey())
	c.wantResults(1, 2, 3)
	if _, err := os.Stat(old); !os.IsNotExist(err) {
		t.Errorf("the old place is still there: %v", err)
	}

	// It is not moved on a cluster on which the application has never run.
	if err := os.Rename(place, old); err != nil {
		t.Fatal(err)
	}
	b, err := broker.Start(broker.Config{DataDir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { b.Close() })
	other := joinCluster(t, b.Addr(), c.app)
	other.create(c.lines.Name(), 1)
	other.sendKey(c.lines.Name(), "x")
	onB := cfg
	onB.Brokers = []string{b.Addr()}
	other.mustRun(onB, other.byKey())
	other.wantResults(1)
	if _, err := os.Stat(old); err != nil {
		t.Errorf("the old place is gone: %v", err)
	}
}

// Latest applies to streams only, and only to partitions that existed when the application first ran.
func TestLatest(t *testing.T) {
	long(t)
	t.Run("tables are whole", func(t *testing.T) {
		c := newCluster(t)
		customers := topology.NewTopic(c.app+".customers", codec.String, codec.String)
		c.create(c.lines.Name(), 1)
		c.create(customers.Name(), 1)
		c.sendKey(customers.Name(), "Ana")
		c.sendKey(c.lines.Name(), "old order")
		b := topology.NewBuilder(c.app)
		out := topology.NewTopic(c.counts.Name(), codec.String, codec.String)
		topology.Join(topology.From(b, c.lines), topology.TableFrom(b, customers), func(o, c string) string { return o + " of " + c }).To(out)
		top := c.build(b)
		cfg := c.config()
		cfg.Latest = true
		c.mustRun(cfg, top)
		c.sendKey(c.lines.Name(), "new order")
		c.mustRun(cfg, top)
		if got := c.read(out.Name()); len(got) != 1 || string(got[0].Value) != "new order of Ana" {
			t.Errorf("results %v, want the new order with its customer", got)
		}
	})
	t.Run("each topic has its own start", func(t *testing.T) {
		c := newCluster(t)
		in := func(name string) topology.Topic[string, string] {
			topic := topology.NewTopic(c.app+"."+name, codec.String, codec.String)
			c.create(topic.Name(), 1)
			c.sendAt(topic.Name(), time.Now().Add(-2*time.Hour), name+" long ago")
			c.sendAt(topic.Name(), time.Now().Add(-time.Minute), name+" just now")
			return topic
		}
		b := topology.NewBuilder(c.app)
		topology.From(b, in("all").StartAt(topology.Earliest())).Merge(
			topology.From(b, in("none")), // as the configuration says
			topology.From(b, in("new").StartAt(topology.Latest())),
			topology.From(b, in("hour").StartAt(topology.Ago(time.Hour))),
			topology.From(b, in("day").StartAt(topology.Since(time.Now().Add(-24*time.Hour)))),
		).To(topology.NewTopic(c.counts.Name(), codec.String, codec.String))
		cfg := c.config()
		cfg.Latest = true
		c.mustRun(cfg, c.build(b))
		var got []string
		for _, r := range c.read(c.counts.Name()) {
			got = append(got, string(r.Value))
		}
		slices.Sort(got)
		if want := []string{"all just now", "all long ago", "day just now", "day long ago", "hour just now"}; !slices.Equal(got, want) {
			t.Errorf("read %q, want %q", got, want)
		}
	})
	t.Run("new partitions begin at their first record", func(t *testing.T) {
		c := newCluster(t)
		c.create(c.lines.Name(), 3)
		b := topology.NewBuilder(c.app)
		topology.From(b, c.lines).To(topology.NewTopic(c.counts.Name(), codec.String, codec.String))
		top := c.build(b)
		cfg := c.config()
		cfg.Latest = true
		// The application ran when there was one partition, and has not run since.
		offsets := map[kafka.TopicPartition]kafka.CommittedOffset{{Topic: c.lines.Name()}: {Metadata: "rio:2:-1 @first=1"}}
		if err := c.client.CommitOffsets(t.Context(), kafka.GroupRef{Group: c.app, Generation: -1}, offsets); err != nil {
			t.Fatal(err)
		}
		c.send(c.lines.Name(), 3, "a", "b", "c")
		c.mustRun(cfg, top)
		if got := c.read(c.counts.Name()); len(got) != 3 {
			t.Errorf("%d results, want 3: a, b and c", len(got))
		}
	})
}

// Damaged files of the database do not end the run: the state is restored from the changelog.
//
// Proves: damaged-state-is-restored
func TestDamagedStateIsRestored(t *testing.T) {
	long(t)
	for _, files := range []string{"MANIFEST-*", "*.sst"} {
		t.Run(files, func(t *testing.T) {
			c := newCluster(t)
			c.create(c.lines.Name(), 1)
			cfg := c.config()
			cfg.StopAtEnd = true
			want := []int64{}
			for run := range int64(5) {
				c.sendKey(c.lines.Name(), "x")
				c.mustRun(cfg, c.byKey())
				if want = append(want, run+1); run == 2 {
					damage(t, c, cfg, files)
				}
			}
			c.wantResults(want...)
			if aside, err := filepath.Glob(filepath.Join(cfg.Dir, "state", c.app, "*", "0", "n-0.damaged")); err != nil || len(aside) != 1 {
				t.Errorf("damaged directories: %v, %v", aside, err)
			}
		})
	}
}

// damage overwrites a part of the given files of the task's database.
func damage(t *testing.T, c *cluster, cfg runner.Config, files string) {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(cfg.Dir, "state", c.app, "*", "0", "n-0", files))
	if err != nil || len(names) == 0 {
		t.Fatalf("no %s: %v", files, err)
	}
	for _, name := range names {
		f, err := os.OpenFile(name, os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := f.WriteAt([]byte("damaged!damaged!"), 4); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
}
