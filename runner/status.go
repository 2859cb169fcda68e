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

// Snapshot is what an application says of itself at one moment. Its numbers are those of the last commit of each task.
type Snapshot struct {
	Application string       `json:"application"`
	State       State        `json:"state"`
	Paused      bool         `json:"paused"`   // see App.Pause
	Brokers     []string     `json:"brokers"`  // addresses; that of the embedded broker where Config names none, empty before it has started
	Tasks       []TaskStatus `json:"tasks"`    // those of this process, in the order of their names
	Counters    Counters     `json:"counters"` // of all tasks that this process has or had
}

// TaskStatus is the state of one task.
type TaskStatus struct {
	Name       string          `json:"name"` // <sub-topology>_<partition>, as Kafka Streams names it
	State      TaskState       `json:"state"`
	Reason     string          `json:"reason,omitempty"`    // what it waits for, or why it was closed; empty while it is processing
	Restored   RestoreProgress `json:"restored,omitzero"`   // while it is restoring
	StreamTime time.Time       `json:"streamTime,omitzero"` // greatest event time seen; zero before the first record
	Inputs     []InputStatus   `json:"inputs"`
	Stores     []string        `json:"stores"`             // names
	Committed  time.Time       `json:"committed,omitzero"` // when the numbers here were true: at its last commit, or the last look at its inputs
	Counters   Counters        `json:"counters"`
}

// TaskState says what a task is doing.
type TaskState int32

const (
	Opening    TaskState = iota // its committed offsets are being read and its state restored
	Processing                  // it takes records
	Recovering                  // it was closed after a failure and is going to be opened again
	Stalled                     // it has records to process and makes no progress; see Config.StallTimeout
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

// InputStatus is how far a task has read one of its source partitions.
type InputStatus struct {
	Topic     string `json:"topic"`
	Partition int32  `json:"partition"`
	Committed int64  `json:"committed"` // the next offset to process, as committed
	End       int64  `json:"end"`       // the end of the partition, open transactions included, at the last look or fetch; -1 before
	Buffered  int    `json:"buffered"`  // records fetched and not yet processed

	BufferedBytes int `json:"bufferedBytes"` // about how much memory these records take
}

// Lag returns how many offsets the task is behind the end of the partition, as far as that is known.
func (i InputStatus) Lag() int64 { return max(i.End-i.Committed, 0) }

// RestoreProgress is how much of its changelogs a task has restored, in offsets.
type RestoreProgress struct {
	Done  int64 `json:"done"`
	Total int64 `json:"total"`
}

// Counters counts records, up to the last commit: what was undone is not counted.
type Counters struct {
	Processed int64                     `json:"processed"`
	Sent      int64                     `json:"sent"` // results, without changelogs
	Drops     []Drop                    `json:"drops,omitempty"`
	Skipped   map[processor.Stage]int64 `json:"skipped,omitempty"` // left out by a policy

	DeadLettered map[processor.Stage]int64 `json:"deadLettered,omitempty"` // left out by a policy and written to its topic

	Lookups map[string]state.Lookups `json:"lookups,omitempty"` // of keys in stores, by the store
}

// Drop counts the records that a step left out, as its rules say.
type Drop struct {
	Step    string           `json:"step"`   // as the plan names it, with the line that declared it
	Reason  string           `json:"reason"` // "late", "no-key", "tombstone"
	Count   int64            `json:"count"`
	Example processor.Origin `json:"example"` // the last of them
}

// LeftOut says in words which records did not reach a result, and is empty if all did:
// "3 late (window tumbling 1m0s (main.go:7)), 1 dead-lettered (decode)".
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
	c.Skipped = maps.Clone(c.Skipped)
	c.DeadLettered = maps.Clone(c.DeadLettered)
	c.Lookups = maps.Clone(c.Lookups)
	return c
}

// counters makes the public form of a task's counters.
func counters(of task.Counters) Counters {
	c := Counters{Processed: of.Processed, Sent: of.Sent, Skipped: of.Skipped, DeadLettered: of.DeadLettered, Lookups: of.Lookups}
	for _, drop := range of.Drops {
		c.Drops = append(c.Drops, Drop{
			Step: fmt.Sprintf("%s (%s)", drop.Step.Label(), drop.Step.Where), Reason: string(drop.Reason),
			Count: drop.Count, Example: drop.Example,
		})
	}
	return c
}

