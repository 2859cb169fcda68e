package runner

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/replica"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/state"
)

// binding checks, each time a task is opened, that its committed offsets and its local state belong to the topics of the
// cluster. A topic that was deleted and recreated has another id. The offsets carry the topic ids and store formats in a
// note that is committed with them; the database contains the topic ids.
type binding struct {
	task           string
	dir            string // of the database
	committed      map[kafka.TopicPartition]kafka.CommittedOffset
	committedNotes map[kafka.TopicPartition]note
	stores         map[string]storeNote   // the task's stores, as noted in the last commit
	reset          bool                   // the offsets were last set by Reset
	recreated      []kafka.TopicPartition // inputs that were recreated since the database was written
	ids            map[string]string      // current topic ids of the inputs and changelogs, by topic name; "" if the cluster has no ids
	newNotes       map[kafka.TopicPartition]string
}

// bind reads a task's committed offsets and topic ids, and checks the offsets. The method check checks the database.
func (r *runner) bind(ctx context.Context, a *assignment) (binding, error) {
	b := binding{
		task: a.name, dir: a.dir, committedNotes: map[kafka.TopicPartition]note{},
		stores: map[string]storeNote{}, newNotes: map[kafka.TopicPartition]string{},
	}
	var err error
	if b.committed, err = r.client.CommittedOffsets(ctx, r.cfg.Application, a.inputs); err != nil {
		return b, recoverable(err)
	}
	if b.ids, err = r.topicIDs(ctx, a.sub); err != nil {
		return b, err
	}
	for _, tp := range a.inputs {
		n := parseNote(b.committed[tp].Metadata)
		b.committedNotes[tp] = n
		b.reset = b.reset || n.reset
		maps.Copy(b.stores, n.stores)
	}
	for i, tp := range a.inputs {
		n := note{topic: b.ids[tp.Topic], initialPartitions: r.initialPartitions[tp.Topic]}
		if i == 0 {
			n.stores = r.storeNotes(a.sub, b.ids)
		}
		b.newNotes[tp] = n.String()
	}
	return b, errors.Join(checkInputs(b.committedNotes, b.ids), checkFormats(a.sub, b.stores))
}

// topicIDs returns the ids of a sub-topology's input topics and changelogs. If some do not exist, it returns
// ErrUnknownTopic together with the ids of the others.
func (r *runner) topicIDs(ctx context.Context, sub *plan.Subtopology) (map[string]string, error) {
	var names []string
	for _, source := range sub.Sources {
		names = append(names, r.names().Topic(source.Reads))
	}
	for _, store := range sub.Stores {
		if store.Source == "" {
			names = append(names, r.names().Changelog(store.Name()))
		}
	}
	topics, err := r.client.DescribeTopics(ctx, names...)
	if err != nil {
		return nil, recoverable(err)
	}
	ids := make(map[string]string, len(topics))
	for _, t := range topics {
		ids[t.Name] = t.ID
	}
	for _, name := range names {
		if _, ok := ids[name]; !ok {
			return ids, recoverable(fmt.Errorf("topic %s: %w", name, kafka.ErrUnknownTopic))
		}
	}
	return ids, nil
}

// storeNotes returns the note of each store of a sub-topology.
func (r *runner) storeNotes(sub *plan.Subtopology, ids map[string]string) map[string]storeNote {
	notes := make(map[string]storeNote, len(sub.Stores))
	for _, store := range sub.Stores {
		n := storeNote{format: store.Format()}
		if store.Source == "" {
			n.changelog = ids[r.names().Changelog(store.Name())]
		}
		notes[store.Name()] = n
	}
	return notes
}

// logIDs returns the topic ids to write to the database, by topic.
func (b binding) logIDs() map[string]string {
	ids := maps.Clone(b.ids)
	maps.DeleteFunc(ids, func(_, id string) bool { return id == "" })
	return ids
}

