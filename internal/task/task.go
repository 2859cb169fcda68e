package task

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Config is what a task is made from.
type Config struct {
	Plan        *plan.Plan
	Subtopology *plan.Subtopology
	Partition   int32

	// Counts holds the number of partitions of every topic, by the plan's name.
	Counts map[string]int32

	// Names says how topics are called in the log. Default: the plan's.
	Names plan.Names

	DB       state.DB
	State    state.Options
	Policies processor.Policies

	// Metadata are the texts that were committed with the offsets the task goes on from (see Offset.Metadata): its times.
	Metadata []string

	// Now reads the wall clock: for sources that hold back what is ahead of it, and the times of dead letters. Default: a
	// clock so late that nothing is ahead of it.
	Now func() time.Time

	// Output takes results, dead letters and changelog records. It must copy what it keeps.
	Output Output

	// Failed is called for each record that failed, with what was done about it. Records whose policy is to fail are
	// not reported here: Step returns their error. Default: not called.
	Failed func(*processor.Error, Outcome)

	// Context is given to the steps. When it has ended, the failure of a step is no longer the record's: Step and Tick
	// return ErrStopped. Default: one that never ends.
	Context context.Context
}

// Outcome is what a policy did with a record that failed.
type Outcome string

const (
	Skipped      Outcome = "skipped"
	DeadLettered Outcome = "dead-lettered"
	Retried      Outcome = "retried" // it will be: nothing of the failed attempt remains
)

// Output takes encoded records.
type Output interface {
	// Send takes a record for a topic of the log. An error that wraps ErrRefused is the record's fault and follows the
	// produce policy; any other stops the task.
	Send(Out) error
}

// Out is an encoded record and where it goes.
type Out struct {
	Topic      string
	Partition  int32
	Key, Value []byte // nil is null
	Timestamp  int64
	Headers    []processor.Header

	// Kind, Step, Store and Origin say what the record is and where it comes from. If the log refuses it after Send has
	// taken it, they are what Refused wants to know.
	Kind  Kind
	Step  *plan.Node // that wrote a Result
	Store string     // that a Change belongs to

	// Origin is where the record was read that this one was made from; of a dead letter, where that one came from. It is
	// empty for changelog records and for what timers emit.
	Origin processor.Origin
}

// Kind is what an encoded record is.
type Kind uint8

const (
	Result      Kind = iota // written by a step: a sink, or the repartition of a KeyBy
	Change                  // of a row, for the changelog of its store
	Letter                  // a dead letter: the source record, and what happened
	ShortLetter             // in the place of a dead letter that was refused: only what happened
)

// Task runs a sub-topology on one partition. One goroutine owns it.
type Task struct {
	cfg     Config
	inputs  []*input
	stores  *state.Set
	outputs outputs
	borders borders
	names   map[*plan.Topic]string // of the topics written to, in the log
	timers  []*timer
	step    *plan.Node // whose user code runs, for panics
	unfit   error      // what Fail collected while linking

	streamTime int64 // -1 before the first record
	phase      phase
	hand       work  // zero between records
	sent       bool  // since the last commit
	first      int64 // timestamp of the first record of the last Step

	pending    state.Batch           // flushed, not yet committed
	changelogs map[string]*changelog // by store
	counters   Counters
	drops      map[dropKey]*Drop
}

