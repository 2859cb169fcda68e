package runner

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/rio-streams/rio/internal/global"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/pebblestore"
)

// globals are the global tables of the process. They are filled before the process joins the group. Then a goroutine,
// which owns all fields but shared, follows their topics. It is no member of the group: its positions are in the
// database.
type globals struct {
	r       *runner
	dir     string
	db      state.DB
	tables  *global.Tables
	shared  *state.Shared // for the tasks
	fetcher *kafka.Fetcher
	next    map[kafka.TopicPartition]int64 // the next offsets to apply
	ends    map[kafka.TopicPartition]int64 // where the topics ended when the tables were opened
	cancel  context.CancelFunc
	done    chan struct{}
}

// openGlobals fills the global tables to the ends of their topics.
func (r *runner) openGlobals(ctx context.Context) error {
	if len(r.plan.Globals) == 0 {
		return nil
	}
	g := &globals{r: r, dir: filepath.Join(r.place.dir, "global"), done: make(chan struct{})}
	err := g.open(ctx)
	if errors.Is(err, errStale) || errors.Is(err, state.ErrDamaged) || errors.Is(err, state.ErrFormat) {
		r.log.Warn("the global tables on disk are not those of their topics; wiping and restoring", "reason", err)
		g.close()
		if err = os.RemoveAll(g.dir); err == nil {
			err = g.open(ctx)
		}
	}
	if err == nil {
		err = g.fill(ctx)
	}
	if err != nil {
		g.close()
		return fmt.Errorf("runner: global tables: %w", err)
	}
	r.globals, g.shared = g, g.tables.Shared()
	return nil
}

// open opens the database and compares it with the topics.
func (g *globals) open(ctx context.Context) (err error) {
	r := g.r
	if g.db, err = pebblestore.Open(g.dir, pebblestore.Config{Resources: r.resources, Log: r.log}); err != nil {
		return err
	}
	g.tables, err = global.Open(g.db, global.Config{
		Plan: r.plan, Names: r.names(), Counts: r.counts, Policies: r.cfg.Policies,
		Skipped: func(e *processor.Error) { r.reports.failed(time.Now(), e, task.Skipped) },
	})
	if err != nil {
		return err
	}
	ids, err := r.globalIDs(ctx)
	if err != nil {
		return err
	}
	logs, err := g.tables.Logs()
	if err != nil {
		return err
	}
	var tps []kafka.TopicPartition
	for _, log := range logs {
		tps = append(tps, kafka.TopicPartition{Topic: log.Topic, Partition: log.Partition})
	}
	starts, err := r.client.Offsets(ctx, tps, kafka.Earliest)
	if err != nil {
		return err
	}
	if g.ends, err = r.client.Offsets(ctx, tps, kafka.Latest); err != nil {
		return err
	}
	g.next = map[kafka.TopicPartition]int64{}
	for i, log := range logs {
		tp := tps[i]
		switch {
		case differ(log.Bound, ids[log.Topic]):
			return fmt.Errorf("%w: topic %s was recreated", errStale, log.Topic)
		case log.From > 0 && (log.From < starts[tp] || log.From > g.ends[tp]):
			return fmt.Errorf("%w: the position in %s is %d, but the topic has offsets %d to %d", errStale, tp, log.From, starts[tp], g.ends[tp])
		}
		g.next[tp] = max(log.From, starts[tp])
	}
	return g.tables.Bind(ids)
}

// globalIDs returns the ids of the topics of global tables, and notes them for checkTopics.
func (r *runner) globalIDs(ctx context.Context) (map[string]string, error) {
	var names []string
	for _, g := range r.plan.Globals {
		names = append(names, r.names().Topic(g.Source.Reads))
	}
	topics, err := r.client.DescribeTopics(ctx, names...)
	if err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, t := range topics {
		ids[t.Name], r.ids[t.Name] = t.ID, t.ID
	}
	return ids, nil
}

// fill reads the topics to where they ended when the tables were opened.
func (g *globals) fill(ctx context.Context) error {
	g.fetcher = g.r.client.NewFetcher(g.r.memory.restoring(g.r.databases()))
	left := map[kafka.TopicPartition]bool{}
	for tp, next := range g.next {
		g.fetcher.Add(tp, next)
		left[tp] = next < g.ends[tp]
	}
	began := time.Now()
	for {
		missing := 0
		for tp := range left {
			if left[tp] = g.next[tp] < g.ends[tp]; left[tp] {
				missing++
			}
		}
		if missing == 0 {
			g.r.log.Info("global tables are complete", "partitions", len(left), "took", time.Since(began).Round(time.Millisecond))
			return nil
		}
		if err := g.poll(ctx); err != nil {
			return err
		}
	}
}

// poll waits for records and applies them.
func (g *globals) poll(ctx context.Context) error {
	fetched, err := g.fetcher.Poll(ctx)
	if err != nil {
		return err
	}
	for _, f := range fetched {
		tp := kafka.TopicPartition{Topic: f.Topic, Partition: f.Partition}
		switch {
		case errors.Is(f.Err, kafka.ErrOffsetOutOfRange):
			return fmt.Errorf("the topic was truncated beyond the position %d in %s: restart the application, and it restores the table: %w", g.next[tp], tp, f.Err)
		case f.Err != nil:
			g.r.log.Warn("failed to read the topic of a global table; retrying", "partition", tp, "error", f.Err)
			if err := pause(ctx, 1); err != nil {
				return err
			}
			g.fetcher.Add(tp, g.next[tp])
		default:
			if err := g.tables.Apply(f.Topic, f.Partition, taskRecords(f.Records), f.Next); err != nil {
				return err
			}
			g.next[tp] = f.Next
		}
	}
	return nil
}

// follow starts the goroutine that keeps the tables up to date. It calls fail if it cannot.
func (g *globals) follow(fail func(error)) {
	if g == nil {
		return
	}
	var ctx context.Context
	ctx, g.cancel = context.WithCancel(context.Background())
	go func() {
		defer close(g.done)
		for {
			if err := g.poll(ctx); err != nil {
				if ctx.Err() == nil {
					fail(fmt.Errorf("runner: global tables: %w", err))
				}
				return
			}
		}
	}()
}

// database returns the database for the tasks; nil without global tables.
func (g *globals) database() *state.Shared {
	if g == nil {
		return nil
	}
	return g.shared
}

// close ends the goroutine and closes the database. No task may be open.
func (g *globals) close() {
	if g == nil {
		return
	}
	if g.cancel != nil {
		g.cancel()
		<-g.done
	}
	if g.fetcher != nil {
		g.fetcher.Close()
	}
	if g.tables != nil {
		g.tables.Close()
	}
	if g.db != nil {
		if err := g.db.Close(); err != nil {
			g.r.log.Warn("failed to close the global tables", "error", err)
		}
	}
	g.fetcher, g.tables, g.db = nil, nil, nil
}

// sources returns the nodes that read topics: those of the sub-topologies and of the global tables.
func (r *runner) sources() []*plan.Node {
	var nodes []*plan.Node
	for _, s := range r.plan.Subtopologies {
		nodes = append(nodes, s.Sources...)
	}
	for _, g := range r.plan.Globals {
		nodes = append(nodes, g.Source)
	}
	return nodes
}
