package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// countdown calls next after done has been called left times. The supervisor owns it.
type countdown struct {
	left int
	next func()
}

func (c *countdown) done() {
	if c.left--; c.left == 0 {
		c.next()
	}
}

// request is a job that the supervisor has sent to a worker.
type request struct {
	done func()
}

// ask has a worker do a job. When the job is done, or the worker is abandoned and the job has become unnecessary, it calls
// done in the supervisor's goroutine.
func (s *supervisor) ask(w *worker, job, done func()) {
	r := &request{done}
	w.requests = append(w.requests, r)
	w.inbox.post(func() {
		job()
		if w.call.abandoned() {
			return
		}
		s.inbox.post(func() {
			if i := slices.Index(w.requests, r); i >= 0 {
				w.requests = slices.Delete(w.requests, i, i+1)
				r.done()
			}
		})
	})
}

// stopGrace is how long the current call of a task that is being released may take before its context ends. Most calls
// return by themselves in this time, so their records need not be processed again elsewhere.
const stopGrace = time.Second

// interrupt ends the contexts of the tasks' steps after a delay.
func interrupt(assignments []*assignment, after time.Duration) {
	for _, a := range assignments {
		if a.worker != nil {
			time.AfterFunc(after, a.interrupt)
		}
	}
}

// cancelOpener cancels the opening of a task. It calls done when the opener has ended.
func (s *supervisor) cancelOpener(a *assignment, done func()) {
	a.cancel()
	go func() {
		<-a.closed
		s.inbox.post(done)
	}()
}

// release commits and closes tasks, and then calls next. It does not wait.
func (s *supervisor) release(assignments []*assignment, next func()) {
	interrupt(assignments, stopGrace)
	s.closeTasks(assignments, (*worker).release, next)
}

// drop closes all tasks without a commit, and then calls next. It does not wait.
func (s *supervisor) drop(next func()) {
	interrupt(s.assignments, 0)
	for _, w := range s.workers {
		w.lost.Store(true)
	}
	all := s.assignments
	s.closeTasks(all, func(w *worker, _ []*assignment) { w.drop() }, next)
}

// closeTasks removes assignments and has their workers do a job that closes the tasks. Then it calls next.
func (s *supervisor) closeTasks(assignments []*assignment, job func(*worker, []*assignment), next func()) {
	pending := &countdown{1, next}
	for _, a := range assignments {
		if a.worker == nil {
			pending.left++
			s.cancelOpener(a, pending.done)
		}
	}
	for _, w := range s.workers {
		var released []*assignment
		for _, a := range assignments {
			if a.worker == w {
				released = append(released, a)
			}
		}
		if len(released) == 0 {
			continue
		}
		pending.left++
		s.ask(w, func() { job(w, released) }, func() {
			for _, a := range released {
				delete(w.given, a)
			}
			pending.done()
		})
	}
	s.assignments = slices.DeleteFunc(slices.Clone(s.assignments), func(a *assignment) bool { return slices.Contains(assignments, a) })
	pending.done()
}

// shutdown commits, closes everything and leaves the group within Config.StopTimeout. It returns an error that names the
// handlers and tasks that have not ended by then.
func (s *supervisor) shutdown(cancel context.CancelFunc) error {
	end := time.Now().Add(s.cfg.StopTimeout)
	leaving := min(s.cfg.StopTimeout/4, 2*time.Second) // reserved for leaving the group
	deadline := time.NewTimer(s.cfg.StopTimeout - leaving)
	defer deadline.Stop()

	stopped := make(chan struct{})
	pending := &countdown{1 + len(s.workers), func() { close(stopped) }}
	s.release(s.assignments, pending.done)
	for _, w := range s.workers {
		s.ask(w, w.stop, pending.done)
	}
	errs := s.awaitWorkers(stopped, deadline.C, cancel)
	for _, call := range s.stuck {
		errs = append(errs, call.err)
	}
	s.reports.flush(time.Now(), true)
	s.savePositions()
	ctx, cancelLeave := context.WithTimeout(context.Background(), min(max(time.Until(end), leaving), leaveTimeout))
	defer cancelLeave()
	s.awaitPurging(ctx)
	if err := s.member.Resign(ctx); err != nil {
		s.log.Warn("failed to leave the group", "error", err)
	}
	if len(errs) > 0 {
		return fmt.Errorf("runner: stop: %w", errors.Join(errs...))
	}
	return nil
}

// awaitWorkers waits until all workers have stopped. At the deadline it abandons the workers that are still in user code,
// and cancels the requests of the others.
func (s *supervisor) awaitWorkers(stopped <-chan struct{}, deadline <-chan time.Time, cancel context.CancelFunc) (errs []error) {
	forced := false
	for {
		s.work()
		select {
		case <-stopped:
			for _, w := range s.workers {
				if !w.call.abandoned() {
					<-w.stopped
				}
			}
			return errs
		case <-s.inbox.wake:
		case <-deadline:
			if forced {
				return append(errs, errors.New("some openers or workers have not ended; they are waiting for the cluster"))
			}
			forced = true
			deadline = time.After(time.Second)
			cancel()
			for _, w := range s.workers {
				if _, call := w.call.elapsed(); call.of(calling) {
					s.abandon(w, call)
				}
			}
		}
	}
}

// awaitPurging waits for purges in progress.
func (s *supervisor) awaitPurging(ctx context.Context) {
	done := make(chan struct{})
	go func() {
		s.purging.Wait()
		close(done)
	}()
	select {
	case <-done:
	case <-ctx.Done():
	}
}
