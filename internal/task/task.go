package task

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Config holds what a task is made from.
type Config struct {
	Plan        *plan.Plan
	Subtopology *plan.Subtopology
	Partition   int32

	// Counts holds the number of partitions of every topic, by its name in the plan.
	Counts map[string]int32

	// Partitions returns the number of partitions of a topic that a record has chosen, by its name in the log. An error
	// is the record's fault unless it is a *plan.HostError. Default: there are no such topics.
	Partitions func(topic *plan.Topic, name string) (int32, error)

	// Names maps topics to their names in the log. Default: the plan's.
	Names plan.Names

	DB       state.DB
	Shared   *state.Shared // the database of the global tables; nil if the plan has none
	State    state.Options
	Policies processor.Policies

	// Metadata holds the metadata of the committed offsets from which the task resumes (see Offset.Metadata): its
	// times.
	Metadata []string

	// Now returns the wall-clock time, for sources that hold back records ahead of it and for the timestamps of dead
	// letters. Default: a clock so late that no record is ahead of it.
	Now func() time.Time

	// Output receives results, dead letters and changelog records. It must copy what it keeps.
	Output Output

	// Call makes a call of a step to the outside, on another goroutine, and then calls Answered on that of the task. It may
	// also call Answered at once. Default: the call is made at once.
	Call func(*Call)

	// Failed is called for each record that failed, with the action that was taken. It is not called for records whose
	// policy is to fail: Step returns their error. Default: not called.
	Failed func(*processor.Error, Outcome)

	// Context is passed to the steps. Once it has ended, a step's failure is not attributed to the record: Step and
	// Tick return ErrStopped. Default: one that never ends.
	Context context.Context
}

// Outcome is what a policy did with a record that failed.
type Outcome string

const (
	Skipped      Outcome = "skipped"
	DeadLettered Outcome = "dead-lettered"
	Retried      Outcome = "retried" // it will be retried; the failed attempt has been rolled back
)

// Output receives encoded records.
type Output interface {
	// Send sends a record to a topic. An error that wraps ErrRefused is the record's fault and is handled by the
	// produce policy; any other stops the task.
	Send(Out) error
}

// Out is an encoded record and its destination.
type Out struct {
	Topic      string
	Partition  int32
	Key, Value []byte // nil is null
	Timestamp  int64
	Headers    []processor.Header

	// Kind, Step, Store and Origin describe the record. If the log refuses it after Send has accepted it, pass them to
	// Refused.
	Kind  Kind
	Step  *plan.Node // the step that wrote a Result
	Store string     // the store of a Change

	// Origin is the record that this one was made from, where it was read; for a dead letter, that of the refused
	// record. It is empty for changelog records and for what timers emit.
	Origin processor.Origin
}

// Kind is the purpose of an encoded record.
type Kind uint8

const (
	Result      Kind = iota // written by a step: a sink, or the repartition of a KeyBy
	Change                  // a changelog record
	Letter                  // a dead letter: the source record, and a description of the failure
	ShortLetter             // replaces a dead letter that was refused: only the description
)

// Task runs a sub-topology on one partition. One goroutine owns it.
type Task struct {
	cfg     Config
	inputs  []*input
	stores  *state.Set
	outputs outputs
	borders borders
	names   map[*plan.Topic]string // names in the log of the topics written to
	chosen  map[string]int32       // numbers of partitions of the topics that records have chosen
	step    *plan.Node             // the step whose user code is running, for panics
	linkErr error                  // errors that Fail collected while linking
	closers []closer
	calls   []*calls // of the steps that call the outside

	byStreamTime, byWallClock timers
	created                   []created // by the current work
	counted                   []counted // by the current work
	commitRequested           bool

	streamTime int64 // -1 before the first record
	phase      phase
	current    work  // zero between records
	sent       bool  // since the last commit
	first      int64 // timestamp of the first record of the last Step

	pending    state.Batch           // flushed, but not yet committed
	changelogs map[string]*changelog // by store name
	counters   Counters
	drops      map[dropKey]*Drop
	events     map[eventKey]*Event
}

