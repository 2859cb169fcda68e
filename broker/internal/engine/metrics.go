package engine

import (
	"time"

	"github.com/rio-streams/rio/broker/internal/group"
	"github.com/rio-streams/rio/broker/internal/transaction"
	"github.com/rio-streams/rio/metrics"
)

// census is what there is of groups and transactions. The goroutine of the engine replaces it with each sweep.
type census struct {
	groups [group.Dead]int // by their state
	open   int             // transactions
	oldest time.Time       // when the first of them began; zero if there is none
}

// count takes the census.
func (e *Engine) count() {
	c := &census{}
	for _, g := range e.groups {
		if state := g.machine.State(); state < group.Dead {
			c.groups[state]++
		}
	}
	for _, t := range e.transactions {
		s := t.Snapshot()
		if s.State != transaction.Ongoing {
			continue
		}
		c.open++
		if began := time.UnixMilli(s.Started); c.oldest.IsZero() || began.Before(c.oldest) {
			c.oldest = began
		}
	}
	e.census.Store(c)
}

// Collect emits what the engine knows of topics, groups and transactions: of the latter as they were at the last sweep.
func (e *Engine) Collect(emit func(metrics.Sample)) {
	topics := e.catalog.Load().byName
	partitions := 0
	for _, t := range topics {
		partitions += len(t.partitions)
	}
	emit(metrics.BrokerTopics.Of(float64(len(topics))))
	emit(metrics.BrokerPartitions.Of(float64(partitions)))
	c := e.census.Load()
	for state, n := range c.groups {
		emit(metrics.BrokerGroups.Of(float64(n), group.State(state).String()))
	}
	age := 0.0
	if !c.oldest.IsZero() {
		age = e.clock().Sub(c.oldest).Seconds()
	}
	emit(metrics.BrokerTransactions.Of(float64(c.open)))
	emit(metrics.BrokerOldestTransaction.Of(max(age, 0)))
	full := 0.0
	if e.full.Load() {
		full = 1
	}
	emit(metrics.BrokerDiskFull.Of(full))
}
