package runner

import (
	"fmt"
	"strconv"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// failure is a worker's report that it has closed its tasks because of an error.
type failure struct {
	worker      *worker
	err         error
	assignments []*assignment
}

// fail starts the recovery from err: it closes all tasks and the producer. Then reconnect makes a new producer, which aborts
// the open transaction, and reports the failure, and the supervisor has the tasks reopened at their last commit.
func (w *worker) fail(err error) {
	w.r.log.Warn("closing all tasks of a worker after a failure", "worker", w.id, "error", err)
	now := time.Now()
	for _, t := range w.tasks {
		t.streak.failed(now, t.reached(), w.r.cfg.RetryTimeout)
		t.recovering(err)
	}
	w.noteAbort()
	w.closeAll()
	w.closeProducer()
	w.broken, w.brokenSince = err, now
	w.retryAt = time.Time{}
	w.commitEach = true
	if fatal(err) {
		w.reportFailure()
		w.retryAt = now.Add(time.Hour) // the supervisor ends the run
	}
}

// reached returns the uncommitted positions of the task, after the current record.
func (t *running) reached() map[kafka.TopicPartition]int64 {
	reached := map[kafka.TopicPartition]int64{}
	for _, tp := range t.inputs {
		if at, uncommitted := t.task.Reached(tp.Topic); uncommitted {
			reached[tp] = at
		}
	}
	return reached
}

// reconnect makes a new producer and then reports the failure. It makes at most one attempt per call and waits until the
// next one is due.
func (w *worker) reconnect() {
	if wait := time.Until(w.retryAt); wait > 0 {
		timer := time.NewTimer(wait)
		defer timer.Stop()
		select {
		case <-w.inbox.wake:
		case <-timer.C:
		}
		return
	}
	err := w.connect(w.ctx)
	if err == nil {
		w.attempt = 0
		w.reportFailure()
		w.broken = nil
		return
	}
	w.r.log.Warn("failed to start a producer; retrying", "worker", w.id, "error", err)
	w.retryAt = time.Now().Add(backoff(w.attempt))
	w.attempt++
	elapsed := time.Since(w.brokenSince)
	if !fatal(err) && elapsed > w.r.cfg.RetryTimeout {
		err = retryTimeoutError("worker "+strconv.Itoa(w.id), elapsed, err)
	}
	if fatal(err) {
		w.broken = err
		w.reportFailure()
		w.retryAt = time.Now().Add(time.Hour)
	}
}

// retryTimeoutError returns the error that ends a run when retries have not helped.
func retryTimeoutError(who string, elapsed time.Duration, err error) error {
	return fmt.Errorf("runner: %s has been failing for %v: %w: %w", who, elapsed.Round(time.Second), ErrRetryTimeout, err)
}

func (w *worker) reportFailure() {
	w.report(failure{w, w.broken, w.unreported})
	w.unreported = nil
}
