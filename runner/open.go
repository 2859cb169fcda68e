package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/pebblestore"
)

// unit is a task's place in the supervisor's books.
type unit struct {
	name      string
	sub       *plan.Subtopology
	partition int32
	inputs    []kafka.TopicPartition
	dir       string      // of its database; empty if it has no stores
	damaged   atomic.Bool // a task has found the database to be damaged

	cancel context.CancelFunc // of the opener
	closed chan struct{}      // the opener has ended
	worker *worker            // nil while it is being opened

	// interrupt ends the context of the task's steps, once a worker has it. Any goroutine may call it, more than once.
	interrupt context.CancelFunc

	stuck   bool    // the task is in the hands of a worker that was abandoned
	hangs   int     // how often that has happened
	trouble trouble // its owner is that of the task

	standing map[kafka.TopicPartition]standing // the supervisor's
	status   taskStatus
	seen     atomic.Pointer[observation] // the supervisor's; nil before
	store    atomic.Pointer[openStore]   // the database of the task that processes; nil without

	waitsFor atomic.Value             // why it is not processing: a string of few; see kindOf
	database atomic.Pointer[state.DB] // that was opened last, for its metrics
}

// newUnit returns a unit that has no directory yet.
func (r *runner) newUnit(sub *plan.Subtopology, partition int32) *unit {
	u := &unit{name: sub.TaskName(partition), sub: sub, partition: partition, inputs: r.inputs(sub, partition)}
	u.status.changed = r.status.refresh
	return u
}

// running is a restored task with what belongs to it. The goroutine that holds it owns it.
type running struct {
	*unit
	task    *task.Task
	db      state.DB
	out     *output
	held    *positions
	paused  map[kafka.TopicPartition]bool
	oldest  int64                           // timestamp of a record of the open commit, of those that wait longest; 0 before
	notes   map[kafka.TopicPartition]string // what is committed with the offsets; see note
	ends    map[kafka.TopicPartition]int64  // of the inputs, as the last fetch told them
	retryAt time.Time
	news    bool               // something has happened since its status was published
	cancel  context.CancelFunc // ends the context of its steps
	stopped bool               // a step has met the end of that context
	closed  bool
}

// close may be called again.
func (t *running) close(log *slog.Logger) {
	if t.closed {
		return
	}
	t.closed = true
	t.cancel()
	if open := t.store.Swap(nil); open != nil {
		open.close()
	}
	t.task.Close()
	if err := t.db.Close(); err != nil {
		log.Warn("close state", "task", t.name, "error", err)
	}
}

// open makes a unit's task, restores its state and sets it to the committed offsets. It goes on trying while the
// cluster does not answer.
func (r *runner) open(ctx context.Context, u *unit) (*running, error) {
	defer r.reportWaiting(ctx, u)()
	var began time.Time // the first failure since there was progress
	var progress RestoreProgress
	for attempt := 0; ; attempt++ {
		t, err := r.tryOpen(ctx, u)
		if err == nil {
			return t, nil
		}
		if ctx.Err() != nil || final(err) {
			return nil, fmt.Errorf("runner: open task %s: %w", u.name, err)
		}
		if now := u.status.load().Restored; began.IsZero() || now != progress {
			began, progress, attempt = time.Now(), now, 0
		}
		if lasting := time.Since(began); lasting > r.cfg.RetryTimeout {
			return nil, tooLong("opening task "+u.name, lasting, err)
		}
		if attempt >= 2 && errors.Is(err, kafka.ErrUnknownTopic) { // not just a broker that does not know a new topic yet
			if err := r.checkTopics(ctx); err != nil {
				return nil, err
			}
		}
		r.log.Warn("task cannot start yet", "task", u.name, "error", err)
		if pause(ctx, attempt) != nil {
			return nil, ctx.Err()
		}
	}
}

func (r *runner) tryOpen(ctx context.Context, u *unit) (*running, error) {
	b, err := r.bind(ctx, u)
	if err != nil {
		return nil, err
	}
	t, err := r.openOn(ctx, u, b)
	switch {
	case errors.Is(err, errStale):
		r.log.Warn("local state is inconsistent with the changelog; wiping and restoring", "task", u.name, "reason", err)
		err = os.RemoveAll(u.dir)
	case errors.Is(err, state.ErrDamaged):
		r.log.Warn("local state is damaged; moving it aside and restoring from the changelog", "task", u.name, "to", u.dir+aside, "reason", err)
		err = u.putAside()
	default:
		return t, err
	}
	if err != nil {
		return nil, fmt.Errorf("make room for the state of task %s: %w", u.name, err)
	}
	return r.openOn(ctx, u, b)
}

