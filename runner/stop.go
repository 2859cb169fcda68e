package runner

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// countdown calls then when all that it waits for is done. The supervisor owns it.
type countdown struct {
	left int
	then func()
}

func (c *countdown) done() {
	if c.left--; c.left == 0 {
		c.then()
	}
}

// request is a job that the supervisor has given to a worker.
type request struct {
	done func()
}

// ask has a worker do a job, and calls done in the supervisor's goroutine when it is over: it is done, or the worker was
// abandoned and nothing of it is left to do.
func (s *supervisor) ask(w *worker, job, done func()) {
	r := &request{done}
	w.asked = append(w.asked, r)
	w.inbox.post(func() {
		job()
		if w.call.abandoned() {
			return
		}
		s.inbox.post(func() {
			if i := slices.Index(w.asked, r); i >= 0 {
				w.asked = slices.Delete(w.asked, i, i+1)
				r.done()
			}
		})
	})
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

// cancelOpener ends the opening of a unit, and calls done when it has ended.
func (s *supervisor) cancelOpener(u *unit, done func()) {
	u.cancel()
	go func() {
		<-u.closed
		s.inbox.post(done)
	}()
}

// release commits units and closes their tasks, and then calls then. It does not wait.
func (s *supervisor) release(units []*unit, then func()) {
	interrupt(units, stopGrace)
	s.giveUp(units, (*worker).release, then)
}

// drop closes the tasks of all units and commits nothing, and then calls then. It does not wait.
func (s *supervisor) drop(then func()) {
	interrupt(s.units, 0)
	for _, w := range s.workers {
		w.lost.Store(true)
	}
	all := s.units
	s.giveUp(all, func(w *worker, _ []*unit) { w.drop() }, then)
}

// giveUp takes units out of the books and has their workers do a job that closes their tasks.
func (s *supervisor) giveUp(units []*unit, job func(*worker, []*unit), then func()) {
	pending := &countdown{1, then}
	for _, u := range units {
		if u.worker == nil {
			pending.left++
			s.cancelOpener(u, pending.done)
		}
	}
	for _, w := range s.workers {
		var of []*unit
		for _, u := range units {
			if u.worker == w {
				of = append(of, u)
			}
		}
		if len(of) == 0 {
			continue
		}
		pending.left++
		s.ask(w, func() { job(w, of) }, func() {
			for _, u := range of {
				delete(w.given, u)
			}
			pending.done()
		})
	}
	s.units = slices.DeleteFunc(slices.Clone(s.units), func(u *unit) bool { return slices.Contains(units, u) })
	pending.done()
}

// shutdown commits, closes everything and leaves the group, all within Config.StopTimeout. It returns an error that says
// what has not ended by then.
func (s *supervisor) shutdown(cancel context.CancelFunc) error {
	end := time.Now().Add(s.cfg.StopTimeout)
	leaving := min(s.cfg.StopTimeout/4, 2*time.Second) // what is left of it to leave the group
	deadline := time.NewTimer(s.cfg.StopTimeout - leaving)
	defer deadline.Stop()

	stopped := make(chan struct{})
	pending := &countdown{1 + len(s.workers), func() { close(stopped) }}
	s.release(s.units, pending.done)
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
		s.log.Warn("leave the group", "error", err)
	}
	if len(errs) > 0 {
		return fmt.Errorf("runner: stop: %w", errors.Join(errs...))
	}
	return nil
}

// awaitWorkers waits until all workers have stopped. At the deadline it abandons those that are still in user code, and ends
// the requests of the others.
func (s *supervisor) awaitWorkers(stopped <-chan struct{}, deadline <-chan time.Time, cancel context.CancelFunc) (errs []error) {
	over := false
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
			if over {
				return append(errs, errors.New("tasks that are being opened, or workers that wait for the cluster, have not ended"))
			}
			over = true
			deadline = time.After(time.Second)
			cancel()
			for _, w := range s.workers {
				if _, call := w.call.lasting(); call.of(calling) {
					s.abandon(w, call)
				}
			}
		}
	}
}

// awaitPurging waits for deletions of processed records under way.
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
