package task

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Offset is the position of a task in one of its inputs.
type Offset struct {
	Topic     string
	Partition int32
	Next      int64  // the next offset to process
	Metadata  string // committed with the offset, and passed to the next task; see Config.Metadata
}

// Offsets returns the inputs that have advanced since the last commit. It returns all of them if a timer has advanced
// the time of an operator, because times are committed with the offsets, and if only timers have sent something,
// because their commit, too, must fail if the inputs are now owned by another member.
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

// moved reports whether an input has advanced since the last commit.
func (t *Task) moved() bool {
	return slices.ContainsFunc(t.inputs, func(in *input) bool { return in.moved })
}

// Dirty reports whether there is anything to commit: an input, a store or the time of an operator has changed, or
// something was sent.
func (t *Task) Dirty() bool {
	return t.sent || t.moved() || t.stores.Dirty() > 0 || t.stores.TimesMoved()
}

// DirtyBytes returns the approximate size of the uncommitted changes of the stores.
func (t *Task) DirtyBytes() int { return t.stores.DirtyBytes() }

// Flush writes the changes of the stores since the last commit, each key once, to their changelogs, and prepares them
// for the database. Call Committed or Close next.
func (t *Task) Flush() error {
	if t.Calling() {
		return t.wrap(errors.New("Flush is called while calls to the outside are in flight"))
	}
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
		if value != nil {
			out.Headers = log.headers
		}
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

// ErrNoPosition: the changelog has the changes of a store, but their offset is unknown. The transaction is committed;
// open the task again to restore the changes.
var ErrNoPosition = errors.New("the position of the changelog is not known")

// Committed must be called after the transaction with the flushed changes and the offsets has been committed. It
// commits the same to the database. lastOffset returns the offset of the last record written to a partition of a
// changelog.
func (t *Task) Committed(lastOffset func(topic string, partition int32) (int64, bool)) error {
	if err := t.enter("Committed", broken, flushed); err != nil { // until everything below has succeeded
		return err
	}
	t.commitRequested = false
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
		for _, in := range t.inputs { // including streams: the positions say which input the rows reflect
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
	source  bool               // the topic of a source table, to which nothing is written
	written bool               // written to since the last commit
	headers []processor.Header // of its records, apart from tombstones
}

// changelogs returns the changelogs of the task's stores, by store name.
func (cfg *Config) changelogs() map[string]*changelog {
	logs := map[string]*changelog{}
	for _, s := range cfg.Subtopology.Stores {
		if s.Source != "" {
			logs[s.Name()] = &changelog{topic: cfg.Names.Topic(cfg.Plan.Topics[s.Source]), source: true}
		} else {
			log := &changelog{topic: cfg.Names.Changelog(s.Name())}
			if d, ok := s.Definition.(state.HasChangelogHeader); ok {
				name, value := d.ChangelogHeader()
				log.headers = []processor.Header{{Key: name, Value: value}}
			}
			logs[s.Name()] = log
		}
	}
	return logs
}

// Restored returns the next offset to restore from the changelog of a store.
func (t *Task) Restored(store string) (int64, error) {
	log, ok := t.changelogs[store]
	if !ok {
		return 0, t.wrap(fmt.Errorf("no store %q", store))
	}
	next, _, err := t.stores.Position(log.topic, t.cfg.Partition)
	return next, err
}

// Load writes records of a source table's topic to its store, with the position after them, up to the committed offset,
// where processing starts. Other stores are restored from their changelogs before the task is made (internal/replica).
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

// load fills a source table from its topic. It decodes and checks records as usual, but does not notify successors, and
// skips again what the decode policy skipped.
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
