package topologytest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/internal/replica"
	"github.com/rio-streams/rio/internal/task"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/topology"
)

// Config configures a test. The zero value works. None of the settings changes the results of a topology, which is
// worth a test.
type Config struct {
	// Partitions is the number of partitions of every topic that does not set its own. Default: 1.
	Partitions int

	// Topics lists the topics that exist for Topic.NamedBy; a record for any other fails. Default: all names exist.
	Topics []string

	// HoldCalls holds the calls of each MapAsync until they are answered: see Driver.Answer. Default: the functions are
	// called at once.
	HoldCalls bool

	// CommitEvery is the number of records after which a task commits. Default: 0, at the end of every call of the
	// driver.
	CommitEvery int

	// Batch is the maximum number of records a task gets at a time. Default: all available.
	Batch int

	// State holds the budget of the caches.
	State state.Options

	// OpenState opens the state database of a task, or that of the global tables, called "global". Default: in memory.
	OpenState func(task string) (state.DB, error)

	// Policies are applied to records that fail. Default: the call that sent them fails.
	Policies processor.Policies

	// Start is the initial wall-clock time. Default: 2026-01-01T00:00:00Z.
	Start time.Time
}

// Driver runs a topology on simulated time: it runs the same tasks as the runner, on a log in memory. Use it in one
// goroutine.
type Driver struct {
	cfg    Config
	plan   *plan.Plan
	counts map[string]int32
	chosen map[string]*plan.Topic // topics that records have chosen to be written to, by name
	log    *log
	global *globals // nil without global tables
	tasks  []*member
	clock  time.Time
}

// member is a task and the state that the runner would keep for it.
type member struct {
	sub       *plan.Subtopology
	partition int32
	name      string
	db        state.DB
	task      *task.Task
	cancel    context.CancelFunc     // ends the context of the task's steps
	fetched   map[string]int64       // topic → next offset to pass to the task
	committed map[string]task.Offset // topic → committed offset
	since     int                    // records since the last commit
	held      []*heldCall            // calls to the outside that wait for an answer
	open      []task.Out             // records of the open transaction
}

// New starts a topology.
func New(t *topology.Topology, cfg Config) (*Driver, error) {
	if t == nil {
		return nil, errors.New("topologytest: no topology to test: Build returned an error that was ignored")
	}
	if cfg.Start.IsZero() {
		cfg.Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	}
	if cfg.OpenState == nil {
		cfg.OpenState = func(string) (state.DB, error) { return state.NewMemory(), nil }
	}
	if err := cfg.Policies.Validate(); err != nil {
		return nil, err
	}
	if err := t.Plan().CheckPolicies(cfg.Policies); err != nil {
		return nil, err
	}
	d := &Driver{cfg: cfg, plan: t.Plan(), chosen: map[string]*plan.Topic{}, clock: cfg.Start, log: newLog()}
	external := map[string]int32{}
	for name, topic := range d.plan.Topics {
		external[name] = max(topic.Partitions, int32(cfg.Partitions), 1)
		if topic.Partitions > 0 {
			external[name] = topic.Partitions
		}
	}
	counts, err := d.plan.ResolvePartitions(external)
	if err != nil {
		return nil, err
	}
	if name := cfg.Policies.DeadLetters; name != "" && counts[name] == 0 {
		counts[name] = 1
	}
	d.counts = counts
	if err := d.openGlobals(); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	for _, sub := range d.plan.Subtopologies {
		for p := range sub.Tasks(counts) {
			m := &member{sub: sub, partition: p, name: sub.TaskName(p), committed: map[string]task.Offset{}}
			d.tasks = append(d.tasks, m)
			if err := d.start(m); err != nil {
				return nil, errors.Join(err, d.Close())
			}
		}
	}
	return d, nil
}

