// Package runner runs a topology on a Kafka cluster, or on a broker inside the process if none is configured.
//
//	err := runner.Run(ctx, t, runner.Config{})
//
// runs until ctx ends; then it finishes the current records, commits and leaves the group. Start the same program on
// several machines and they share the work; kill one and the others take over.
//
// Start is for programs that observe the running application. It returns an App, which reports the application's state,
// its tasks, their lag and restore progress, and counts of skipped and dropped records. App reads what the workers publish
// after each commit, so it does not slow down processing.
//
// Every CommitInterval a worker commits one Kafka transaction with the results, the changelog records and the input
// offsets of its tasks. Then it writes the changes to the local database, with the changelog position in the same batch.
// So no record is lost or counted twice, whenever the process dies, and a restart only reads the changes that had not
// reached the database. After any failure (a lost connection, a fenced producer, a response that never came), recovery is
// the same: close the tasks, make a new producer, read the committed offsets, reopen the tasks.
//
// A handler may block: commits, timers, rebalances and stops happen between two records. If a call takes longer than
// MaxProcessing, it is logged and the other tasks continue without it. A stop ends within StopTimeout. Handlers should
// pass processor.Context.Context to the calls that they make.
//
// Ownership:
//
//	supervisor   the group membership, and which worker has which task
//	opener       a task until its state is restored; one goroutine per task
//	worker       its tasks, their producer, their fetcher; it shares nothing and locks nothing
//
// Files below Config.Dir: log/ belongs to the embedded broker; state/<application>/cluster-<id>/<place>/ contains the
// state of one process for one cluster (see place).
//
// The package does not process records itself: tasks do (internal/task). Package kafka implements the protocol.
package runner
