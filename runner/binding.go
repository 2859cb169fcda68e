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

// binding is what one opening of a unit compares its offsets and its state with. Both are bound to the topics they were
// made from, by the ids of these, and the state to the formats of its stores: the offsets by the note that is committed
// with them, the database by the ids in it.
type binding struct {
	task      string
	dir       string // of the database
	committed map[kafka.TopicPartition]kafka.CommittedOffset
	of        map[kafka.TopicPartition]note
	stores    map[string]storeNote   // what the last commit says of the unit's stores
	reset     bool                   // Reset was the last to set the offsets
	renewed   []kafka.TopicPartition // inputs that were made again since the database was written
	ids       map[string]string      // of the inputs and changelogs now, by their names in the log; "" if the cluster gives none
	notes     map[kafka.TopicPartition]string
}

// bind reads what the group and the cluster say of a unit, and checks the offsets. The database is checked by check.
func (r *runner) bind(ctx context.Context, u *unit) (binding, error) {
	b := binding{
		task: u.name, dir: u.dir, of: map[kafka.TopicPartition]note{},
		stores: map[string]storeNote{}, notes: map[kafka.TopicPartition]string{},
	}
	var err error
	if b.committed, err = r.client.CommittedOffsets(ctx, r.cfg.Application, u.inputs); err != nil {
		return b, cluster(err)
	}
	if b.ids, err = r.topicIDs(ctx, u.sub); err != nil {
		return b, err
	}
	for _, tp := range u.inputs {
		n := parseNote(b.committed[tp].Metadata)
		b.of[tp] = n
		b.reset = b.reset || n.reset
		maps.Copy(b.stores, n.stores)
	}
	for i, tp := range u.inputs {
		n := note{topic: b.ids[tp.Topic], first: r.began[tp.Topic]}
		if i == 0 {
			n.stores = r.storeNotes(u.sub, b.ids)
		}
		b.notes[tp] = n.String()
	}
	return b, errors.Join(checkInputs(b.of, b.ids), checkFormats(u.sub, b.stores))
}

// topicIDs returns the ids of the topics that the tasks of a sub-topology read and write their changes to. With
// ErrUnknownTopic it returns those that there are.
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
		return nil, cluster(err)
	}
	ids := make(map[string]string, len(topics))
	for _, t := range topics {
		ids[t.Name] = t.ID
	}
	for _, name := range names {
		if _, ok := ids[name]; !ok {
			return ids, cluster(fmt.Errorf("topic %s: %w", name, kafka.ErrUnknownTopic))
		}
	}
	return ids, nil
}

// storeNotes says what the stores of a sub-topology are made from.
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

// logIDs returns the ids to keep in the database, by topic.
func (b binding) logIDs() map[string]string {
	ids := maps.Clone(b.ids)
	maps.DeleteFunc(ids, func(_, id string) bool { return id == "" })
	return ids
}

// checkInputs refuses offsets of topics that are gone.
func checkInputs(notes map[kafka.TopicPartition]note, ids map[string]string) error {
	replaced := map[string]error{}
	for tp, n := range notes {
		if differ(n.topic, ids[tp.Topic]) {
			replaced[tp.Topic] = replacedError(tp.Topic)
		}
	}
	return joinSorted(replaced)
}

func replacedError(topic string) error {
	return fmt.Errorf("%w: %s was deleted and made again: the offsets that the application has committed, and its state, are those of the topic that is gone; reset the application", ErrTopicsChanged, topic)
}

// checkFormats refuses stores that were written in other formats.
func checkFormats(sub *plan.Subtopology, notes map[string]storeNote) error {
	var mistakes []error
	for _, store := range sub.Stores {
		if n, ok := notes[store.Name()]; ok {
			mistakes = append(mistakes, state.CheckFormat(store, n.format))
		}
	}
	return errors.Join(mistakes...)
}

// differ compares two ids, either of which may not be known.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

// joinSorted joins errors in the order of their keys.
func joinSorted(errs map[string]error) error {
	var all []error
	for _, key := range slices.Sorted(maps.Keys(errs)) {
		all = append(all, errs[key])
	}
	return errors.Join(all...)
}

// check compares what the database has of a log with the log, which holds the offsets from start to end. errStale says that the log
// has everything and the database is of no use; ErrStateLost that the log lacks what was committed.
func (b binding) check(log replica.Log, start, end int64) error {
	now, committed := b.ids[log.Topic], b.stores[log.Store].changelog
	has := log.From > 0
	replaced := has && differ(log.Bound, now)
	switch {
	case !log.Source && differ(committed, now):
		return b.lost(log, "was deleted, and made again empty")
	case replaced && (log.Source || b.reset || committed == now || b.allRenewed()):
		return fmt.Errorf("%w: it is of an earlier topic %s", errStale, log.Topic)
	case has && len(b.committed) == 0 && len(b.renewed) == 0:
		return fmt.Errorf("%w: %s holds state of %s, but the group has no offsets to go with it: they were deleted, or expired; reset the application to begin anew",
			ErrStateLost, b.dir, log.Topic)
	case replaced:
		return b.lost(log, "was deleted, and made again")
	case log.From > end && log.Source:
		return fmt.Errorf("%w: it stands at offset %d of %s, and the application at %d", errStale, log.From, log.Topic, end)
	case log.From > end:
		return b.lost(log, fmt.Sprintf("ends at offset %d, and the state stands at %d", end, log.From))
	case has && log.From < start:
		return fmt.Errorf("%w: it stands at offset %d of %s, which begins at %d", errStale, log.From, log.Topic, start)
	}
	return nil
}

// allRenewed reports whether nothing is left of what the database was made from: somebody has reset the application by
// hand.
func (b binding) allRenewed() bool { return len(b.committed) == 0 && len(b.renewed) == len(b.notes) }

// checkRenewed refuses inputs that were made again since the database was written, unless what is committed is of the new ones.
// Brokers forget the offsets of deleted topics, so the database may be the only one who knows.
func (b binding) checkRenewed() error {
	replaced := map[string]error{}
	for _, tp := range b.renewed {
		if !b.reset && b.of[tp].topic != b.ids[tp.Topic] {
			replaced[tp.Topic] = replacedError(tp.Topic)
		}
	}
	return joinSorted(replaced)
}

// lost says that a changelog lacks what was committed, and what can be done.
func (b binding) lost(log replica.Log, how string) error {
	if log.From > 0 || log.Bound != "" {
		return fmt.Errorf("%w: the changelog %s of task %s %s; what is in %s is the only copy: write the changelog again from it with runner.Rebuild, or reset the application",
			ErrStateLost, log.Topic, b.task, how, b.dir)
	}
	return fmt.Errorf("%w: the changelog %s of task %s %s, and this machine has no copy of store %s: run runner.Rebuild on the machine that has its state directory, or reset the application",
		ErrStateLost, log.Topic, b.task, how, log.Store)
}
