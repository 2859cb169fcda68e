package task

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/state"
)

// Offset is where a task stands in one of its inputs.
type Offset struct {
	Topic     string
	Partition int32
	Next      int64  // the next offset to process
	Metadata  string // to be committed with it, and given to the next task; see Config.Metadata
}

// Offsets returns the inputs that have moved since the last commit. It returns all of them if a timer has moved the time of
// an operator, because times are committed with the offsets, and if only timers have sent something, because their commit
// must fail, as any other, once the inputs belong to somebody else.
func (t *Task) Offsets() []Offset {
	var offsets []Offset
	metadata, all := t.metadata(), t.stores.TimesMoved() || t.sent && !t.moved()
	for _, in := range t.inputs {
		if in.moved || all {
			offsets = append(offsets, Offset{in.topic, t.cfg.Partition, in.next, metadata})
		}
	}
	return offsets
}

// moved reports whether an input has moved since the last commit.
func (t *Task) moved() bool {
	return slices.ContainsFunc(t.inputs, func(in *input) bool { return in.moved })
}

// Dirty reports whether there is anything to commit: an input, a store or the time of an operator has changed, or
// something was sent.
func (t *Task) Dirty() bool {
	return t.sent || t.moved() || t.stores.Dirty() > 0 || t.stores.TimesMoved()
}

// DirtyBytes is about how many bytes wait for the next commit.
func (t *Task) DirtyBytes() int { return t.stores.DirtyBytes() }

// Flush writes the changes of the stores since the last commit, each key once, to their changelogs, and prepares them
// for the database. Committed must follow, or the end of the task.
func (t *Task) Flush() error {
	if err := t.enter("Flush", flushed, restoring, processing); err != nil {
		return err
	}
	err := t.writeChanges()
	if err != nil {
		t.phase = broken
	}
	return err
}

// writeChanges writes the dirty rows to the changelogs and into the pending batch.
func (t *Task) writeChanges() error {
	if t.stores.Dirty() == 0 && !t.tableMoved() && !t.stores.TimesMoved() {
		return nil
	}
	t.pending = t.cfg.DB.NewBatch()
	err := t.flush(func(store state.Store, key, value []byte, timestamp int64) error {
		log := t.changelogs[store.Name()]
		if log.source {
			return nil
		}
		log.written = true
		out := Out{Topic: log.topic, Partition: t.cfg.Partition, Key: key, Value: value, Timestamp: timestamp, Kind: Change, Store: store.Name()}
		err := t.cfg.Output.Send(out)
		if errors.Is(err, ErrRefused) {
			return changeRefused(out.Store, key, err)
		}
		return err
	})
	if err != nil {
		return t.wrap(fmt.Errorf("write the changelogs: %w", err))
	}
	t.stores.Expire(t.pending)
	return nil
}

// flush writes the changes of the stores into the pending batch and to log. Codecs are user code, so they may panic.
func (t *Task) flush(log func(store state.Store, key, value []byte, timestamp int64) error) (err error) {
	defer plan.Recover(&err)
	return t.stores.Flush(t.pending, log)
}

// ErrNoPosition says that the log has the changes of a store but does not say at which offset. The transaction is
// committed; open the task again, and it restores them.
var ErrNoPosition = errors.New("the position of the changelog is not known")

// Committed says that the log holds what Flush has sent and the offsets; now the database gets the same. lastOffset
// returns the offset of the last record that was written to a changelog's partition.
func (t *Task) Committed(lastOffset func(topic string, partition int32) (int64, bool)) error {
	if err := t.enter("Committed", broken, flushed); err != nil { // broken, until all of it is done
		return err
	}
	if t.pending != nil {
		for _, log := range t.changelogs {
			if !log.written {
				continue
			}
			last, ok := lastOffset(log.topic, t.cfg.Partition)
			if !ok {
				return t.wrap(fmt.Errorf("%w: %s/%d", ErrNoPosition, log.topic, t.cfg.Partition))
			}
			t.stores.SetPosition(t.pending, log.topic, t.cfg.Partition, last+1)
			log.written = false
		}
		for _, in := range t.inputs { // of streams, too: they say which input the rows stand for
			if in.moved {
				t.stores.SetPosition(t.pending, in.topic, t.cfg.Partition, in.next)
			}
		}
		if err := t.pending.Commit(); err != nil {
			return t.wrap(fmt.Errorf("commit to the state database: %w", err))
		}
		t.pending.Close()
		t.pending = nil
	}
	t.stores.Committed()
	for _, in := range t.inputs {
		in.moved = false
	}
	t.sent = false
	t.phase = processing
	return nil
}

func (t *Task) tableMoved() bool {
	for _, in := range t.inputs {
		if in.table && in.moved {
			return true
		}
	}
	return false
}

// changelog is the topic that a store is restored from.
type changelog struct {
	topic   string
	source  bool // it is the topic that the store is a table of, and nothing is written to it
	written bool // since the last commit
}

// changelogs returns those of the task's stores, by the name of the store.
func (cfg *Config) changelogs() map[string]*changelog {
	logs := map[string]*changelog{}
	for _, s := range cfg.Subtopology.Stores {
		if s.Source != "" {
			logs[s.Name()] = &changelog{topic: cfg.Names.Topic(cfg.Plan.Topics[s.Source]), source: true}
		} else {
			logs[s.Name()] = &changelog{topic: cfg.Names.Changelog(s.Name())}
		}
	}
	return logs
}

// Restored returns how far the database has a store: the next offset to restore of its changelog.
func (t *Task) Restored(store string) (int64, error) {
	log, ok := t.changelogs[store]
	if !ok {
		return 0, t.wrap(fmt.Errorf("no store %q", store))
	}
	next, _, err := t.stores.Position(log.topic, t.cfg.Partition)
	return next, err
}

// Load puts records of a source table's topic into its store, with the position after them: up to the committed offset,
// where processing goes on. Other stores are restored from their changelogs before the task is made (internal/replica).
func (t *Task) Load(topic string, records []plan.Raw, next int64) error {
	if err := t.enter("Load", restoring, restoring); err != nil {
		return err
	}
	b := t.cfg.DB.NewBatch()
	defer b.Close()
	if in := t.input(topic); in != nil && in.table {
		if err := t.load(in, records, b); err != nil {
			return t.wrap(fmt.Errorf("load %s: %w", topic, err))
		}
	}
	t.stores.SetPosition(b, topic, t.cfg.Partition, next)
	if err := b.Commit(); err != nil {
		return t.wrap(fmt.Errorf("load %s: %w", topic, err))
	}
	t.stores.Committed()
	return nil
}

// load fills a source table from its topic, on the way that records take, but without successors. What the decode
// policy left out then is left out again.
func (t *Task) load(in *input, records []plan.Raw, b state.Batch) error {
	in.queue.Clear()
	in.queue.Add(records)
	for in.queue.Len() > 0 {
		if _, _, err := in.queue.Head(); err == nil {
			t.stores.Begin()
			if err := t.guard(in.queue.Load); err != nil {
				return err
			}
		}
		in.queue.Pop()
	}
	return t.stores.Flush(b, func(state.Store, []byte, []byte, int64) error { return nil })
}
