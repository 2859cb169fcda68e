package topologytest_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/rio-streams/rio/codec"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/pebblestore"
	"github.com/rio-streams/rio/topology"
	"github.com/rio-streams/rio/topologytest"
)

// The topology has every kind of operator: a repartition, windows, joins, an aggregate, a merge, and a step with two
// stores and a timer. Its events come from one partition, so that the order in the repartition topic is fixed.
var (
	events  = topology.NewTopic("events", codec.String, codec.String).Partitions(1)
	prices  = topology.NewTopic("prices", codec.String, codec.String)
	waiting = state.NewKeyValue("waiting", codec.String, codec.String)
	handled = state.NewKeyValue("handled", codec.String, codec.Int64)
)

func oneOfEverything(t *rapid.T) *topology.Topology {
	b := topology.NewBuilder("everything")

	byUser := topology.KeyBy(topology.From(b, events), "by-user", user)
	windows := topology.Window(byUser, topology.Hopping(20*time.Millisecond, 10*time.Millisecond).Grace(15*time.Millisecond))
	topology.Aggregate(windows, "sums", plus).To(windowed("sums", 20*time.Millisecond))
	topology.Count(byUser, "counts").To(counts)

	priced := topology.LeftJoin(byUser, topology.TableFrom(b, prices), func(event, price string, ok bool) string {
		return event + "@" + price
	})
	digests := topology.Process(priced, "digest", digest, waiting, handled)
	digests.To(texts("digests"))
	priced.Merge(digests).To(texts("merged"))
	near := topology.Within(10 * time.Millisecond).After(0).Grace(5 * time.Millisecond)
	topology.OuterJoinStreams(byUser, digests, "near", near, func(event string, hasEvent bool, d string, hasDigest bool) string {
		return orNone(event, hasEvent) + " beside " + orNone(d, hasDigest)
	}).To(texts("near"))

	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}
	return top
}

func user(event string) string { return event[:1] }

// digest collects the values of a user and emits them every 25 ms of stream time. It fails at "x", after it has changed
// its stores.
func digest(c *processor.Context[string, string]) processor.Handler[string, string] {
	waiting, handled := waiting.In(c), handled.In(c)
	c.Schedule(25*time.Millisecond, processor.StreamTime, func(now time.Time) error {
		for row, err := range waiting.All() {
			if err != nil {
				return err
			}
			n, _, err := handled.Get(row.Key)
			if err != nil {
				return err
			}
			if err := c.Emit(row.Key, fmt.Sprintf("%d: %s", n, row.Value)); err != nil {
				return err
			}
			if err := waiting.Delete(row.Key, now.UnixMilli()); err != nil {
				return err
			}
		}
		return nil
	})
	return func(r processor.Record[string, string]) error {
		if _, err := waiting.Update(r.Key, r.Timestamp, func(old string, _ bool) string { return old + r.Value + ";" }); err != nil {
			return err
		}
		if _, err := handled.Update(r.Key, r.Timestamp, func(n int64, _ bool) int64 { return n + 1 }); err != nil {
			return err
		}
		if strings.Contains(r.Value, "x") {
			return errors.New("no x, please")
		}
		return nil
	}
}

// phase is a list of records for one topic, which are processed completely before the next phase. So the order between
// phases is fixed.
type phase struct {
	prices  bool
	records []processor.Record[string, string]
}

func phases(t *rapid.T) []phase {
	now := int64(0)
	record := rapid.Custom(func(t *rapid.T) processor.Record[string, string] {
		now += rapid.Int64Range(0, 8).Draw(t, "later")
		r := processor.Record[string, string]{
			Key:       rapid.SampledFrom([]string{"a", "b", "c", "d"}).Draw(t, "key"),
			Value:     rapid.StringMatching(`[abcd][0-9x]`).Draw(t, "value"),
			Timestamp: max(now-rapid.SampledFrom([]int64{0, 0, 0, 5, 30}).Draw(t, "late"), 0),
			NoKey:     rapid.IntRange(0, 9).Draw(t, "no key") == 0,
			Tombstone: rapid.IntRange(0, 9).Draw(t, "tombstone") == 0,
		}
		if rapid.Bool().Draw(t, "headers") {
			r.Headers = []processor.Header{{Key: "h", Value: []byte(r.Value)}}
		}
		return r
	})
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) phase {
		return phase{rapid.IntRange(0, 3).Draw(t, "prices") == 0, rapid.SliceOfN(record, 1, 30).Draw(t, "records")}
	}), 1, 5).Draw(t, "phases")
}

// conditions are run conditions that must not affect the results.
type conditions struct {
	cfg    topologytest.Config
	pebble bool
	pieces []int // how many records are sent at a time, and what happens after them
	event  []int
}

func (c conditions) String() string {
	return fmt.Sprintf("batch %d, commit every %d, pebble %v, pieces %v, events %v", c.cfg.Batch, c.cfg.CommitEvery, c.pebble, c.pieces, c.event)
}

func drawConditions(t *rapid.T) conditions {
	var c conditions
	c.cfg.Batch = rapid.IntRange(0, 5).Draw(t, "batch")
	c.cfg.CommitEvery = rapid.IntRange(0, 12).Draw(t, "commit every")
	if budget := rapid.SampledFrom([]int64{-1, 0, 300, 1 << 20}).Draw(t, "cache"); budget >= 0 {
		c.cfg.State.Budget = state.NewBudget(budget)
	}
	c.pebble = rapid.IntRange(0, 9).Draw(t, "pebble") == 0
	c.pieces = rapid.SliceOfN(rapid.IntRange(1, 10), 1, 8).Draw(t, "pieces")
	c.event = rapid.SliceOfN(rapid.IntRange(0, 4), 1, 8).Draw(t, "what happens")
	return c
}

