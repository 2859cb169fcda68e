package runner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
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

	cancel context.CancelFunc // of the opener
	closed chan struct{}      // the opener has ended
	worker *worker            // nil while it is being opened

	// interrupt ends the context of the task's steps, once a worker has it. Any goroutine may call it, more than once.
	interrupt context.CancelFunc
	status    taskStatus
}

// running is a restored task with what belongs to it. The goroutine that holds it owns it.
type running struct {
	*unit
	task    *task.Task
	db      state.DB
	out     *output
	held    *positions
	paused  map[kafka.TopicPartition]bool
	ends    map[kafka.TopicPartition]int64 // of the inputs, as the last fetch told them
	retryAt time.Time
	cancel  context.CancelFunc // ends the context of its steps
	stopped bool               // a step has met the end of that context
}

func (t *running) close(log *slog.Logger) {
	t.cancel()
	t.task.Close()
	if err := t.db.Close(); err != nil {
		log.Warn("close state", "task", t.name, "error", err)
	}
}

// open makes a unit's task, restores its state and sets it to the committed offsets. It goes on trying while the
// cluster does not answer.
func (r *runner) open(ctx context.Context, u *unit) (*running, error) {
	started := time.Now()
	for attempt := 0; ; attempt++ {
		t, err := r.tryOpen(ctx, u)
		if err == nil {
			return t, nil
		}
		if ctx.Err() != nil || final(err) || time.Since(started) > r.cfg.RetryTimeout {
			return nil, fmt.Errorf("runner: open task %s: %w", u.name, err)
		}
		r.log.Warn("task cannot start yet", "task", u.name, "error", err)
		if pause(ctx, attempt) != nil {
			return nil, ctx.Err()
		}
	}
}

func (r *runner) tryOpen(ctx context.Context, u *unit) (t *running, err error) {
	committed, err := r.client.CommittedOffsets(ctx, r.cfg.Application, u.inputs)
	if err != nil {
		return nil, cluster(err)
	}
	for {
		if t, err = r.build(u, committed); err != nil {
			return nil, err
		}
		err = r.restore(ctx, t, committed)
		if err == nil {
			err = r.seek(ctx, t, committed)
		}
		if err == nil {
			return t, nil
		}
		t.close(r.log)
		if !errors.Is(err, errStale) {
			return nil, err
		}
		dir := r.place.taskDir(u.sub, u.partition)
		r.log.Warn("local state does not fit the log; it is deleted and restored", "task", u.name, "reason", err)
		if err := os.RemoveAll(dir); err != nil {
			return nil, fmt.Errorf("delete %s: %w", dir, err)
		}
	}
}

// build opens the database and links the task.
func (r *runner) build(u *unit, committed map[kafka.TopicPartition]kafka.CommittedOffset) (*running, error) {
	db := state.NewMemory() // a task without stores keeps nothing
	if dir := r.place.taskDir(u.sub, u.partition); dir != "" {
		var err error
		if db, err = pebblestore.Open(dir, pebblestore.Config{Resources: r.resources, Log: r.log}); err != nil {
			return nil, err
		}
	}
	var metadata []string
	for _, c := range committed {
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
		Failed: func(e *processor.Error, done task.Outcome) { r.reports.failed(time.Now(), e, done) },
	})
	if err != nil {
		t.cancel()
		return nil, errors.Join(err, db.Close())
	}
	return t, nil
}

// seek sets the task's inputs to the committed offsets, or to where an application begins.
func (r *runner) seek(ctx context.Context, t *running, committed map[kafka.TopicPartition]kafka.CommittedOffset) error {
	first, err := r.client.Offsets(ctx, t.inputs, kafka.Earliest)
	if err != nil {
		return cluster(err)
	}
	last, err := r.client.Offsets(ctx, t.inputs, kafka.Latest)
	if err != nil {
		return cluster(err)
	}
	for _, tp := range t.inputs {
		c, ok := committed[tp]
		offset := c.Offset
		switch {
		case !ok && r.cfg.Latest:
			offset = last[tp]
		case !ok:
			offset = first[tp]
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