// start creates a member's task from its committed offsets, its database, and the changelogs beyond it.
func (d *Driver) start(m *member) (err error) {
	if m.db == nil {
		if m.db, err = d.cfg.OpenState(m.name); err != nil {
			return err
		}
	}
	var metadata []string
	for _, offset := range m.committed {
		metadata = append(metadata, offset.Metadata)
	}
	logs, err := d.restore(m)
	if err != nil {
		return err
	}
	m.open, m.since, m.held, m.fetched = nil, 0, nil, map[string]int64{}
	ctx, cancel := context.WithCancel(context.Background())
	m.cancel = cancel
	m.task, err = task.New(task.Config{
		Context: ctx,
		Plan:    d.plan, Subtopology: m.sub, Partition: m.partition, Counts: d.counts,
		DB: m.db, State: d.cfg.State, Policies: d.cfg.Policies, Metadata: metadata, Now: d.Now, Output: m,
		Partitions: d.partitions, Call: func(c *task.Call) { d.call(m, c) },
		Shared: d.global.shared(),
	})
	if err != nil {
		cancel()
		return err
	}
	if err := d.load(m, logs); err != nil {
		return err
	}
	for _, topic := range m.task.Topics() {
		m.fetched[topic] = m.committed[topic].Next
		if err := m.task.Seek(topic, m.fetched[topic]); err != nil {
			return err
		}
	}
	return m.task.Tick(d.clock)
}

// partitions returns the number of partitions of a topic that a record has chosen.
func (d *Driver) partitions(t *plan.Topic, name string) (int32, error) {
	if n, ok := d.counts[name]; ok {
		return n, nil
	}
	if d.cfg.Topics != nil && !slices.Contains(d.cfg.Topics, name) {
		return 0, fmt.Errorf("no such topic: %s", name)
	}
	d.chosen[name] = t
	return max(int32(d.cfg.Partitions), 1), nil
}

// restore restores the stores of a member to the ends of their changelogs.
func (d *Driver) restore(m *member) ([]replica.Log, error) {
	r, err := replica.Open(m.db, replica.Config{
		Plan: d.plan, Subtopology: m.sub, Partition: m.partition, Names: d.plan.Names(), State: d.cfg.State,
	})
	if err != nil {
		return nil, err
	}
	defer r.Close()
	for _, log := range r.Logs() {
		end := d.log.end(log.Topic, m.partition)
		if log.Source || log.From >= end {
			continue
		}
		if err := r.Apply(log.Topic, d.log.read(log.Topic, m.partition, log.From, end), end); err != nil {
			return nil, err
		}
	}
	return r.Logs(), nil
}

// load loads source tables up to the committed offsets of their topics.
func (d *Driver) load(m *member, logs []replica.Log) error {
	for _, log := range logs {
		end := m.committed[log.Topic].Next
		if !log.Source || log.From >= end {
			continue
		}
		if err := m.task.Load(log.Topic, d.log.read(log.Topic, m.partition, log.From, end), end); err != nil {
			return err
		}
	}
	return nil
}

// stop closes the member's task.
func (m *member) stop() error {
	if m.task == nil {
		return nil
	}
	m.cancel()
	return m.task.Close()
}

// Send adds a record that the task emits to its open transaction.
func (m *member) Send(out task.Out) error {
	out.Key, out.Value, out.Headers = clone(out.Key), clone(out.Value), cloneHeaders(out.Headers)
	m.open = append(m.open, out)
	return nil
}

// run runs the tasks until nothing is left to do. It commits at the end unless CommitEvery is set.
func (d *Driver) run() error {
	for progress := true; progress; {
		progress = false
		for _, m := range d.tasks {
			n, err := d.work(m)
			if err != nil {
				return err
			}
			progress = progress || n > 0
			if d.cfg.CommitEvery == 0 {
				if err := d.commit(m); err != nil {
					return err
				}
			}
		}
		progress = progress || d.anyUnread() // records that commits or timers have made visible
	}
	return nil
}