// Snapshot returns what the application says of itself now.
func (a *App) Snapshot() Snapshot {
	s := Snapshot{Application: a.runner.cfg.Application, State: a.State(), Paused: a.Paused()}
	if brokers := a.runner.status.brokers.Load(); brokers != nil {
		s.Brokers = slices.Clone(*brokers)
	}
	units, sums := a.runner.status.read()
	for _, u := range units {
		s.Tasks = append(s.Tasks, u.describe())
	}
	for _, id := range slices.Sorted(maps.Keys(sums)) {
		s.Counters.add(sums[id])
	}
	slices.SortFunc(s.Tasks, func(a, b TaskStatus) int { return cmp.Compare(a.Name, b.Name) })
	return s
}

// about names a task that is not processing, and says why.
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

// status is what the goroutines of a runner publish for the handle. Readers never wait for processing.
type status struct {
	brokers atomic.Pointer[[]string]
	changed func(StateChange) // called, with mu held, when the state changes

	mu          sync.Mutex
	state       State  // as it was told last
	phase       State  // what the process as a whole does; while it is Running, the tasks decide about the state
	reason      string // of the phase
	rebalancing bool
	owned       []*unit          // a copy of the supervisor's books
	left        []*unit          // given up at the last change of the books: they may still commit
	past        map[int]Counters // of units that were given up before, by the ids of their sub-topologies
}

// books publishes the units that the process owns now.
func (s *status) books(units []*unit) {
	s.mu.Lock()
	for _, u := range s.left {
		s.keep(u)
	}
	s.left = slices.DeleteFunc(slices.Clone(s.owned), func(u *unit) bool { return slices.Contains(units, u) })
	s.owned = slices.Clone(units)
	s.mu.Unlock()
	s.refresh()
}

// keep adds the counters of a unit to the past. The caller holds mu.
func (s *status) keep(u *unit) {
	if s.past == nil {
		s.past = map[int]Counters{}
	}
	sum := s.past[u.sub.ID]
	sum.add(u.status.load().Counters)
	s.past[u.sub.ID] = sum
}

// units returns the published books.
func (s *status) units() []*unit {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.owned // replaced as a whole
}

// read returns the published units, and the sum of the counters of all units that the process has or had, by the ids of their
// sub-topologies.
func (s *status) read() ([]*unit, map[int]Counters) {
	s.mu.Lock()
	defer s.mu.Unlock()
	sums := make(map[int]Counters, len(s.past))
	for id, sum := range s.past {
		sums[id] = sum.clone()
	}
	for _, u := range slices.Concat(s.left, s.owned) {
		sum := sums[u.sub.ID]
		sum.add(u.status.load().Counters)
		sums[u.sub.ID] = sum
	}
	return s.owned, sums
}

// taskStatus holds the published state of one task. One goroutine writes it at a time, the task's owner; all may read it.
type taskStatus struct {
	current atomic.Pointer[TaskStatus]
	changed func()     // called when the task's state has changed
	writing sync.Mutex // an opener is watched by a goroutine that also writes
	before  Counters   // of the unit's tasks that were closed; only the owner reads it
}

// load returns the published state. Nobody writes to its slices and maps.
func (s *taskStatus) load() TaskStatus {
	if t := s.current.Load(); t != nil {
		return *t
	}
	return TaskStatus{}
}

// change publishes a changed copy.
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

// describe returns the state of a unit's task, with what the supervisor knows of it.
func (u *unit) describe() TaskStatus {
	t := u.status.load()
	seen := u.seen.Load()
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
func (u *unit) opening() {
	u.status.change(func(t *TaskStatus) {
		t.Name, t.State, t.Restored = u.name, Opening, RestoreProgress{}
		u.waitsFor.Store(waitOpening)
		t.Stores = nil
		for _, store := range u.sub.Stores {
			t.Stores = append(t.Stores, store.Name())
		}
	})
}

// waiting publishes why a task cannot be opened yet.
func (u *unit) waiting(reason error) {
	u.status.change(func(t *TaskStatus) { t.Reason = reason.Error() })
	u.waitsFor.Store(kindOf(reason))
}

// recovering publishes that the task was closed because of err. What it had not committed is not counted.
func (u *unit) recovering(err error) {
	u.status.before = u.status.load().Counters
	u.status.change(func(t *TaskStatus) { t.State, t.Reason = Recovering, err.Error() })
	u.waitsFor.Store(kindOf(err))
}

// publish publishes the task's progress. Its worker calls it when it has committed everything that the task has done.
func (t *running) publish(now time.Time, reports *reports) {
	t.news = false
	t.notePositions()
	done := t.status.before.clone()
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