// New builds a task: it opens the stores, links the steps and starts the handlers. It reports all mistakes at once.
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
	if cfg.Partitions == nil {
		cfg.Partitions = func(_ *plan.Topic, name string) (int32, error) { return 0, fmt.Errorf("no such topic: %s", name) }
	}
	var t *Task
	if cfg.Call == nil {
		cfg.Call = func(c *Call) { t.Answered(c, c.Run(cfg.Context)) }
	}
	streamTime, times := parseMetadata(cfg.Metadata)
	t = &Task{
		cfg:        cfg,
		streamTime: streamTime,
		changelogs: cfg.changelogs(),
		names:      map[*plan.Topic]string{},
		chosen:     map[string]int32{},
		counters:   Counters{Skipped: map[processor.Stage]int64{}, DeadLettered: map[processor.Stage]int64{}},
		drops:      map[dropKey]*Drop{},
		events:     map[eventKey]*Event{},

		byStreamTime: timers{now: streamTime},
		byWallClock:  timers{now: -1},
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
		return nil, errors.Join(t.wrap(err), t.Close())
	}
	t.count()
	t.startTimers()
	return t, nil
}

// link builds the steps and the inputs.
func (t *Task) link() (err error) {
	defer func() {
		if t.step != nil && err != nil && err != t.linkErr { // a step that panicked when it started
			err = fmt.Errorf("%s: %w", t.stepLabel(err), err)
		}
	}()
	defer plan.Recover(&err)
	linker := plan.NewLinker(t.cfg.Subtopology, t, &t.step)
	for _, source := range t.cfg.Subtopology.Sources {
		if t.cfg.Partition >= t.cfg.Counts[source.Reads.Name] {
			continue // the topic has fewer partitions, and none for this task
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
	return t.linkErr
}

// Close ends the steps and releases memory. It does not close the database. It returns the errors of the steps' functions.
func (t *Task) Close() error {
	t.phase = closed
	var errs []error
	for _, c := range slices.Backward(t.closers) {
		if err := t.guard(c.do); err != nil {
			errs = append(errs, t.wrap(fmt.Errorf("%s: OnClose: %w", c.step, err)))
		}
	}
	t.closers = nil
	if t.pending != nil {
		t.pending.Close()
	}
	t.stores.Close()
	return errors.Join(errs...)
}

// closer is a function that a step has registered with OnClose.
type closer struct {
	step string
	do   func() error
}

// Name returns the name of the task, as plan.Subtopology gives it.
func (t *Task) Name() string { return t.cfg.Subtopology.TaskName(t.cfg.Partition) }

func (t *Task) wrap(err error) error { return fmt.Errorf("task %s: %w", t.Name(), err) }

// StreamTime returns the greatest event time seen, in milliseconds, -1 before the first record.
func (t *Task) StreamTime() int64 { return t.streamTime }

// First returns the timestamp, in milliseconds, of the first record that the last Step processed.
func (t *Task) First() int64 { return t.first }

// Context and the methods after it implement plan.Host for the steps; Send, SendFailed, Drop and Counter are elsewhere.
func (t *Task) Context() context.Context { return t.cfg.Context }

// Partition returns the partition that the task reads.
func (t *Task) Partition() int32 { return t.cfg.Partition }

// Now returns the wall-clock time.
func (t *Task) Now() time.Time { return t.cfg.Now() }

// Shared returns the database of the global tables.
func (t *Task) Shared() *state.Shared { return t.cfg.Shared }

// Store returns a store by its name.
func (t *Task) Store(name string) (state.Store, error) { return t.stores.Store(name) }

// Fail records why the task cannot start.
func (t *Task) Fail(err error) { t.linkErr = errors.Join(t.linkErr, err) }

// Origin returns where the current record came from.
func (t *Task) Origin() processor.Origin { return t.current.origin() }

// Inherit returns the headers and the timestamp for emitted records.
func (t *Task) Inherit() ([]processor.Header, int64) {
	if t.current.raw == nil && t.current.timer == nil {
		return nil, max(t.streamTime, 0)
	}
	return t.current.headers, t.current.time
}

// As calls f with other headers and another timestamp to inherit.
func (t *Task) As(headers []processor.Header, timestamp int64, f func() error) error {
	inheritedHeaders, inheritedTime := t.current.headers, t.current.time
	defer func() { t.current.headers, t.current.time = inheritedHeaders, inheritedTime }() // also after a panic
	t.current.headers, t.current.time = headers, timestamp
	return f()
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
func (t *Task) Schedule(step string, timing processor.Timing, fire func(time.Time) error) *processor.Timer {
	return t.schedule(step, timing, fire)
}

// RequestCommit asks the owner for a commit.
func (t *Task) RequestCommit() { t.commitRequested = true }

// CommitRequested reports whether a step has asked for a commit since the last one.
func (t *Task) CommitRequested() bool { return t.commitRequested }

// OnClose registers a function that Close calls.
func (t *Task) OnClose(step string, do func() error) { t.closers = append(t.closers, closer{step, do}) }
