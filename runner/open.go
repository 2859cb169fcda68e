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

// assignment is a task that the group has assigned to this process. It lives until the task is revoked; the task itself
// may be closed and reopened meanwhile, for example after a failure.
type assignment struct {
	name      string
	sub       *plan.Subtopology
	partition int32
	inputs    []kafka.TopicPartition
	dir       string      // of the task's database; empty if it has no stores
	damaged   atomic.Bool // the database was found to be damaged

	cancel context.CancelFunc // of the opener
	closed chan struct{}      // closed when the opener has ended
	worker *worker            // nil while the task is being opened

	// interrupt ends the context of the task's steps. It is set when a worker gets the task. Any goroutine may call it, more
	// than once.
	interrupt context.CancelFunc

	stuck  bool          // an abandoned worker still runs a call of the task
	hangs  int           // how often the task was stuck
	streak failureStreak // owned by the owner of the task

	lastAdvance map[kafka.TopicPartition]advance // owned by the supervisor
	status      taskStatus
	seen        atomic.Pointer[observation] // written by the supervisor; nil before the first observation
	store       atomic.Pointer[openStore]   // the database of the task while it is processing; otherwise nil

	waitsFor atomic.Value             // why the task is not processing: a string; see kindOf
	database atomic.Pointer[state.DB] // the database that was opened last, for its metrics
}

// newAssignment returns an assignment without a directory.
func (r *runner) newAssignment(sub *plan.Subtopology, partition int32) *assignment {
	a := &assignment{name: sub.TaskName(partition), sub: sub, partition: partition, inputs: r.inputs(sub, partition)}
	a.status.changed = r.status.refresh
	return a
}

// running is an open task with its database and output. One goroutine owns it: first its opener, then its worker.
type running struct {
	*assignment
	task        *task.Task
	db          state.DB
	out         *output
	positions   *positions
	paused      map[kafka.TopicPartition]bool
	oldest      int64                           // timestamp of the first record since the last commit; 0 without one
	notes       map[kafka.TopicPartition]string // committed with the offsets; see note
	ends        map[kafka.TopicPartition]int64  // ends of the inputs, from the last fetch
	retryAt     time.Time
	unpublished bool               // the task has made progress since its status was published
	cancel      context.CancelFunc // ends the context of its steps
	stopped     bool               // a step has returned because that context has ended
	closed      bool
}

// close closes the task and its database. It may be called more than once.
func (t *running) close(log *slog.Logger) {
	if t.closed {
		return
	}
	t.closed = true
	t.cancel()
	if open := t.store.Swap(nil); open != nil {
		open.close()
	}
	if err := t.task.Close(); err != nil {
		log.Warn("failed to end a step", "task", t.name, "error", err)
	}
	if err := t.db.Close(); err != nil {
		log.Warn("failed to close state", "task", t.name, "error", err)
	}
}

// open opens a task: it restores the task's state and sets its inputs to the committed offsets. It retries after
// recoverable errors until Config.RetryTimeout expires without progress.
func (r *runner) open(ctx context.Context, a *assignment) (*running, error) {
	defer r.reportWaiting(ctx, a)()
	var began time.Time // the first failure since the last progress
	var progress RestoreProgress
	for attempt := 0; ; attempt++ {
		t, err := r.tryOpen(ctx, a)
		if err == nil {
			return t, nil
		}
		if ctx.Err() != nil || fatal(err) {
			return nil, fmt.Errorf("runner: open task %s: %w", a.name, err)
		}
		if now := a.status.load().Restored; began.IsZero() || now != progress {
			began, progress, attempt = time.Now(), now, 0
		}
		if elapsed := time.Since(began); elapsed > r.cfg.RetryTimeout {
			return nil, retryTimeoutError("opening task "+a.name, elapsed, err)
		}
		if attempt >= 2 && errors.Is(err, kafka.ErrUnknownTopic) { // not just a new topic that a broker has not learned of
			if err := r.checkTopics(ctx); err != nil {
				return nil, err
			}
		}
		r.log.Warn("failed to open task; retrying", "task", a.name, "error", err)
		if pause(ctx, attempt) != nil {
			return nil, ctx.Err()
		}
	}
}

func (r *runner) tryOpen(ctx context.Context, a *assignment) (*running, error) {
	b, err := r.bind(ctx, a)
	if err != nil {
		return nil, err
	}
	t, err := r.openOn(ctx, a, b)
	switch {
	case errors.Is(err, errStale):
		r.log.Warn("local state is inconsistent with the changelog; wiping and restoring", "task", a.name, "reason", err)
		err = os.RemoveAll(a.dir)
	case errors.Is(err, state.ErrDamaged):
		r.log.Warn("local state is damaged; moving it aside and restoring from the changelog", "task", a.name, "to", a.dir+damagedSuffix, "reason", err)
		err = a.moveAside()
	default:
		return t, err
	}
	if err != nil {
		return nil, fmt.Errorf("remove the state of task %s: %w", a.name, err)
	}
	return r.openOn(ctx, a, b)
}

