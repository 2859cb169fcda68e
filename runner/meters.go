package runner

import (
	"errors"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/rio-streams/rio/broker"
	"github.com/rio-streams/rio/internal/plan"
	"github.com/rio-streams/rio/kafka"
	"github.com/rio-streams/rio/metrics"
	"github.com/rio-streams/rio/processor"
	"github.com/rio-streams/rio/state"
	"github.com/rio-streams/rio/state/pebblestore"
)

// meters contains the measurements of a runner's goroutines, apart from the counters of tasks. They are updated at most
// once per turn or commit. Writers never wait for readers.
type meters struct {
	commits *metrics.Histogram         // durations
	turns   *metrics.Histogram         // durations
	latency map[int]*metrics.Histogram // by sub-topology id
	aborted atomic.Int64               // number of aborted transactions

	retries, rebalances, restarts metrics.Tally

	workers []atomic.Pointer[worker] // by id
	shared  atomic.Pointer[shared]   // nil until the process has taken its place

	embedded bool                          // the process has an embedded broker
	broker   atomic.Pointer[broker.Broker] // nil until it has started
}

// shared contains the resources that all tasks of a process share.
type shared struct {
	budget    *state.Budget
	resources *pebblestore.Resources
}

func newMeters(p *plan.Plan, cfg Config) *meters {
	m := &meters{
		commits: metrics.NewHistogram(metrics.CommitDuration), turns: metrics.NewHistogram(metrics.TurnDuration),
		latency: map[int]*metrics.Histogram{},
		workers: make([]atomic.Pointer[worker], cfg.Workers), embedded: len(cfg.Brokers) == 0,
	}
	for _, sub := range p.Subtopologies {
		m.latency[sub.ID] = metrics.NewHistogram(metrics.Latency)
		m.retries.Add(0, strconv.Itoa(sub.ID), string(processor.Process))
	}
	for _, kind := range []string{rebalanceAssigned, rebalanceRevoked, rebalanceLost} {
		m.rebalances.Add(0, kind)
	}
	for _, kind := range []string{waitCluster, waitGroup, waitHandler, waitState, waitTransaction} {
		m.restarts.Add(0, kind)
	}
	return m
}

// workerMeter contains the measurements of one worker.
type workerMeter struct {
	dirtySince atomic.Int64 // time of the first uncommitted change, in nanoseconds on the runner's clock; 0 without one
	dirtyBytes atomic.Int64 // size of the changed rows at the last check whether a commit is due
}

// noteDirty sets dirtySince when the worker has become dirty.
func (w *worker) noteDirty() {
	if w.dirty && w.meter.dirtySince.Load() == 0 {
		w.meter.dirtySince.Store(int64(clock()))
	}
}

// noteOldest stores the timestamp of the first record since the last commit, which waits longest. One sample per commit is
// enough to measure latency.
func (t *running) noteOldest() {
	if t.oldest == 0 {
		t.oldest = t.task.First()
	}
}

// noteCommit measures a successful commit of tasks.
func (w *worker) noteCommit(tasks []*running) {
	now := time.Now()
	w.meter.dirtySince.Store(0)
	w.meter.dirtyBytes.Store(0)
	w.r.meters.commits.Observe(now.Sub(w.committed).Seconds())
	for _, t := range tasks {
		if t.oldest > 0 {
			w.r.meters.latency[t.sub.ID].Observe(max(float64(now.UnixMilli()-t.oldest)/1000, 0))
			t.oldest = 0
		}
	}
}

// noteAbort counts uncommitted work as an aborted transaction, also if none of its records have been sent yet, so that the
// coordinator knows of no transaction. The worker is no longer dirty after that.
func (w *worker) noteAbort() {
	dirty := w.meter.dirtySince.Swap(0) > 0
	w.meter.dirtyBytes.Store(0)
	p := w.sending.Load()
	if !w.r.cfg.AtLeastOnce && (dirty || p != nil && p.InTransaction()) {
		w.r.meters.aborted.Add(1)
	}
}

// Reasons why a task waits or was closed. They are values of a metric label, so there are few.
const (
	waitOpening     = "opening"     // the task is being opened, and nothing is wrong so far
	waitRestore     = "restore"     // changelogs are being read
	waitCluster     = "cluster"     // the cluster does not respond, or has returned an error that may go away
	waitGroup       = "group"       // the group has removed this process, or is rebalancing
	waitLeader      = "leader"      // a partition has no leader
	waitTransaction = "transaction" // a transaction is open, was fenced, or has an unknown outcome
	waitHandler     = "handler"     // a handler has not returned, or it or a codec has failed
	waitState       = "state"       // the local state is damaged
	waitUnknown     = "unknown"
)

// obstacleError says what a task waits for. kind is one of the reasons above.
type obstacleError struct {
	kind string
	error
}

// Unwrap returns the error without the kind.
func (e *obstacleError) Unwrap() error { return e.error }

// kindOf returns which of the reasons above fits err.
func kindOf(err error) string {
	var obstacle *obstacleError
	var hung *HungError
	var failed *processor.Error
	switch {
	case errors.As(err, &obstacle):
		return obstacle.kind
	case errors.As(err, &hung), errors.As(err, &failed) && failed.Stage != processor.Produce:
		return waitHandler
	case errors.Is(err, state.ErrDamaged):
		return waitState
	case errors.Is(err, kafka.ErrFenced), errors.Is(err, kafka.ErrProducerState), errors.Is(err, kafka.ErrOutcomeUnknown):
		return waitTransaction
	case errors.Is(err, kafka.ErrIllegalGeneration), errors.Is(err, kafka.ErrUnknownMember), errors.Is(err, kafka.ErrRebalanceInProgress):
		return waitGroup
	}
	return waitCluster
}

// Kinds of rebalances, by their effect on this process.
const (
	rebalanceAssigned = "assigned" // the process lost no tasks
	rebalanceRevoked  = "revoked"  // tasks moved to other processes
	rebalanceLost     = "lost"     // the group had removed the process
)

func kindOfRebalance(rb kafka.Rebalance) string {
	switch {
	case rb.Lost:
		return rebalanceLost
	case len(rb.Revoked) > 0:
		return rebalanceRevoked
	}
	return rebalanceAssigned
}