// start starts a topology with a configuration, on pebble if the conditions say so. Call stop in the end.
func (c conditions) start(t *rapid.T, top *topology.Topology, cfg topologytest.Config) (d *topologytest.Driver, stop func()) {
	t.Helper()
	dir := ""
	if c.pebble && !testing.Short() {
		var err error
		if dir, err = os.MkdirTemp("", "conditions-"); err != nil {
			t.Fatal(err)
		}
		opened := 0
		cfg.OpenState = func(task string) (state.DB, error) {
			opened++
			return pebblestore.Open(filepath.Join(dir, fmt.Sprint(task, "-", opened)), pebblestore.Config{})
		}
	}
	d, err := topologytest.New(top, cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d, func() {
		err := d.Close()
		if dir != "" {
			err = errors.Join(err, os.RemoveAll(dir))
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// after does what happens after a step.
func (c conditions) after(t *rapid.T, d *topologytest.Driver, step int) {
	t.Helper()
	if len(c.event) == 0 {
		return
	}
	var err error
	switch c.event[step%len(c.event)] {
	case 1:
		err = d.Crash()
	case 2:
		err = d.Restart()
	case 3:
		err = d.Commit()
	}
	if err != nil {
		t.Fatal(err)
	}
}

// results contains all records of the topics, by partition, and the final contents of the stores.
type results map[string][]string

// run sends the phases under the given conditions.
func (c conditions) run(t *rapid.T, partitions int, phases []phase) results {
	cfg := c.cfg
	cfg.Partitions = partitions
	cfg.Policies.Process.Action = processor.Skip
	d, stop := c.start(t, oneOfEverything(t), cfg)
	defer stop()
	must := func(err error) {
		if err != nil {
			t.Fatal(err)
		}
	}
	step := 0
	for _, phase := range phases {
		for records := phase.records; len(records) > 0; step++ {
			n := len(records)
			if len(c.pieces) > 0 {
				n = min(n, c.pieces[step%len(c.pieces)])
			}
			if phase.prices {
				must(topologytest.Send(d, prices, records[:n]...))
			} else {
				must(topologytest.Send(d, events, records[:n]...))
			}
			records = records[n:]
			c.after(t, d, step)
		}
		must(d.Commit())
	}
	return gather(d)
}

func gather(d *topologytest.Driver) results {
	all := results{}
	rows := map[string]map[string]string{}
	for _, o := range d.Outputs() {
		where := fmt.Sprintf("%s/%d", o.Topic, o.Partition)
		what := fmt.Sprintf("@%d %q=%q %v", o.Timestamp, o.Key, o.Value, o.Headers)
		if !strings.HasSuffix(o.Topic, "-changelog") {
			all[where] = append(all[where], what)
			continue
		}
		if rows[where] == nil {
			rows[where] = map[string]string{}
		}
		rows[where][string(o.Key)] = what
		if o.Value == nil {
			delete(rows[where], string(o.Key))
		}
	}
	for where, content := range rows {
		for _, row := range content {
			all[where] = append(all[where], row)
		}
		slices.Sort(all[where])
	}
	return all
}

// TestDeterminism: the same input gives the same output, byte for byte, under all conditions.
//
// Proves: same-input-same-output, cache-changes-no-reads
func TestDeterminism(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		partitions := rapid.SampledFrom([]int{1, 3}).Draw(t, "partitions")
		phases := phases(t)
		want := conditions{}.run(t, partitions, phases)
		c := drawConditions(t)
		if diff := cmp.Diff(want, c.run(t, partitions, phases)); diff != "" {
			t.Errorf("with %s the results differ (-plain +these):\n%s", c, diff)
		}
	})
}

// TestTablesDoNotDependOnPartitions: tables are equal with 1 and 7 partitions, under all conditions.
func TestTablesDoNotDependOnPartitions(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		phases := phases(t)
		want := conditions{}.tables(t, 1, phases)
		c := drawConditions(t)
		if diff := cmp.Diff(want, c.tables(t, 7, phases)); diff != "" {
			t.Errorf("with 7 partitions and %s the tables differ (-1 +7):\n%s", c, diff)
		}
	})
}

// tables returns the final contents of the tables whose aggregates do not depend on the order of records.
func (c conditions) tables(t *rapid.T, partitions int, phases []phase) map[string]string {
	b := topology.NewBuilder("tables")
	all := topology.From(b, texts("events"))
	topology.Count(all, "by-key").To(counts)
	byUser := topology.KeyBy(all, "by-user", user)
	topology.Count(byUser, "by-user")
	windows := topology.Window(byUser, topology.Tumbling(20*time.Millisecond).Grace(time.Hour))
	topology.Reduce(windows, "largest", func(a, b string) string { return max(a, b) }).To(windowed("largest", 20*time.Millisecond))
	top, err := b.Build()
	if err != nil {
		t.Fatal(err)
	}

	cfg := c.cfg
	cfg.Partitions = partitions
	d, err := topologytest.New(top, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	for i, phase := range phases {
		if err := topologytest.Send(d, texts("events"), phase.records...); err != nil {
			t.Fatal(err)
		}
		if len(c.event) > 0 && c.event[i%len(c.event)] == 1 {
			if err := d.Crash(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := d.Commit(); err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, o := range d.Outputs() {
		if o.Topic != "events" && !strings.HasSuffix(o.Topic, "-repartition") {
			rows[fmt.Sprintf("%s %q", o.Topic, o.Key)] = fmt.Sprintf("%q @%d", o.Value, o.Timestamp)
		}
	}
	return rows
}
