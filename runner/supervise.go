package runner

import (
	"context"
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
	member   *kafka.Membership
	workers  []*worker
	units    []*unit // owned by this process, being opened or at work
	opened   chan opened
	failures chan failure
	started  time.Time
	ends     map[kafka.TopicPartition]int64 // StopAtEnd: where external topics ended at the start
	settled  bool                           // there was an assignment
	purging  sync.WaitGroup
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
		runner: r, opened: make(chan opened), failures: make(chan failure), started: time.Now(),
	}
	if err := s.findEnds(ctx); err != nil {
		return err
	}

	working, cancel := context.WithCancel(context.Background())
	defer cancel()
	if err := s.startWorkers(ctx, working); err != nil {
		return err
	}
	s.member = r.client.Join(kafka.GroupConfig{
		Group: r.cfg.Application, InstanceID: r.place.processID, // killed and started again, it finds its tasks waiting
		Topics: r.subscription(), SessionTimeout: r.cfg.SessionTimeout,
		UserData: s.userData,
		Assign:   assign.New(r.groups(), s.plansDiffer),
	})
	for _, w := range s.workers {
		w.member = s.member
		go w.run()
	}
	r.log.Info("running", "brokers", r.cfg.Brokers, "workers", len(s.workers), "exactly-once", !r.cfg.AtLeastOnce)
	err := s.loop(ctx)
	s.shutdown()
	return err
}

func (s *supervisor) startWorkers(ctx, working context.Context) error {
	for i := range s.cfg.Workers {
		w := &worker{
			r: s.runner, id: i, inbox: make(chan func()), stopped: make(chan struct{}), failures: s.failures,
			ctx: working, byInput: map[kafka.TopicPartition]*running{},
		}
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
	atEnd := make(<-chan time.Time)
	if s.cfg.StopAtEnd {
		look := time.NewTicker(50 * time.Millisecond)
		defer look.Stop()
		atEnd = look.C
	}
	for {
		select {
		case <-ctx.Done():
			s.log.Info("stopping", "reason", context.Cause(ctx))
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
		case f := <-s.failures:
			if err := s.recover(f); err != nil {
				return err
			}
		case <-housekeeping.C:
			s.reports.flush(time.Now(), false)
			if err := s.checkTopics(ctx); err != nil {
				return err
			}
			s.purge(ctx)
			s.savePositions()
		case <-atEnd:
			if s.finished(ctx) {
				s.log.Info("everything is processed")
				return nil
			}
		}
	}
}

// rebalance releases what was revoked and opens what was added.
func (s *supervisor) rebalance(rb kafka.Rebalance) {
	s.settled = true
	switch {
	case rb.Lost:
		s.log.Warn("tasks lost: the group has given up this process", "partitions", len(rb.Revoked))
		s.cancelOpeners(s.units)
		interrupt(s.units, 0)
		for _, w := range s.workers {
			w.do(w.drop)
		}
		s.units = nil
	case len(rb.Revoked) > 0:
		s.release(s.withInputs(rb.Revoked))
	}
	if rb.Lost || len(rb.Revoked) > 0 {
		s.member.Ack()
	}
	added := 0
	for _, sub := range s.plan.Subtopologies {
		for p := range sub.Tasks(s.counts) {
			u := &unit{
				name: fmt.Sprintf("%d_%d", sub.ID, p), sub: sub, partition: p, inputs: s.inputs(sub, p), dir: s.place.taskDir(sub, p),
			}
			if containsAny(rb.Added, u.inputs) {
				s.launch(u, 0)
				added++
			}
		}
	}
	s.status.books(s.units)
	s.enter(Running)
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

// stopGrace is how long the call in hand may take before its context ends, when its task is to be stopped. Most calls
// end by themselves in this time and need not be made again elsewhere.
const stopGrace = time.Second

// interrupt ends the contexts of the units' steps after a while.
func interrupt(units []*unit, after time.Duration) {
	for _, u := range units {
		if u.worker != nil {
			time.AfterFunc(after, u.interrupt)
		}
	}
}

// release commits units and closes their tasks.
func (s *supervisor) release(units []*unit) {
	s.cancelOpeners(units)
	interrupt(units, stopGrace)
	for _, w := range s.workers {
		var of []*unit
		for _, u := range units {
			if u.worker == w {
				of = append(of, u)
			}
		}
		if len(of) > 0 {
			w.do(func() { w.release(of) })
		}
	}
	s.units = slices.DeleteFunc(s.units, func(u *unit) bool { return slices.Contains(units, u) })
}

// launch opens a unit's task beside everything else.
func (s *supervisor) launch(u *unit, delay int) {
	ctx, cancel := context.WithCancel(context.Background())
	u.cancel, u.closed, u.worker = cancel, make(chan struct{}), nil
	u.opening()
	if !slices.Contains(s.units, u) {
		s.units = append(s.units, u)
	}
	go func() {
		defer close(u.closed)
		if delay > 0 && pause(ctx, delay) != nil {
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

// cancelOpeners ends those of the units that are still being opened, and waits for it.
func (s *supervisor) cancelOpeners(units []*unit) {
	for _, u := range units {
		if u.worker == nil {
			u.cancel()
			<-u.closed
		}
	}
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
	o.unit.cancel()
	w.do(func() { w.adopt(o.task) })
}

// recover opens the tasks again that a worker had to let go of, or returns the error that ends the run.
func (s *supervisor) recover(f failure) error {
	if final(f.err) {
		return f.err
	}
	last := s.started
	for _, w := range s.workers {
		if at := time.Unix(0, w.lastCommit.Load()); at.After(last) {
			last = at
		}
	}
	if time.Since(last) > s.cfg.RetryTimeout {
		return fmt.Errorf("runner: nothing could be committed for %v: %w: %w", s.cfg.RetryTimeout, ErrRetryTimeout, f.err)
	}
	for _, u := range f.units {
		if slices.Contains(s.units, u) && u.worker == f.worker {
			s.launch(u, 1)
		}
	}
	return nil
}

// shutdown commits, closes everything and leaves the group.
func (s *supervisor) shutdown() {
	s.enter(Stopping)
	s.cancelOpeners(s.units)
	interrupt(s.units, stopGrace)
	for _, w := range s.workers {
		w.do(func() {
			w.release(s.units)
			w.stop()
		})
		<-w.stopped
	}
	s.reports.flush(time.Now(), true)
	s.purging.Wait()
	s.savePositions()
	ctx, cancel := context.WithTimeout(context.Background(), leaveTimeout)
	defer cancel()
	if err := s.member.Resign(ctx); err != nil {
		s.log.Warn("leave the group", "error", err)
	}
}
