// Package global keeps the global tables of a process: the rows of all partitions of their topics, in one database.
//
// Like a task it has no goroutine, no clock and no socket: its owner reads the topics and passes it the records.
//
//	tables, err := global.Open(db, global.Config{Plan: p, Counts: counts})
//	for _, log := range tables.Logs() {
//		… tables.Apply(log.Topic, log.Partition, records, next) …  // to the end, before the first task is made
//	}
//	shared := tables.Shared()   // for the tasks: task.Config.Shared
//	… tables.Apply(…) …         // and on, while they run
//	tables.Close()
//
// One goroutine owns the Tables. The tasks read the database at the same time: see state.Shared.
package global

import (
	"fmt"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Config holds what the tables are made from.
type Config struct {
	Plan     *plan.Plan
	Names    plan.Names       // default: the plan's
	Counts   map[string]int32 // the number of partitions of every topic, by its name in the plan
	Policies processor.Policies

	// Skipped is called for each record that cannot be decoded and whose policy is not to fail. Default: not called.
	Skipped func(*processor.Error)
}

// Tables are the global tables of a process.
type Tables struct {
	cfg    Config
	db     state.DB
	set    *state.Set
	shared *state.Shared
	tables []*table
}

// table is one global table.
type table struct {
	topic      string // its name in the log
	partitions int32
	source     *plan.Node
	store      state.Store
	queue      plan.Queue // decodes records
}

// Log is a partition of a topic that the tables are made from.
type Log struct {
	Topic     string
	Partition int32
	From      int64  // the next offset to apply
	Bound     string // the id of the topic that From refers to; "" if the database does not have it
}

// Open opens the tables of a plan. It rejects a database whose format differs from that of the plan (state.ErrFormat).
func Open(db state.DB, cfg Config) (*Tables, error) {
	if cfg.Names.Application == "" {
		cfg.Names = cfg.Plan.Names()
	}
	if cfg.Skipped == nil {
		cfg.Skipped = func(*processor.Error) {}
	}
	var defs []state.Definition
	for _, g := range cfg.Plan.Globals {
		defs = append(defs, g.Store.Definition)
	}
	set, err := state.OpenSet(db, defs, state.Options{})
	if err != nil {
		return nil, err
	}
	t := &Tables{cfg: cfg, db: db, set: set, shared: state.Share(db)}
	var step *plan.Node
	linker := plan.NewLinker(&plan.Subtopology{}, nil, &step)
	for i, g := range cfg.Plan.Globals {
		t.tables = append(t.tables, &table{
			topic: cfg.Names.Topic(g.Source.Reads), partitions: cfg.Counts[g.Source.Reads.Name],
			source: g.Source, store: set.All()[i], queue: g.Source.Queue(linker),
		})
	}
	return t, nil
}

// Shared returns the database for the tasks that read the tables.
func (t *Tables) Shared() *state.Shared { return t.shared }

// Logs returns the partitions that the tables are made from, with their current positions.
func (t *Tables) Logs() ([]Log, error) {
	var logs []Log
	for _, table := range t.tables {
		bound, err := t.set.TopicID(table.topic)
		if err != nil {
			return nil, err
		}
		for p := range table.partitions {
			from, _, err := t.set.Position(table.topic, p)
			if err != nil {
				return nil, err
			}
			logs = append(logs, Log{table.topic, p, from, bound})
		}
	}
	return logs, nil
}

// Bind stores the ids of the topics that the positions refer to.
func (t *Tables) Bind(ids map[string]string) error {
	b := t.db.NewBatch()
	defer b.Close()
	for _, table := range t.tables {
		if id := ids[table.topic]; id != "" {
			t.set.SetTopicID(b, table.topic, id)
		}
	}
	return b.Commit()
}

// Apply writes records of a partition to the table of its topic, with the position after them. An error that is a
// *processor.Error is that of a record which cannot be decoded.
func (t *Tables) Apply(topic string, partition int32, records []plan.Raw, next int64) error {
	b := t.db.NewBatch()
	defer b.Close()
	for _, table := range t.tables {
		if table.topic != topic {
			continue
		}
		if err := t.apply(table, partition, records, b); err != nil {
			return err
		}
	}
	t.set.SetPosition(b, topic, partition, next)
	if err := b.Commit(); err != nil {
		return fmt.Errorf("update global table %s: %w", topic, err)
	}
	t.shared.Changed()
	return nil
}

// apply writes records into a batch.
func (t *Tables) apply(table *table, partition int32, records []plan.Raw, b state.Batch) error {
	table.queue.Clear()
	table.queue.Add(records)
	for ; table.queue.Len() > 0; table.queue.Pop() {
		raw, timestamp, err := table.queue.Head()
		switch {
		case err != nil:
			if err := t.failed(table, partition, raw, err); err != nil {
				return err
			}
		case raw.Key == nil: // as in other tables
		default:
			if err := table.store.Restore(b, raw.Key, raw.Value, timestamp); err != nil {
				return err
			}
		}
	}
	return nil
}

// failed applies the decode policy to a record. Dead letters are not written: every process would write them.
func (t *Tables) failed(table *table, partition int32, raw *plan.Raw, cause error) error {
	failure := &processor.Error{Stage: processor.Decode, Origin: processor.Origin{Topic: table.topic, Partition: partition, Offset: raw.Offset}, Err: cause}
	policy := t.cfg.Policies.Decode
	if table.source.OnError != nil {
		policy = *table.source.OnError
	}
	if policy.Action == processor.Fail {
		return failure
	}
	t.cfg.Skipped(failure)
	return nil
}

// Close releases memory. It does not close the database.
func (t *Tables) Close() { t.set.Close() }
