package crashtest

import (
	"context"
	"fmt"
)

// place is a partition of a topic.
type place struct {
	topic     string
	partition int32
}

func (p place) String() string { return fmt.Sprintf("%s/%d", p.topic, p.partition) }

// acknowledgement is a record that the broker has acknowledged.
type acknowledgement struct {
	offset int64
	writer string
	number int
}

// outcome is the end of a transaction as acknowledged to the client.
type outcome int

const (
	unknown outcome = iota // not ended, or ended with an error
	committed
	aborted
)

// ledger records what was acknowledged and the problems found meanwhile. It may be used from any goroutine.
type ledger struct {
	monitor
	work        int // acknowledged operations of all kinds
	records     map[place][]acknowledgement
	outcomes    map[string]outcome // of transactions
	transformed int                // records of the input whose transaction is committed
	commits     int                // acknowledged commits of the committing group
	asked       map[place]int64    // the greatest offset that the committing group has requested
	kept        map[place]int64    // the greatest that was acknowledged
	topics      []string           // created and acknowledged
	findings    []string
}

func newLedger() *ledger {
	l := &ledger{
		records: map[place][]acknowledgement{}, outcomes: map[string]outcome{},
		asked: map[place]int64{}, kept: map[place]int64{},
	}
	l.init()
	return l
}

// note records an acknowledged operation.
func (l *ledger) note(change func()) {
	l.Lock()
	defer l.Unlock()
	change()
	l.work++
	l.changed.Broadcast()
}

// find records a problem.
func (l *ledger) find(format string, args ...any) {
	l.Lock()
	defer l.Unlock()
	l.findings = append(l.findings, fmt.Sprintf(format, args...))
	l.changed.Broadcast()
}

// kind is a kind of acknowledged operation.
type kind string

const (
	anything     kind = "records, commits and transactions"
	transactions kind = "records transformed in transactions"
	commits      kind = "commits of a group"
)

func (l *ledger) done(of kind) int {
	switch of {
	case transactions:
		return l.transformed
	case commits:
		return l.commits
	default:
		return l.work
	}
}

// awaitWork waits until the given amount of further work is acknowledged or a problem is found. It returns false if ctx ends
// first.
func (l *ledger) awaitWork(ctx context.Context, of kind, more int) bool {
	l.Lock()
	defer l.Unlock()
	goal := l.done(of) + more
	return l.await(ctx, func() bool { return l.done(of) >= goal || len(l.findings) > 0 })
}
