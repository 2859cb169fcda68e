package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/runner/internal/assign"
)

// supervisor decides which worker has which task. Its goroutine owns all fields.
type supervisor struct {
	*runner
	member        *kafka.Membership
	workers       []*worker
	assignments   []*assignment // of this process: being opened, running or recovering
	inbox         *mailbox      // jobs from workers and openers
	failed        error         // ends the run
	opened        chan opened
	working       context.Context                // of the workers' requests to the cluster
	stuck         map[string]*stuckCall          // by the name of the task, whose directory is in use
	ends          map[kafka.TopicPartition]int64 // StopAtEnd: where external topics ended at the start
	assigned      bool                           // the group has assigned tasks at least once
	lookingUpEnds bool                           // a lookup of the ends of the inputs is in progress
	lookedUpEnds  time.Duration                  // when the last lookup began, on the runner's clock
	purging       sync.WaitGroup
}

// opened is the result of an opener.
type opened struct {
	assignment *assignment
	task       *running
	err        error
}

// supervise joins the group and runs the assigned tasks, until ctx ends, the end of the input is reached, or an error ends
// the run.
func (r *runner) supervise(ctx context.Context) error {
	s := &supervisor{
		runner: r, inbox: newMailbox(), opened: make(chan opened), stuck: map[string]*stuckCall{},
	}
	if err := s.findEnds(ctx); err != nil {
		return err
	}

	working, cancel := context.WithCancel(context.Background())
	defer cancel()
	s.working = working
	if err := s.startWorkers(ctx); err != nil {
		return err
	}
	if err := s.openGlobals(ctx); err != nil { // after the workers have aborted transactions that an earlier process left open
		for _, w := range s.workers {
			w.closeProducer()
		}
		return err
	}
	s.globals.follow(func(err error) { s.inbox.post(func() { s.failed = err }) })
	s.member = r.client.Join(kafka.GroupConfig{
		Group: r.cfg.Application, InstanceID: r.place.processID, // static membership: a process that is killed and restarted keeps its tasks
		Topics: r.subscription(), SessionTimeout: r.cfg.SessionTimeout,
		UserData:         s.userData,
		RebalanceTimeout: max(time.Minute, r.cfg.MaxProcessing+30*time.Second), // releasing a task can take a whole call
		Assignors:        []kafka.Assignor{assign.New(r.groups(), s.plansDiffer)},
	})
	for _, w := range s.workers {
		w.member = s.member
		go w.run()
	}
	r.log.Info("application started", "brokers", r.cfg.Brokers, "workers", len(s.workers), "exactly-once", !r.cfg.AtLeastOnce)
	err := s.loop(ctx)
	if err != nil {
		s.status.enter(Stopping, err.Error())
	}
	return errors.Join(err, s.shutdown(cancel))
}

func (s *supervisor) newWorker(id int) *worker {
	w := &worker{
		r: s.runner, id: id, member: s.member, ctx: s.working, inbox: newMailbox(), answers: newMailbox(), stopped: make(chan struct{}),
		report: func(f failure) { s.inbox.post(func() { s.recover(f) }) },
		given:  map[*assignment]*running{}, byInput: map[kafka.TopicPartition]*running{},
	}
	s.meters.workers[id].Store(w)
	return w
}

func (s *supervisor) startWorkers(ctx context.Context) error {
	for i := range s.cfg.Workers {
		w := s.newWorker(i)
		if err := w.connect(ctx); err != nil {
			for _, started := range s.workers {
				started.closeProducer()
			}
			return err
		}
		s.workers = append(s.workers, w)
	}
	return nil
}

// subscription returns the names of all input topics.
func (r *runner) subscription() []string {
	var topics []string
	for _, group := range r.groups() {
		topics = append(topics, group.Topics...)
	}
	return topics
}

func (s *supervisor) loop(ctx context.Context) error {
	housekeeping := time.NewTicker(housekeepingInterval)
	defer housekeeping.Stop()
	watch := time.NewTicker(min(time.Second, s.cfg.MaxProcessing/4))
	defer watch.Stop()
	atEnd := make(<-chan time.Time)
	if s.cfg.StopAtEnd {
		look := time.NewTicker(50 * time.Millisecond)
		defer look.Stop()
		atEnd = look.C
	}
	for {
		select {
		case <-ctx.Done():
			s.status.enter(Stopping, context.Cause(ctx).Error())
			return nil
		case rebalance := <-s.member.Rebalances():
			if rebalance.Err != nil {
				return fmt.Errorf("runner: group %s: %w", s.cfg.Application, membershipError(rebalance.Err))
			}
			s.rebalance(rebalance)
			if err := s.checkTopics(ctx); err != nil {
				return err
			}
		case o := <-s.opened:
			if o.err != nil {
				return o.err
			}
			s.assign(o)
		case <-s.inbox.wake:
			if s.work(); s.failed != nil {
				return s.failed
			}
		case <-watch.C:
			s.watch()
			s.observe(ctx)
		case <-housekeeping.C:
			s.reports.flush(time.Now(), false)
			if err := s.checkTopics(ctx); err != nil {
				return err
			}
			s.purge(ctx)
			s.savePositions()
		case <-atEnd:
			if s.reachedEnd(ctx) {
				s.status.enter(Stopping, "all records are processed")
				return nil
			}
		}
	}
}

