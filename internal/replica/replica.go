// Package replica keeps the stores of a task without running the task: it opens their database, restores them from
// their changelogs, and reads them. It links no steps, so no user code runs in it.
//
// A runner restores with it before it makes the task:
//
//	r, err := replica.Open(db, replica.Config{Plan: p, Subtopology: s, Partition: 3, Names: names})
//	for _, log := range r.Logs() {
//		… r.Apply(log.Topic, records, next) …
//	}
//	r.Close()
//
// It does not restore the store of a source table: its rows are records of a user's topic, which the source step
// decodes and checks. Logs lists such topics, and the task loads them (task.Load).
//
// One goroutine owns a Replica. Close it before the database, and before making a task on it.
package replica

import (
	"fmt"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

// Config selects the stores of a replica.
type Config struct {
	Plan        *plan.Plan
	Subtopology *plan.Subtopology
	Partition   int32
	Names       plan.Names
	State       state.Options
}

// Replica is the stores of one task, opened on its database.
type Replica struct {
	cfg  Config
	db   state.DB
	set  *state.Set
	logs []Log
}

// Log is a topic from which a store is restored or, for a source table, loaded. The partition is the replica's.
type Log struct {
	Store  string
	Topic  string // the topic's name in the log
	From   int64  // the next offset to restore
	Source bool   // the topic of a source table: not for Apply
	Bound  string // the id of the topic that From refers to; "" if the database does not have it
}

// Open opens the stores. It rejects a store whose format differs from that of its definition (state.ErrFormat).
func Open(db state.DB, cfg Config) (*Replica, error) {
	defs := make([]state.Definition, len(cfg.Subtopology.Stores))
	for i, store := range cfg.Subtopology.Stores {
		defs[i] = store.Definition
	}
	set, err := state.OpenSet(db, defs, cfg.State)
	if err != nil {
		return nil, err
	}
	r := &Replica{cfg: cfg, db: db, set: set}
	for _, store := range cfg.Subtopology.Stores {
		if err := r.addLog(store); err != nil {
			set.Close()
			return nil, err
		}
	}
	return r, nil
}

func (r *Replica) addLog(store *plan.Store) (err error) {
	log := Log{Store: store.Name(), Topic: r.cfg.Names.Changelog(store.Name()), Source: store.Source != ""}
	if log.Source {
		log.Topic = r.cfg.Names.Topic(r.cfg.Plan.Topics[store.Source])
	}
	if log.From, _, err = r.set.Position(log.Topic, r.cfg.Partition); err != nil {
		return err
	}
	if log.Bound, err = r.set.TopicID(log.Topic); err != nil {
		return err
	}
	r.logs = append(r.logs, log)
	return nil
}

// Logs returns the topics of the stores, in the order of the stores, as of the opening of the replica.
func (r *Replica) Logs() []Log { return r.logs }

// Position returns the next offset to read of a topic, and whether the database has one.
func (r *Replica) Position(topic string) (int64, bool, error) {
	return r.set.Position(topic, r.cfg.Partition)
}

// Bound returns the id of the topic that the positions under a name refer to; "" if the database does not have it.
func (r *Replica) Bound(topic string) (string, error) { return r.set.TopicID(topic) }

// Bind stores the ids of the topics that the positions refer to.
func (r *Replica) Bind(ids map[string]string) error {
	b := r.db.NewBatch()
	defer b.Close()
	for topic, id := range ids {
		r.set.SetTopicID(b, topic, id)
	}
	return b.Commit()
}

// Apply writes records of a changelog to its store, with the position after them.
func (r *Replica) Apply(topic string, records []plan.Raw, next int64) error {
	b := r.db.NewBatch()
	defer b.Close()
	for _, log := range r.logs {
		if log.Topic != topic || log.Source {
			continue
		}
		store, err := r.set.Store(log.Store)
		if err != nil {
			return err
		}
		for i := range records {
			record := &records[i]
			if err := store.Restore(b, record.Key, record.Value, record.Timestamp); err != nil {
				return fmt.Errorf("restore %s from %s at %d: %w", log.Store, topic, record.Offset, err)
			}
		}
	}
	return r.move(b, topic, next)
}

// move commits a batch with the position of a topic.
func (r *Replica) move(b state.Batch, topic string, next int64) error {
	r.set.SetPosition(b, topic, r.cfg.Partition, next)
	if err := b.Commit(); err != nil {
		return fmt.Errorf("restore %s: %w", topic, err)
	}
	return nil
}

// Dump calls emit for every row of the store of a changelog, in the form of a record of that changelog.
func (r *Replica) Dump(log Log, emit state.LogFunc) error {
	store, err := r.set.Store(log.Store)
	if err != nil {
		return err
	}
	return store.Dump(emit)
}

// Times calls each for the clocks of the stores of windows.
func (r *Replica) Times(each func(name string, ms int64)) { r.set.Times(each) }

// Close releases memory. It does not close the database.
func (r *Replica) Close() { r.set.Close() }
