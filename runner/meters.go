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

// meters are what the goroutines of a runner measure beside the counters of their tasks: once for each turn or commit at most. No
// writer waits for a reader.
type meters struct {
	commits *metrics.Histogram         // their duration
	turns   *metrics.Histogram         // their duration
	latency map[int]*metrics.Histogram // by the ids of sub-topologies
	aborted atomic.Int64               // transactions

	retries, rebalances, restarts metrics.Tally

	workers []atomic.Pointer[worker] // by their ids
	shared  atomic.Pointer[shared]   // set once the process has a place for its state

	embedded bool                          // there is a broker in the process, or will be
	broker   atomic.Pointer[broker.Broker] // set once it has started
}

// shared is what all tasks of a process share.
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

// workerMeter is what a worker measures of itself.
type workerMeter struct {
	dirtySince atomic.Int64 // on the runner's clock, in nanoseconds: when it was first seen that there is something to commit; 0 if there is nothing
	dirtyBytes atomic.Int64 // of changed rows, when it was last asked whether a commit is due
}

// noteDirty notes since when there is something to commit.
func (w *worker) noteDirty() {
	if w.dirty && w.meter.dirtySince.Load() == 0 {
		w.meter.dirtySince.Store(int64(clock()))
	}
}

// noteOldest notes, of the records that wait for the next commit, the first: it waits longest. A sample of one record for
// each commit is enough to know the latency.
func (t *running) noteOldest() {
	if t.oldest == 0 {
		t.oldest = t.task.First()
	}
}

// noteCommit notes that a commit of tasks has succeeded.
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

// noteAbort notes that a transaction will not be committed, if there is one. Its end also ends what was dirty.
func (w *worker) noteAbort() {
	w.meter.dirtySince.Store(0)
	w.meter.dirtyBytes.Store(0)
	if p := w.sending.Load(); p != nil && !w.r.cfg.AtLeastOnce && p.InTransaction() {
		w.r.meters.aborted.Add(1)
	}
}

// What a task waits for, and why it was closed. These are labels, so they are few.
const (
	waitOpening     = "opening"     // nothing yet
	waitRestore     = "restore"     // changelogs are being read
	waitCluster     = "cluster"     // it does not answer, or has refused something that may work later
	waitGroup       = "group"       // it has gone on without this process
	waitLeader      = "leader"      // a partition has none
	waitTransaction = "transaction" // one is open, was fenced, or has an unknown outcome
	waitHandler     = "handler"     // one has not returned
	waitState       = "state"       // the local state is damaged
	waitUnknown     = "unknown"
)

// obstacleError is what a task waits for, with its kind.
type obstacleError struct {
	kind string
	error
}

// Unwrap returns what the cluster said.
func (e *obstacleError) Unwrap() error { return e.error }

// kindOf returns what kind of thing a task waits for, or was closed for.
func kindOf(err error) string {
	var obstacle *obstacleError
	var hung *HungError
	switch {
	case errors.As(err, &obstacle):
		return obstacle.kind
	case errors.As(err, &hung):
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

// The kinds of rebalances, by what they did to this process.
const (
	rebalanceAssigned = "assigned" // nothing was taken from it
	rebalanceRevoked  = "revoked"  // tasks went to others
	rebalanceLost     = "lost"     // the group had given it up
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