// work runs the jobs in the inbox.
func (s *supervisor) work() {
	for job := s.inbox.take(); job != nil; job = s.inbox.take() {
		job()
	}
}

// rebalance releases revoked tasks and opens added ones.
func (s *supervisor) rebalance(rb kafka.Rebalance) {
	s.assigned = true
	s.meters.rebalances.Add(1, kindOfRebalance(rb))
	switch {
	case rb.Lost:
		s.log.Warn("tasks lost: the group has removed this process", "partitions", len(rb.Revoked))
		s.drop(s.member.Ack)
	case len(rb.Revoked) > 0:
		s.status.setRebalancing(true)
		s.release(s.withInputs(rb.Revoked), func() {
			s.member.Ack()
			s.status.setRebalancing(false)
		})
	}
	added := 0
	for _, sub := range s.plan.Subtopologies {
		for p := range sub.Tasks(s.counts) {
			a := s.newAssignment(sub, p)
			a.dir = s.place.taskDir(sub, p)
			if containsAny(rb.Added, a.inputs) {
				s.launch(a, 0)
				added++
			}
		}
	}
	s.status.setAssignments(s.assignments)
	s.status.enter(Running, "")
	s.log.Info("tasks assigned", "added", added, "revoked", len(rb.Revoked), "now", len(s.assignments))
}

// withInputs returns the assignments that read any of the partitions.
func (s *supervisor) withInputs(tps []kafka.TopicPartition) []*assignment {
	var assignments []*assignment
	for _, a := range s.assignments {
		if containsAny(tps, a.inputs) {
			assignments = append(assignments, a)
		}
	}
	return assignments
}

func containsAny(tps, wanted []kafka.TopicPartition) bool {
	return slices.ContainsFunc(wanted, func(tp kafka.TopicPartition) bool { return slices.Contains(tps, tp) })
}

// launch opens a task in a goroutine of its own. That goroutine first waits until an abandoned call of the task has returned,
// and pauses if the task has failed before.
func (s *supervisor) launch(a *assignment, failures int) {
	ctx, cancel := context.WithCancel(context.Background())
	a.cancel, a.closed, a.worker = cancel, make(chan struct{}), nil
	a.opening()
	if !slices.Contains(s.assignments, a) {
		s.assignments = append(s.assignments, a)
	}
	stuck := s.stuck[a.name]
	go func() {
		defer close(a.closed)
		if stuck != nil {
			a.waiting(stuck.err)
			select {
			case <-stuck.returned:
			case <-ctx.Done():
				return
			}
		}
		if failures > 0 && pause(ctx, failures) != nil {
			return
		}
		t, err := s.open(ctx, a)
		select {
		case s.opened <- opened{a, t, err}:
		case <-ctx.Done():
			if t != nil {
				t.close(s.log)
			}
		}
	}()
}

// assign gives an opened task to the worker with the fewest tasks.
func (s *supervisor) assign(o opened) {
	load := func(w *worker) int {
		n := 0
		for _, a := range s.assignments {
			if a.worker == w {
				n++
			}
		}
		return n
	}
	w := slices.MinFunc(s.workers, func(a, b *worker) int { return load(a) - load(b) })
	o.assignment.worker, o.assignment.interrupt = w, o.task.cancel
	o.assignment.streak.opened = time.Now()
	o.assignment.cancel()
	w.given[o.assignment] = o.task
	w.inbox.post(func() { w.adopt(o.task) })
}

// recover reopens the tasks that a worker has closed because of a failure. If the failure is fatal or has lasted too long,
// it ends the run.
func (s *supervisor) recover(f failure) {
	if fatal(f.err) {
		s.failed = f.err
		return
	}
	for _, a := range f.assignments {
		delete(f.worker.given, a)
		if !slices.Contains(s.assignments, a) || a.worker != f.worker {
			continue
		}
		if elapsed := a.streak.elapsed(); elapsed > s.cfg.RetryTimeout {
			s.failed = retryTimeoutError("task "+a.name, elapsed, f.err)
			return
		}
		s.meters.restarts.Add(1, kindOf(f.err))
		s.launch(a, max(a.streak.failures, 1))
	}
}
