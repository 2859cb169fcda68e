// Package runner runs a topology: on a Kafka cluster, or on a broker inside the process when none is named.
//
//	err := runner.Run(ctx, t, runner.Config{})
//
// runs until ctx ends; then it finishes the records in hand, commits and leaves the group. Start the same program on
// several machines and they share the work; kill one and the others take over.
//
// Start is Run for a program that wants to look at what runs: it returns an App, which answers for the state of the
// application, its tasks, their lag and the progress of their restores, and counts the records that were left out. It reads
// what the workers publish after each commit, so asking it never slows a record down.
//
// Every CommitInterval a worker ends one Kafka transaction that holds the results, the changes of the stores and the
// input offsets of its tasks; then the state goes into the local database, with the changelog position in the same
// batch. So nothing is lost and nothing is counted twice, whenever the process dies, and a restart reads only the
// changes that had not reached the database. Whatever goes wrong on the way (a lost connection, a fenced producer, an
// answer that never came), the recovery path is always the same: close the tasks, make a new producer, read the committed
// offsets, open the tasks again.
//
// A handler may take its time: commits, timers, rebalances and stops come between two records. One that takes longer than
// MaxProcessing is named in the log, and the other tasks go on without it; a stop ends within StopTimeout. Handlers that
// call the outside pass on processor.Context.Context.
//
// Who owns what:
//
//	supervisor   the group membership and the books: which task is where
//	opener       a task until its state is restored; one goroutine each, beside everything else
//	worker       its tasks, their producer, their fetcher; share nothing, lock nothing
//
// On disk, below Config.Dir: log/ is the embedded broker's, state/<application>/cluster-<id>/<place>/ the
// state that a process has of a cluster (see place).
//
// The package decides nothing about records: that is done by tasks (internal/task), and the protocol is spoken by
// package kafka.
package runner