// damagedSuffix is appended to the name of a directory with damaged state, which is kept for analysis. There is at most one
// per task.
const damagedSuffix = ".damaged"

// moveAside renames the directory of a damaged database, so that a new one can be created.
func (a *assignment) moveAside() error {
	if err := os.RemoveAll(a.dir + damagedSuffix); err != nil {
		return err
	}
	a.damaged.Store(false)
	return os.Rename(a.dir, a.dir+damagedSuffix)
}

// openOn opens and restores a task's database, and makes the task on it.
func (r *runner) openOn(ctx context.Context, a *assignment, b binding) (t *running, err error) {
	db, err := r.openState(a)
	if err != nil {
		return nil, err
	}
	logs, err := r.restoreStores(ctx, a, db, b)
	if err == nil {
		t, err = r.build(a, db, b)
	}
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	t.notes = b.newNotes
	if err = r.loadTables(ctx, t, logs, b); err == nil {
		err = r.seek(ctx, t, b)
	}
	if err != nil {
		t.close(r.log)
		return nil, err
	}
	return t, nil
}

// openState opens a task's database. Tasks without stores get an empty one in memory.
func (r *runner) openState(a *assignment) (state.DB, error) {
	if a.dir == "" {
		return state.NewMemory(), nil
	}
	if a.damaged.Load() {
		return nil, fmt.Errorf("%s: %w", a.dir, state.ErrDamaged)
	}
	db, err := pebblestore.Open(a.dir, pebblestore.Config{Resources: r.resources, Log: r.log})
	if err == nil {
		a.database.Store(&db)
	}
	return db, err
}

// build makes the task on its database.
func (r *runner) build(a *assignment, db state.DB, b binding) (*running, error) {
	var metadata []string
	for _, c := range b.committed {
		metadata = append(metadata, c.Metadata)
	}
	t := &running{assignment: a, db: db, out: &output{}, positions: &r.positions, paused: map[kafka.TopicPartition]bool{}, ends: map[kafka.TopicPartition]int64{}}
	var ctx context.Context
	ctx, t.cancel = context.WithCancel(context.Background())
	var err error
	t.task, err = task.New(task.Config{
		Context: ctx, Plan: r.plan, Subtopology: a.sub, Partition: a.partition, Counts: r.counts,
		Names: r.names(), Partitions: r.partitionsOf(ctx), Call: func(c *task.Call) { t.out.worker.startCall(t, ctx, c) },
		Shared: r.globals.database(),
		DB:     db, State: state.Options{Budget: r.budget}, Policies: r.cfg.Policies, Metadata: metadata, Now: time.Now, Output: t.out,
		Failed: func(e *processor.Error, done task.Outcome) {
			r.reports.failed(time.Now(), e, done)
			if done == task.Retried {
				r.meters.retries.Add(1, strconv.Itoa(a.sub.ID), string(e.Stage))
			}
		},
	})
	if err != nil {
		t.cancel()
		return nil, err
	}
	return t, nil
}

// seek sets the task's inputs to the committed offsets, or to their start offsets if nothing is committed.
func (r *runner) seek(ctx context.Context, t *running, b binding) error {
	first, err := r.client.Offsets(ctx, t.inputs, kafka.Earliest)
	if err != nil {
		return recoverable(err)
	}
	last, err := r.client.Offsets(ctx, t.inputs, kafka.Latest)
	if err != nil {
		return recoverable(err)
	}
	for _, tp := range t.inputs {
		c, ok := b.committed[tp]
		offset := c.Offset
		switch {
		case !ok:
			if offset, err = r.startOffset(ctx, t.sub, tp); err != nil {
				return err
			}
		case offset > last[tp] && b.committedNotes[tp].topic != "" && b.committedNotes[tp].topic == b.ids[tp.Topic]:
			r.log.Warn("the end of a partition was lost; continuing at its new end, so that nothing is processed twice",
				"partition", tp, "committed", offset, "end", last[tp])
			offset = last[tp]
		case offset < first[tp] || offset > last[tp]:
			r.log.Warn("the committed offset is out of range; continuing at the first offset",
				"partition", tp, "committed", offset, "first", first[tp], "end", last[tp])
			offset = first[tp]
		}
		if err := t.task.Seek(tp.Topic, offset); err != nil {
			return err
		}
	}
	return nil
}
