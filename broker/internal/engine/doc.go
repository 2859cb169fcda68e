// Package engine is the log and the coordinators of the broker: what each request of the Kafka protocol does.
//
// The main idea: one goroutine owns the state and does one piece of work after the other (engine.go). What it changes goes
// into the open commit; another goroutine makes commits durable (commit.go), and only then are answers sent and do readers
// see what is new. Whatever one request changes is in one commit, so it is there after a crash as a whole or not at all.
//
// Handle takes a request in the goroutine of its connection. What needs no state, such as checking the records of a batch, and
// what reads what is durable, such as Fetch and ListOffsets, is done there. The coordinators are
// packages group and transaction: they decide, told the time by the engine, and the engine writes and answers (groups.go,
// offsets.go, transaction.go). Retention and compaction are in files of their names.
//
// The engine reads the clock through Config.Now alone. Tickers and timers only say when to look.
package engine
