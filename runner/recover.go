package runner

import (
	"fmt"
	"strconv"
	"time"

	"github.com/rio-streams/rio/kafka"
)

// failure is what a worker reports when it had to close its tasks.
type failure struct {
	worker *worker
	err    error
	units  []*unit
}

// fail is the recovery path: close all tasks, end the transaction by making a new producer, and report, so that the tasks
// are opened again at their last commit.
func (w *worker) fail(err error) {
	w.r.log.Warn("closing tasks after a failure", "worker", w.id, "error", err)
	now := time.Now()
	for _, t := range w.tasks {
		t.trouble.failed(now, t.reached(), w.r.cfg.RetryTimeout)
		t.recovering(err)
	}
	w.noteAbort()
	w.closeAll()
	w.closeProducer()
	w.broken, w.since = err, now
	w.retryAt = time.Time{}
	w.careful = true
	if final(err) {
		w.reportFailure()
		w.retryAt = now.Add(time.Hour) // the supervisor ends the run
	}
}

// reached returns the positions that the task has reached, the record in hand included, and has not committed.
func (t *running) reached() map[kafka.TopicPartition]int64 {
	reached := map[kafka.TopicPartition]int64{}
	for _, tp := range t.inputs {
		if at, uncommitted := t.task.Reached(tp.Topic); uncommitted {
			reached[tp] = at
		}
	}
	return reached
}

// reconnect makes a new producer, waiting between attempts, and then reports the failure.
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
	w.r.log.Warn("producer cannot start yet", "worker", w.id, "error", err)
	w.retryAt = time.Now().Add(backoff(w.attempt))
	w.attempt++
	lasting := time.Since(w.since)
	if !final(err) && lasting > w.r.cfg.RetryTimeout {
		err = tooLong("worker "+strconv.Itoa(w.id), lasting, err)
	}
	if final(err) {
		w.broken = err
		w.reportFailure()
		w.retryAt = time.Now().Add(time.Hour)
	}
}

// tooLong is the error that ends a run when trying again has not helped.
func tooLong(who string, lasting time.Duration, err error) error {
	return fmt.Errorf("runner: %s has failed again and again for %v: %w: %w", who, lasting.Round(time.Second), ErrRetryTimeout, err)
}

func (w *worker) reportFailure() {
	w.report(failure{w, w.broken, w.dropped})
	w.dropped = nil
}