// work passes new records of the log to a member and processes them.
func (d *Driver) work(m *member) (int, error) {
	total := 0
	for {
		if err := d.global.follow(d.log); err != nil {
			return total, err
		}
		for _, topic := range m.task.Topics() {
			end := d.log.end(topic, m.partition)
			if d.cfg.Batch > 0 {
				end = min(end, m.fetched[topic]+int64(d.cfg.Batch))
			}
			if end > m.fetched[topic] || total == 0 {
				records := d.log.read(topic, m.partition, m.fetched[topic], end)
				m.task.Add(topic, records, end, end == d.log.end(topic, m.partition))
				m.fetched[topic] = end
			}
		}
		limit := 1 << 20
		if d.cfg.CommitEvery > 0 {
			limit = d.cfg.CommitEvery - m.since
			if limit <= 0 { // a commit that waits for calls
				if err := d.commit(m); err != nil {
					return total, err
				}
				limit = max(d.cfg.CommitEvery-m.since, 0)
			}
		}
		n, err := m.task.Step(limit, m.task.CommitRequested)
		var retry *task.RetryError
		if errors.As(err, &retry) { // time is simulated, so the backoff is skipped
			total += max(n, 1)
			continue
		}
		if err != nil {
			return total, err
		}
		total += n
		m.since += n
		if d.cfg.CommitEvery > 0 && m.since >= d.cfg.CommitEvery || m.task.CommitRequested() {
			if err := d.commit(m); err != nil {
				return total, err
			}
		}
		if n == 0 && !d.hasUnread(m) {
			return total, nil
		}
	}
}

// hasUnread reports whether the log has records that the member has not been given.
func (d *Driver) hasUnread(m *member) bool {
	for _, topic := range m.task.Topics() {
		if m.fetched[topic] < d.log.end(topic, m.partition) {
			return true
		}
	}
	return false
}

// commit commits a member's transaction: its records become visible, and its offsets and state are kept. It does nothing
// while calls to the outside are held.
func (d *Driver) commit(m *member) error {
	if waits, err := m.settle(); waits || err != nil {
		return err
	}
	if err := m.task.Flush(); err != nil {
		return err
	}
	last := map[string]int64{}
	for _, out := range m.open {
		last[key(out.Topic, out.Partition)] = d.log.append(out)
	}
	for _, offset := range m.task.Offsets() {
		m.committed[offset.Topic] = offset
	}
	m.open, m.since = nil, 0
	return m.task.Committed(func(topic string, partition int32) (int64, bool) {
		offset, ok := last[key(topic, partition)]
		return offset, ok
	})
}

// Commit commits all open transactions and lets the tasks process each other's results.
func (d *Driver) Commit() error {
	for {
		for _, m := range d.tasks {
			if len(m.held) > 0 {
				return fmt.Errorf("topologytest: a commit waits for %d calls: answer them first", len(m.held))
			}
			if err := d.commit(m); err != nil {
				return err
			}
		}
		if !d.anyUnread() {
			return nil
		}
		if err := d.run(); err != nil {
			return err
		}
	}
}

func (d *Driver) anyUnread() bool {
	for _, m := range d.tasks {
		if d.hasUnread(m) {
			return true
		}
	}
	return false
}

// Advance advances the wall clock and fires the timers that are due.
func (d *Driver) Advance(by time.Duration) error {
	d.clock = d.clock.Add(by)
	for _, m := range d.tasks {
		d.timeOut(m)
		if err := m.task.Tick(d.clock); err != nil {
			return err
		}
	}
	return d.run()
}

// Crash kills all tasks and starts them again: uncommitted work is lost and redone.
func (d *Driver) Crash() error {
	for _, m := range d.tasks {
		if err := m.stop(); err != nil {
			return err
		}
	}
	if err := d.reopenGlobals(false); err != nil {
		return err
	}
	for _, m := range d.tasks {
		if err := d.start(m); err != nil {
			return err
		}
	}
	return d.run()
}

// Restart commits, discards the local state and restores it from the changelogs, as on a new machine.
func (d *Driver) Restart() error {
	if err := d.Commit(); err != nil {
		return err
	}
	for _, m := range d.tasks {
		if err := errors.Join(m.stop(), m.db.Close()); err != nil {
			return err
		}
		m.db = nil
	}
	if err := d.reopenGlobals(true); err != nil {
		return err
	}
	for _, m := range d.tasks {
		if err := d.start(m); err != nil {
			return err
		}
	}
	return d.run()
}

// Close ends the tasks.
func (d *Driver) Close() error {
	var errs []error
	for _, m := range d.tasks {
		errs = append(errs, m.stop())
		if m.db != nil {
			errs = append(errs, m.db.Close())
		}
	}
	errs = append(errs, d.global.close())
	return errors.Join(errs...)
}

// Now returns the wall clock's time.
func (d *Driver) Now() time.Time { return d.clock }
