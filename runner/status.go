package runner

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
)

// Snapshot describes an application at one moment. The numbers of each task are those at its last commit.
type Snapshot struct {
	Application string       `json:"application"`
	State       State        `json:"state"`
	Paused      bool         `json:"paused"`   // see App.Pause
	Brokers     []string     `json:"brokers"`  // addresses (host:port), or the embedded broker's; empty before it has started
	Tasks       []TaskStatus `json:"tasks"`    // the tasks of this process, ordered by name
	Counters    Counters     `json:"counters"` // sums over all tasks that this process has or had
}

// TaskStatus is the state of one task.
type TaskStatus struct {
	Name       string          `json:"name"` // <sub-topology>_<partition>, as in Kafka Streams
	State      TaskState       `json:"state"`
	Reason     string          `json:"reason,omitempty"`    // what it waits for, or why it was closed; empty while processing
	Restored   RestoreProgress `json:"restored,omitzero"`   // only while restoring
	StreamTime time.Time       `json:"streamTime,omitzero"` // greatest event time seen; zero before the first record
	Inputs     []InputStatus   `json:"inputs"`
	Stores     []string        `json:"stores"`             // names
	Committed  time.Time       `json:"committed,omitzero"` // time of the last commit, or of the last update of these numbers without one
	Counters   Counters        `json:"counters"`
}

// TaskState is the state of a task.
type TaskState int32

const (
	Opening    TaskState = iota // reading committed offsets and restoring state
	Processing                  // processing records, or waiting for them
	Recovering                  // closed after a failure; it will be reopened
	Stalled                     // making no progress although there are unprocessed records; see Config.StallTimeout
)

var taskStateNames = [...]string{"opening", "processing", "recovering", "stalled"}

// String returns "opening", "processing", "recovering" or "stalled".
func (s TaskState) String() string {
	if s >= 0 && int(s) < len(taskStateNames) {
		return taskStateNames[s]
	}
	return fmt.Sprintf("state(%d)", int32(s))
}

// MarshalText returns the state's name.
func (s TaskState) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// InputStatus describes a task's progress in one input partition.
type InputStatus struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed int64  `json:"committed"` // committed offset: the next one to process
	End       int64  `json:"end"`       // last known end of the partition, including open transactions; -1 if unknown
	Buffered  int    `json:"buffered"`  // records fetched and not yet processed

	BufferedBytes int `json:"bufferedBytes"` // approximate memory of these records
}

// Lag returns how many offsets the task lags behind the last known end of the partition.
func (i InputStatus) Lag() int64 { return max(i.End-i.Committed, 0) }

// RestoreProgress is the progress of a restore, in offsets of all changelogs of the task.
type RestoreProgress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// Counters counts records up to the last commit. Work that was rolled back is not counted.
type Counters struct {
	Processed int64                     `json:"processed"`
	Sent      int64                     `json:"sent"` // results, without changelogs
	Drops     []Drop                    `json:"drops,omitempty"`
	Events    []Event                   `json:"events,omitempty"`  // counted by steps: see processor.Context.Counter
	Skipped   map[processor.Stage]int64 `json:"skipped,omitempty"` // skipped by a policy

	DeadLettered map[processor.Stage]int64 `json:"deadLettered,omitempty"` // written to the dead-letter topic by a policy

	Lookups map[string]state.Lookups `json:"lookups,omitempty"` // cache hits and misses, by store
}

// Drop counts the records that a step has dropped for one reason.
type Drop struct {
	Step    string           `json:"step"`   // its label in the plan, with the line that declared it
	Reason  string           `json:"reason"` // "late", "no-key", "out-of-order", "tombstone", "duplicate", "unrouted"
	Count   int64            `json:"count"`
	Example processor.Origin `json:"example"` // the last dropped record
}