// New builds a task: it opens the stores, links the steps and starts the handlers. All mistakes are reported at once.
func New(cfg Config) (*Task, error) {
	if cfg.Names.Application == "" {
		cfg.Names = cfg.Plan.Names()
	}
	if cfg.Now == nil {
		cfg.Now = func() time.Time { return time.UnixMilli(state.LatestTime) }
	}
	if cfg.Context == nil {
		cfg.Context = context.Background()
	}
	if cfg.Failed == nil {
		cfg.Failed = func(*processor.Error, Outcome) {}
	}
	streamTime, times := parseMetadata(cfg.Metadata)
	t := &Task{
		cfg:        cfg,
		streamTime: streamTime,
		changelogs: cfg.changelogs(),
		names:      map[*plan.Topic]string{},
		counters:   Counters{Skipped: map[processor.Stage]int64{}, DeadLettered: map[processor.Stage]int64{}},
		drops:      map[dropKey]*Drop{},
	}
	defs := make([]state.Definition, len(cfg.Subtopology.Stores))
	for i, store := range cfg.Subtopology.Stores {
		defs[i] = store.Definition
	}
	options := cfg.State
	options.Times = times
	stores, err := state.OpenSet(cfg.DB, defs, options)
	if err != nil {
		return nil, t.wrap(err)
	}
	t.stores = stores
	if err := t.link(); err != nil {
		stores.Close()
		return nil, t.wrap(err)
	}
	return t, nil
}

// link builds the steps and the inputs.
func (t *Task) link() (err error) {
	defer func() {
		if t.step != nil && err != nil && err != t.unfit { // a step that panics when it starts
			err = fmt.Errorf("%s: %w", t.stepLabel(err), err)
		}
	}()
	defer plan.Recover(&err)
	linker := plan.NewLinker(t.cfg.Subtopology, t, &t.step)
	for _, source := range t.cfg.Subtopology.Sources {
		if t.cfg.Partition >= t.cfg.Counts[source.Reads.Name] {
			continue // a topic with fewer partitions has none for this task
		}
		t.inputs = append(t.inputs, &input{
			topic:     t.cfg.Names.Topic(source.Reads),
			partition: t.cfg.Partition,
			table:     source.Kind == "table",
			own:       source.Reads.Internal,
			source:    source,
			queue:     source.Queue(linker),
		})
	}
	sortInputs(t.inputs)
	return t.unfit
}

// Close gives memory back. It does not close the database.
func (t *Task) Close() {
	t.phase = closed
	if t.pending != nil {
		t.pending.Close()
	}
	t.stores.Close()
}

// Name returns the name of the task, as plan.Subtopology gives it.
func (t *Task) Name() string { return t.cfg.Subtopology.TaskName(t.cfg.Partition) }

func (t *Task) wrap(err error) error { return fmt.Errorf("task %s: %w", t.Name(), err) }

// StreamTime returns the greatest event time seen, in milliseconds, -1 before the first record.
func (t *Task) StreamTime() int64 { return t.streamTime }

// First returns the timestamp, in milliseconds, of the first record that the last Step processed.
func (t *Task) First() int64 { return t.first }

// Context, Store, Fail, Origin, Inherit, Send, SendFailed, Drop and Schedule are what steps see of their task (plan.Host).
func (t *Task) Context() context.Context { return t.cfg.Context }

// Now is the wall clock's time.
func (t *Task) Now() time.Time { return t.cfg.Now() }

// Store returns a store by its name.
func (t *Task) Store(name string) (state.Store, error) { return t.stores.Store(name) }

// Fail notes why the task cannot start.
func (t *Task) Fail(err error) { t.unfit = errors.Join(t.unfit, err) }

// Origin says where the record in hand came from.
func (t *Task) Origin() processor.Origin { return t.hand.origin() }

// Inherit returns the headers and the time for emitted records.
func (t *Task) Inherit() ([]processor.Header, int64) {
	if t.hand.raw == nil && t.hand.timer == nil {
		return nil, max(t.streamTime, 0)
	}
	return t.hand.headers, t.hand.time
}

// Clock returns the clock of an operator.
func (t *Task) Clock(name string) *state.Clock {
	c, err := t.stores.Clock(name)
	if err != nil {
		t.Fail(err)
	}
	return c
}

// Schedule registers a timer of a step.
func (t *Task) Schedule(step string, clock processor.Clock, every time.Duration, fire func(time.Time) error) *processor.Timer {
	return t.schedule(step, clock, every, fire)
}
