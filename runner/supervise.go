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

// supervisor decides which worker has which task. Its goroutine owns all of it.
type supervisor struct {
	*runner
	member  *kafka.Membership
	workers []*worker
	units   []*unit  // owned by this process, being opened or at work
	inbox   *mailbox // jobs from workers and openers
	failed  error    // ends the run
	opened  chan opened
	working context.Context                // of the workers' requests
	stuck   map[string]*stuckCall          // by the name of the task, whose directory it keeps
	ends    map[kafka.TopicPartition]int64 // StopAtEnd: where external topics ended at the start
	settled bool                           // there was an assignment
	looking bool                           // the ends of the inputs are being looked up
	looked  time.Duration                  // when that began last, on the runner's clock
	purging sync.WaitGroup
}

// opened is the result of an opener.
type opened struct {
	unit *unit
	task *running
	err  error
}

// supervise joins the group and runs what it assigns, until ctx ends, the end is reached, or an error ends the run.
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
	s.member = r.client.Join(kafka.GroupConfig{
		Group: r.cfg.Application, InstanceID: r.place.processID, // killed and started again, it finds its tasks waiting
		Topics: r.subscription(), SessionTimeout: r.cfg.SessionTimeout,
		UserData:         s.userData,
		RebalanceTimeout: max(time.Minute, r.cfg.MaxProcessing+30*time.Second), // to release a task may take a whole call
		Assign:           assign.New(r.groups(), s.plansDiffer),
	})
	for _, w := range s.workers {
		w.member = s.member
		go w.run()
	}
	r.log.Info("running", "brokers", r.cfg.Brokers, "workers", len(s.workers), "exactly-once", !r.cfg.AtLeastOnce)
	err := s.loop(ctx)
	if err != nil {
		s.status.enter(Stopping, err.Error())
	}
	return errors.Join(err, s.shutdown(cancel))
}

func (s *supervisor) newWorker(id int) *worker {
	w := &worker{
		r: s.runner, id: id, member: s.member, ctx: s.working, inbox: newMailbox(), stopped: make(chan struct{}),
		report: func(f failure) { s.inbox.post(func() { s.recover(f) }) },
		given:  map[*unit]*running{}, byInput: map[kafka.TopicPartition]*running{},
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

// subscription returns the names of all topics that tasks read.
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
				return fmt.Errorf("runner: group %s: %w", s.cfg.Application, ended(rebalance.Err))
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
			if s.finished(ctx) {
				s.status.enter(Stopping, "everything is processed")
				return nil
			}
		}
	}
}

// work does what workers and openers have asked for.
func (s *supervisor) work() {
	for job := s.inbox.take(); job != nil; job = s.inbox.take() {
		job()
	}
}

// rebalance releases what was revoked and opens what was added.
func (s *supervisor) rebalance(rb kafka.Rebalance) {
	s.settled = true
	s.meters.rebalances.Add(1, kindOfRebalance(rb))
	switch {
	case rb.Lost:
		s.log.Warn("tasks lost: the group has given up this process", "partitions", len(rb.Revoked))
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
			u := s.newUnit(sub, p)
			u.dir = s.place.taskDir(sub, p)
			if containsAny(rb.Added, u.inputs) {
				s.launch(u, 0)
				added++
			}
		}
	}
	s.status.books(s.units)
	s.status.enter(Running, "")
	s.log.Info("tasks assigned", "added", added, "revoked", len(rb.Revoked), "now", len(s.units))
}

// withInputs returns the units that read any of the partitions.
func (s *supervisor) withInputs(tps []kafka.TopicPartition) []*unit {
	var units []*unit
	for _, u := range s.units {
		if containsAny(tps, u.inputs) {
			units = append(units, u)
		}
	}
	return units
}

func containsAny(tps, wanted []kafka.TopicPartition) bool {
	return slices.ContainsFunc(wanted, func(tp kafka.TopicPartition) bool { return slices.Contains(tps, tp) })
}

// launch opens a unit's task beside everything else, after a pause if it has failed before. While a call keeps the task's
// directory, it waits for that.
func (s *supervisor) launch(u *unit, failures int) {
	ctx, cancel := context.WithCancel(context.Background())
	u.cancel, u.closed, u.worker = cancel, make(chan struct{}), nil
	u.opening()
	if !slices.Contains(s.units, u) {
		s.units = append(s.units, u)
	}
	stuck := s.stuck[u.name]
	go func() {
		defer close(u.closed)
		if stuck != nil {
			u.waiting(stuck.err)
			select {
			case <-stuck.returned:
			case <-ctx.Done():
				return
			}
		}
		if failures > 0 && pause(ctx, failures) != nil {
			return
		}
		t, err := s.open(ctx, u)
		select {
		case s.opened <- opened{u, t, err}:
		case <-ctx.Done():
			if t != nil {
				t.close(s.log)
			}
		}
	}()
}

// assign gives an opened task to the worker that has the fewest.
func (s *supervisor) assign(o opened) {
	load := func(w *worker) int {
		n := 0
		for _, u := range s.units {
			if u.worker == w {
				n++
			}
		}
		return n
	}
	w := slices.MinFunc(s.workers, func(a, b *worker) int { return load(a) - load(b) })
	o.unit.worker, o.unit.interrupt = w, o.task.cancel
	o.unit.trouble.opened = time.Now()
	o.unit.cancel()
	w.given[o.unit] = o.task
	w.inbox.post(func() { w.adopt(o.task) })
}

// recover opens the tasks again that a worker had to close, or ends the run.
func (s *supervisor) recover(f failure) {
	if final(f.err) {
		s.failed = f.err
		return
	}
	for _, u := range f.units {
		delete(f.worker.given, u)
		if !slices.Contains(s.units, u) || u.worker != f.worker {
			continue
		}
		if lasting := u.trouble.lasting(); lasting > s.cfg.RetryTimeout {
			s.failed = tooLong("task "+u.name, lasting, f.err)
			return
		}
		s.meters.restarts.Add(1, kindOf(f.err))
		s.launch(u, max(u.trouble.failures, 1))
	}
}