// aside is behind the name of the directory that keeps damaged state, for whoever wants to know what happened to it. There is at
// most one for each task.
const aside = ".damaged"

// putAside makes room for a new database.
func (u *unit) putAside() error {
	if err := os.RemoveAll(u.dir + aside); err != nil {
		return err
	}
	u.damaged.Store(false)
	return os.Rename(u.dir, u.dir+aside)
}

// openOn opens a unit's database, restores it, and makes the task on it.
func (r *runner) openOn(ctx context.Context, u *unit, b binding) (t *running, err error) {
	db, err := r.openState(u)
	if err != nil {
		return nil, err
	}
	logs, err := r.restoreStores(ctx, u, db, b)
	if err == nil {
		t, err = r.build(u, db, b)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	t.notes = b.notes
	if err = r.loadTables(ctx, t, logs, b); err == nil {
		err = r.seek(ctx, t, b)
	}
	if err != nil {
		t.close(r.log)
		return nil, err
	}
	return t, nil
}

// openState opens a unit's database. A unit without stores keeps nothing.
func (r *runner) openState(u *unit) (state.DB, error) {
	if u.dir == "" {
		return state.NewMemory(), nil
	}
	if u.damaged.Load() {
		return nil, fmt.Errorf("%s: %w", u.dir, state.ErrDamaged)
	}
	db, err := pebblestore.Open(u.dir, pebblestore.Config{Resources: r.resources, Log: r.log})
	if err == nil {
		u.database.Store(&db)
	}
	return db, err
}

// build links the task.
func (r *runner) build(u *unit, db state.DB, b binding) (*running, error) {
	var metadata []string
	for _, c := range b.committed {
		metadata = append(metadata, c.Metadata)
	}
	t := &running{unit: u, db: db, out: &output{}, held: &r.held, paused: map[kafka.TopicPartition]bool{}, ends: map[kafka.TopicPartition]int64{}}
	var ctx context.Context
	ctx, t.cancel = context.WithCancel(context.Background())
	var err error
	t.task, err = task.New(task.Config{
		Context: ctx, Plan: r.plan, Subtopology: u.sub, Partition: u.partition, Counts: r.counts,
		Names: r.names(),
		DB:    db, State: state.Options{Budget: r.budget}, Policies: r.cfg.Policies, Metadata: metadata, Now: time.Now, Output: t.out,
		Failed: func(e *processor.Error, done task.Outcome) {
			r.reports.failed(time.Now(), e, done)
			if done == task.Retried {
				r.meters.retries.Add(1, strconv.Itoa(u.sub.ID), string(e.Stage))
			}
		},
	})
	if err != nil {
		t.cancel()
		return nil, err
	}
	return t, nil
}

// seek sets the task's inputs to the committed offsets, or to where an application begins.
func (r *runner) seek(ctx context.Context, t *running, b binding) error {
	first, err := r.client.Offsets(ctx, t.inputs, kafka.Earliest)
	if err != nil {
		return cluster(err)
	}
	last, err := r.client.Offsets(ctx, t.inputs, kafka.Latest)
	if err != nil {
		return cluster(err)
	}
	for _, tp := range t.inputs {
		c, ok := b.committed[tp]
		offset := c.Offset
		switch {
		case !ok:
			if offset, err = r.beginning(ctx, t.sub, tp); err != nil {
				return err
			}
		case offset > last[tp] && b.of[tp].topic != "" && b.of[tp].topic == b.ids[tp.Topic]:
			r.log.Warn("the end of a topic was lost; going on at its new end, so that nothing is processed twice",
				"partition", tp, "committed", offset, "end", last[tp])
			offset = last[tp]
		case offset < first[tp] || offset > last[tp]:
			r.log.Warn("the committed offset is not in the log any more; going on at its beginning",
				"partition", tp, "committed", offset, "first", first[tp], "end", last[tp])
			offset = first[tp]
		}
		if err := t.task.Seek(tp.Topic, offset); err != nil {
			return err
		}
	}
	return nil
}