// checkInputs returns an error for each input topic that was recreated since its offsets were committed.
func checkInputs(notes map[kafka.TopicPartition]note, ids map[string]string) error {
	replaced := map[string]error{}
	for tp, n := range notes {
		if differ(n.topic, ids[tp.Topic]) {
			replaced[tp.Topic] = recreatedError(tp.Topic)
		}
	}
	return joinSorted(replaced)
}

func recreatedError(topic string) error {
	return fmt.Errorf("%w: %s was deleted and recreated: the committed offsets and the state belong to the deleted topic; reset the application", ErrTopicsChanged, topic)
}

// checkFormats returns an error for each store that was written in another format.
func checkFormats(sub *plan.Subtopology, notes map[string]storeNote) error {
	var mistakes []error
	for _, store := range sub.Stores {
		if n, ok := notes[store.Name()]; ok {
			mistakes = append(mistakes, state.CheckFormat(store, n.format))
		}
	}
	return errors.Join(mistakes...)
}

// differ reports whether two topic ids are known ("" is unknown) and differ.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

// joinSorted joins errors in the order of their keys.
func joinSorted(errs map[string]error) error {
	var all []error
	for _, key := range slices.Sorted(maps.Keys(errs)) {
		all = append(all, errs[key])
	}
	return errors.Join(all...)
}

// check compares the database's position in a log with the log, which holds the offsets from start to end. It returns
// errStale if the database must be deleted and can be restored from the log, and ErrStateLost if the log lacks committed
// changes.
func (b binding) check(log replica.Log, start, end int64) error {
	now, committed := b.ids[log.Topic], b.stores[log.Store].changelog
	has := log.From > 0
	replaced := has && differ(log.Bound, now)
	switch {
	case !log.Source && differ(committed, now):
		return b.lost(log, "was deleted and recreated empty")
	case replaced && (log.Source || b.reset || committed == now || b.allRecreated()):
		return fmt.Errorf("%w: it belongs to a deleted topic %s", errStale, log.Topic)
	case has && len(b.committed) == 0 && len(b.recreated) == 0:
		return fmt.Errorf("%w: %s contains state from %s, but the group has no committed offsets: they were deleted or have expired; reset the application to start over",
			ErrStateLost, b.dir, log.Topic)
	case replaced:
		return b.lost(log, "was deleted and recreated")
	case log.From > end && log.Source:
		return fmt.Errorf("%w: its position in %s is %d, after the committed offset %d", errStale, log.Topic, log.From, end)
	case log.From > end:
		return b.lost(log, fmt.Sprintf("ends at offset %d, before the state's position %d", end, log.From))
	case has && log.From < start:
		return fmt.Errorf("%w: its position in %s is %d, before the first offset %d", errStale, log.Topic, log.From, start)
	}
	return nil
}

// allRecreated reports whether all inputs were recreated and no offsets are committed: somebody has reset the application
// by hand.
func (b binding) allRecreated() bool {
	return len(b.committed) == 0 && len(b.recreated) == len(b.newNotes)
}

// checkRecreated returns an error for each input that was recreated since the database was written, unless the committed
// offsets belong to the new topic. Brokers delete the offsets of deleted topics, so only the database may show this.
func (b binding) checkRecreated() error {
	replaced := map[string]error{}
	for _, tp := range b.recreated {
		if !b.reset && b.committedNotes[tp].topic != b.ids[tp.Topic] {
			replaced[tp.Topic] = recreatedError(tp.Topic)
		}
	}
	return joinSorted(replaced)
}

// lost returns an error that a changelog lacks committed changes, and says what to do.
func (b binding) lost(log replica.Log, how string) error {
	if log.From > 0 || log.Bound != "" {
		return fmt.Errorf("%w: the changelog %s of task %s %s; %s contains the only copy: rewrite the changelog from it with runner.Rebuild, or reset the application",
			ErrStateLost, log.Topic, b.task, how, b.dir)
	}
	return fmt.Errorf("%w: the changelog %s of task %s %s, and this machine has no copy of store %s: run runner.Rebuild on the machine that has its state directory, or reset the application",
		ErrStateLost, log.Topic, b.task, how, log.Store)
}