// Event is a counter of a step: see processor.Context.Counter.
type Event struct {
	Step  string `json:"step"` // its label in the plan
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// LeftOut describes the records that were dropped, skipped or dead-lettered, such as
// "3 late (window tumbling 1m0s (main.go:7)), 1 dead-lettered (decode)". It returns "" if there are none.
func (c Counters) LeftOut() string {
	var parts []string
	for _, d := range c.Drops {
		parts = append(parts, fmt.Sprintf("%d %s (%s)", d.Count, d.Reason, d.Step))
	}
	stages := func(outcome task.Outcome, counts map[processor.Stage]int64) {
		for _, stage := range slices.Sorted(maps.Keys(counts)) {
			parts = append(parts, fmt.Sprintf("%d %s (%s)", counts[stage], outcome, stage))
		}
	}
	stages(task.Skipped, c.Skipped)
	stages(task.DeadLettered, c.DeadLettered)
	return strings.Join(parts, ", ")
}

// add adds the counts of other to c.
func (c *Counters) add(other Counters) {
	c.Processed += other.Processed
	c.Sent += other.Sent
	for _, drop := range other.Drops {
		i := slices.IndexFunc(c.Drops, func(d Drop) bool { return d.Step == drop.Step && d.Reason == drop.Reason })
		if i < 0 {
			c.Drops = append(c.Drops, drop)
			continue
		}
		c.Drops[i].Count += drop.Count
		c.Drops[i].Example = drop.Example
	}
	for _, event := range other.Events {
		i := slices.IndexFunc(c.Events, func(e Event) bool { return e.Step == event.Step && e.Name == event.Name })
		if i < 0 {
			c.Events = append(c.Events, event)
			continue
		}
		c.Events[i].Count += event.Count
	}
	addStages(&c.Skipped, other.Skipped)
	addStages(&c.DeadLettered, other.DeadLettered)
	if len(other.Lookups) > 0 && c.Lookups == nil {
		c.Lookups = map[string]state.Lookups{}
	}
	for store, n := range other.Lookups {
		sum := c.Lookups[store]
		c.Lookups[store] = state.Lookups{Hits: sum.Hits + n.Hits, Misses: sum.Misses + n.Misses}
	}
}

func addStages(sum *map[processor.Stage]int64, counts map[processor.Stage]int64) {
	if len(counts) > 0 && *sum == nil {
		*sum = map[processor.Stage]int64{}
	}
	for stage, n := range counts {
		(*sum)[stage] += n
	}
}

func (c Counters) clone() Counters {
	c.Drops = slices.Clone(c.Drops)
	c.Events = slices.Clone(c.Events)
	c.Skipped = maps.Clone(c.Skipped)
	c.DeadLettered = maps.Clone(c.DeadLettered)
	c.Lookups = maps.Clone(c.Lookups)
	return c
}

// counters converts a task's counters to the exported type.
func counters(of task.Counters) Counters {
	c := Counters{Processed: of.Processed, Sent: of.Sent, Skipped: of.Skipped, DeadLettered: of.DeadLettered, Lookups: of.Lookups}
	for _, drop := range of.Drops {
		c.Drops = append(c.Drops, Drop{
			Step: fmt.Sprintf("%s (%s)", drop.Step.Label(), drop.Step.Where), Reason: string(drop.Reason),
			Count: drop.Count, Example: drop.Example,
		})
	}
	for _, event := range of.Events {
		c.Events = append(c.Events, Event(event))
	}
	return c
}

// Snapshot describes the application and its tasks.
func (a *App) Snapshot() Snapshot {
	s := Snapshot{Application: a.runner.cfg.Application, State: a.State(), Paused: a.Paused()}
	if brokers := a.runner.status.brokers.Load(); brokers != nil {
		s.Brokers = slices.Clone(*brokers)
	}
	assignments, sums := a.runner.status.read()
	for _, a := range assignments {
		s.Tasks = append(s.Tasks, a.describe())
	}
	for _, id := range slices.Sorted(maps.Keys(sums)) {
		s.Counters.add(sums[id])
	}
	slices.SortFunc(s.Tasks, func(a, b TaskStatus) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

// about describes the state of the task in words, with its reason.
func (t TaskStatus) about() string {
	text := "task " + t.Name + " is " + t.State.String()
	if t.Restored.Total > 0 {
		text += fmt.Sprintf(", %d of %d offsets restored", t.Restored.Done, t.Restored.Total)
	}
	if t.Reason != "" {
		text += ": " + t.Reason
	}
	return text
}

// status contains what the goroutines of a runner publish for App. Readers never wait for processing.
type status struct {
	brokers atomic.Pointer[[]string]
	changed func(StateChange) // called, with mu held, when the state changes

	mu          sync.Mutex
	state       State  // the published state
	phase       State  // of the process as a whole; in phase Running, the state follows from the tasks
	reason      string // of the phase
	rebalancing bool
	owned       []*assignment    // copy of the supervisor's assignments
	revoked     []*assignment    // removed at the last change of the assignments; they may still commit
	retired     map[int]Counters // of assignments removed earlier, by sub-topology id
}

// setAssignments publishes the current assignments.
func (s *status) setAssignments(assignments []*assignment) {
	s.mu.Lock()
	for _, a := range s.revoked {
		s.keep(a)
	}
	s.revoked = slices.DeleteFunc(slices.Clone(s.owned), func(a *assignment) bool { return slices.Contains(assignments, a) })
	s.owned = slices.Clone(assignments)
	s.mu.Unlock()
	s.refresh()
}

// keep adds the counters of a removed assignment to retired. The caller holds mu.
func (s *status) keep(a *assignment) {
	if s.retired == nil {
		s.retired = map[int]Counters{}
	}
	sum := s.retired[a.sub.ID]
	sum.add(a.status.load().Counters)
	s.retired[a.sub.ID] = sum
}

// assignments returns the published assignments.
func (s *status) assignments() []*assignment {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owned // replaced as a whole
}

// read returns the published assignments, and the sums of the counters of all tasks that the process has or had, by
// sub-topology id.
func (s *status) read() ([]*assignment, map[int]Counters) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sums := make(map[int]Counters, len(s.retired))
	for id, sum := range s.retired {
		sums[id] = sum.clone()
	}
	for _, a := range slices.Concat(s.revoked, s.owned) {
		sum := sums[a.sub.ID]
		sum.add(a.status.load().Counters)
		sums[a.sub.ID] = sum
	}
	return s.owned, sums
}

// taskStatus is the published status of one task. The task's owner writes it. Any goroutine may read it.
type taskStatus struct {
	current atomic.Pointer[TaskStatus]
	changed func()     // called when the task's state has changed
	writing sync.Mutex // reportWaiting also writes, beside the opener
	retired Counters   // counters of the task before it was last reopened; only the owner reads it
}

// load returns the published status. Its slices and maps must not be modified.
func (s *taskStatus) load() TaskStatus {
	if t := s.current.Load(); t != nil {
		return *t
	}
	return TaskStatus{}
}

// change publishes a copy of the status, changed by f.
func (s *taskStatus) change(f func(*TaskStatus)) {
	s.writing.Lock()
	t := s.load()
	before := t.State
	f(&t)
	s.current.Store(&t)
	s.writing.Unlock()
	if t.State != before {
		s.changed()
	}
}

// describe returns the status of the task, completed by the supervisor's observation.
func (a *assignment) describe() TaskStatus {
	t := a.status.load()
	seen := a.seen.Load()
	if seen == nil {
		return t
	}
	t.Inputs = slices.Clone(t.Inputs)
	for i := range t.Inputs {
		in := &t.Inputs[i]
		if end, ok := seen.ends[kafka.TopicPartition{Topic: in.Topic, Partition: in.Partition}]; ok {
			in.End = max(in.End, end)
		}
	}
	if seen.stalled != "" && t.State == Processing {
		t.State, t.Reason = Stalled, seen.stalled
	}
	return t
}

// opening publishes that the task is being opened.
func (a *assignment) opening() {
	a.status.change(func(t *TaskStatus) {
		t.Name, t.State, t.Restored = a.name, Opening, RestoreProgress{}
		a.waitsFor.Store(waitOpening)
		t.Stores = nil
		for _, store := range a.sub.Stores {
			t.Stores = append(t.Stores, store.Name())
		}
	})
}

// waiting publishes why the task cannot be opened yet.
func (a *assignment) waiting(reason error) {
	a.status.change(func(t *TaskStatus) { t.Reason = reason.Error() })
	a.waitsFor.Store(kindOf(reason))
}

// recovering publishes that the task was closed because of err. Its uncommitted work is not counted.
func (a *assignment) recovering(err error) {
	a.status.retired = a.status.load().Counters
	a.status.change(func(t *TaskStatus) { t.State, t.Reason = Recovering, err.Error() })
	a.waitsFor.Store(kindOf(err))
}

// publish publishes the task's progress. The worker calls it when the task has no uncommitted work.
func (t *running) publish(now time.Time, reports *reports) {
	t.unpublished = false
	t.notePositions()
	done := t.status.retired.clone()
	done.add(counters(t.task.Counters()))
	reports.dropped(now, t.status.load().Counters, done)
	inputs := make([]InputStatus, len(t.inputs))
	for i, tp := range t.inputs {
		end, ok := t.ends[tp]
		if !ok {
			end = -1
		}
		records, bytes := t.task.Buffered(tp.Topic)
		inputs[i] = InputStatus{
			Topic: tp.Topic, Partition: tp.Partition, End: end,
			Committed: t.task.Committable(tp.Topic), Buffered: records, BufferedBytes: bytes,
		}
	}
	t.status.change(func(s *TaskStatus) {
		s.State, s.Reason, s.Restored = Processing, "", RestoreProgress{}
		s.Inputs, s.Counters, s.Committed = inputs, done, now
		if ms := t.task.StreamTime(); ms >= 0 {
			s.StreamTime = time.UnixMilli(ms).UTC()
		}
	})
}
